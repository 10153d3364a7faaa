import type { Clock } from "../../contracts/index.ts";
import type { Aborted } from "../port.ts";
import { Ending } from "./ending.ts";
import type { Patience } from "./patience.ts";

/** What a request that is under way knows of those who wait for it. */
export interface Waiting {
  /** Aborts when nobody waits any more. */
  readonly aborted: Aborted;
  /** How long somebody will still wait, in ms. */
  readonly remainingMs: number;
  /** How often it has asked so far. */
  attempts: number;
}
/** By question: what it came to. */
export interface Landing<A> {
  get(question: string): A | undefined;
}
/** What becomes of a flight, for whoever sent it. */
export interface Course<A> {
  /**
   * Asks for everybody on board, and hands each its answer (`answerEach`). It begins a turn after the departure, when those
   * who boarded wait.
   */
  readonly fly: (flight: Flight<A>) => Promise<void>;
  /** Nobody may board any more: it landed, or was given up. Called once. */
  readonly over: (flight: Flight<A>) => void;
  /** Nobody wants this question's answer any more, and it has not been asked yet. */
  readonly left: (question: string) => void;
}

/** Somebody who waits for a flight, and is told once what becomes of it. */
interface Waiter<A> {
  readonly patience: Patience;
  readonly leave: () => void;
  readonly resolve: (landing: Landing<A>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One request that is under way, the questions that travel in it, and everybody who waits for their answers. Each has
 * its own deadline: who leaves takes nothing from the others, and when the last one leaves, it is given up.
 */
export class Flight<A> implements Waiting {
  readonly #ending = new Ending();
  readonly #clock: Clock;
  readonly #course: Course<A>;
  readonly #waiters: Waiter<A>[] = [];
  /** The questions on board, each once: what it asks for, and how many want it. */
  readonly #board = new Boarded<A>();
  #deadline = 0;
  #over = false;
  #departed = false;
  attempts = 0;
  /** The question that boarded first: it stands for the request where requests are counted. */
  leader: string | undefined;
  constructor(clock: Clock, course: Course<A>) {
    this.#clock = clock;
    this.#course = course;
  }

  get aborted(): Aborted {
    return this.#ending;
  }
  get remainingMs(): number {
    return this.#deadline - this.#clock.monotonic();
  }
  get size(): number {
    return this.#board.size;
  }
  /** The questions on board, and the key that each asks for. */
  forEach(visit: (question: string, key: string) => void): void {
    this.#board.forEach(({ question, key }) => {
      visit(question, key);
    });
  }
  /** Hands every question on board what it came to. */
  answerEach(answerTo: (question: string, key: string) => A): void {
    this.#board.forEach((seat) => {
      seat.answer = answerTo(seat.question, seat.key);
    });
  }

  /** Takes a question on board, or one more who wants its answer. */
  board(question: string, key: string): void {
    this.#board.add(question, key);
    this.leader ??= question;
  }

  /** From here on it takes no further question. */
  depart(): void {
    if (this.#departed) return;
    this.#departed = true;
    queueMicrotask(() => {
      const end = (tell: (waiter: Waiter<A>) => void): void => {
        this.#end();
        for (const waiter of this.#waiters) {
          waiter.patience.end(waiter.leave);
          tell(waiter);
        }
      };
      const fail = (error: unknown): void => end(({ reject }) => reject(error));
      try {
        this.#course.fly(this).then(() => end(({ resolve }) => resolve(this.#board)), fail);
      } catch (error) {
        fail(error);
      }
    });
  }

  abort(): void {
    if (this.#over) return;
    this.#end();
    this.#ending.abort();
  }

  /**
   * Waits for the answers to questions on board until it landed, or patience ends, which gives `undefined`. Whoever boards
   * waits from the same turn on.
   */
  wait(questions: readonly string[], patience: Patience): Promise<Landing<A> | undefined> {
    this.#deadline = Math.max(this.#deadline, patience.deadline);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        this.#leave(questions);
        resolve(undefined);
      };
      const waiter: Waiter<A> = { patience, leave, resolve, reject };
      this.#waiters.push(waiter);
      patience.begin(leave);
    });
  }

  #leave(questions: readonly string[]): void {
    if (this.#waiters.length === 0) this.abort();
    if (this.#departed || this.#over) return;
    for (const question of questions) if (this.#board.remove(question)) this.#course.left(question);
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#course.over(this);
  }
}

interface Seat<A> {
  readonly question: string;
  readonly key: string;
  wanted: number;
  answer: A | undefined;
}

/** Mostly it is one question, which needs no table. What each came to is written down where it sits. */
class Boarded<A> implements Landing<A> {
  #first: Seat<A> | undefined;
  #others: Map<string, Seat<A>> | undefined;

  get size(): number {
    return (this.#first ? 1 : 0) + (this.#others?.size ?? 0);
  }

  add(question: string, key: string): void {
    const known = this.#seatOf(question);
    if (known) known.wanted += 1;
    else if (!this.#first && !this.#others) this.#first = { question, key, wanted: 1, answer: undefined };
    else {
      this.#others ??= new Map();
      this.#others.set(question, { question, key, wanted: 1, answer: undefined });
    }
  }

  /** One less wants it; gives whether nobody does any more. */
  remove(question: string): boolean {
    const known = this.#seatOf(question);
    if (!known) return false;
    known.wanted -= 1;
    if (known.wanted > 0) return false;
    if (known === this.#first) this.#first = undefined;
    else this.#others?.delete(question);
    return true;
  }

  get(question: string): A | undefined {
    return this.#seatOf(question)?.answer;
  }

  forEach(visit: (seat: Seat<A>) => void): void {
    if (this.#first) visit(this.#first);
    if (this.#others) for (const seat of this.#others.values()) visit(seat);
  }

  #seatOf(question: string): Seat<A> | undefined {
    return this.#first?.question === question ? this.#first : this.#others?.get(question);
  }
}

/** Resolves after some time, or at once when nobody waits any more. */
export function pause(ms: number, clock: Clock, aborted: Aborted): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      cancel();
      aborted.removeEventListener("abort", wake);
      resolve();
    };
    const cancel = clock.after(ms, wake);
    aborted.addEventListener("abort", wake, { once: true });
    if (aborted.aborted) wake();
  });
}
