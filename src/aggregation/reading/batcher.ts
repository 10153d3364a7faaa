import type { Clock } from "../../contracts/index.ts";
import type { BatchPlan } from "../source.ts";
import type { Waiting } from "./flight.ts";
import type { Gathered } from "./pages.ts";
import type { Landed } from "./tried.ts";

/** What a request for many keys came to, and how many it asked for. */
export interface Shared {
  readonly landed: Landed<Gathered>;
  readonly keys: number;
  /** Whether this key was the one that the others travelled with: it stands for the request where requests are counted. */
  readonly first: boolean;
}
/** Asks for keys at once. Never rejects. */
export type AskKeys = (keys: readonly string[], waiting: Waiting) => Promise<Landed<Gathered>>;

/** Longer addresses than this are cut off on the way by somebody. */
const longestKeys = 6_000;

/**
 * Lets keys that are asked for at about the same time travel in one request. Each keeps its own question, with its own
 * deadline and its own answer: who leaves takes nothing from the others, and the last one ends the request.
 */
export class Batcher {
  readonly #plan: BatchPlan;
  readonly #clock: Clock;
  /** Those that still take keys, by who may see their answers. */
  readonly #boarding = new Map<string, Group>();
  constructor(plan: BatchPlan, clock: Clock) {
    this.#plan = plan;
    this.#clock = clock;
  }

  join(scope: string, key: string, waiting: Waiting, ask: AskKeys): Promise<Shared> {
    // A key with a comma would be two in a list, so it travels alone, as does whatever would make the address too long.
    if (this.#plan.size === 1 || (this.#plan.keysAs === "list" && key.includes(",")))
      return ask([key], waiting).then((landed) => ({ landed, keys: 1, first: true }));
    let group = this.#boarding.get(scope);
    if (group && !group.hasRoomFor(key)) {
      this.#depart(scope, group);
      group = undefined;
    }
    if (!group) {
      const begun = new Group(this.#plan.size, ask);
      group = begun;
      this.#boarding.set(scope, begun);
      const { windowMs } = this.#plan;
      const depart = (): void => this.#depart(scope, begun);
      if (windowMs === undefined) setImmediate(depart);
      else begun.unwait = this.#clock.after(windowMs, depart);
    }
    const shared = group.board(key, waiting);
    if (group.isFull) this.#depart(scope, group);
    return shared;
  }

  #depart(scope: string, group: Group): void {
    if (this.#boarding.get(scope) === group) this.#boarding.delete(scope);
    group.depart();
  }
}

/** The keys of one request, and who waits for each. */
class Group implements Waiting {
  readonly #most: number;
  readonly #ask: AskKeys;
  readonly #abort = new AbortController();
  readonly #members = new Map<string, Waiting>();
  readonly #departed = Promise.withResolvers<Landed<Gathered>>();
  #length = 0;
  #asked = 0;
  #gone = false;
  /** Ends the waiting for others. */
  unwait: () => void = () => {};
  #attempts = 0;
  #first: Waiting | undefined;
  constructor(most: number, ask: AskKeys) {
    this.#most = most;
    this.#ask = ask;
  }

  get aborted(): AbortSignal {
    return this.#abort.signal;
  }
  get remainingMs(): number {
    return Math.max(0, ...[...this.#members.values()].map(({ remainingMs }) => remainingMs));
  }
  get attempts(): number {
    return this.#attempts;
  }
  set attempts(count: number) {
    this.#attempts = count;
    if (this.#first) this.#first.attempts = count;
  }
  get isFull(): boolean {
    return this.#members.size >= this.#most;
  }
  hasRoomFor(key: string): boolean {
    // A key of a question that was given up may be asked for again at once: that is another question.
    return this.#length + key.length <= longestKeys && !this.#members.has(key);
  }

  async board(key: string, waiting: Waiting): Promise<Shared> {
    this.#first ??= waiting;
    const first = this.#first === waiting;
    this.#members.set(key, waiting);
    this.#length += key.length + 1;
    const leave = (): void => {
      this.#members.delete(key);
      if (this.#members.size === 0) this.#abort.abort();
    };
    waiting.aborted.addEventListener("abort", leave, { once: true });
    if (waiting.aborted.aborted) leave();
    try {
      const landed = await this.#departed.promise;
      return { landed, keys: this.#asked, first };
    } finally {
      waiting.aborted.removeEventListener("abort", leave);
    }
  }

  depart(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.unwait();
    const keys = [...this.#members.keys()];
    this.#asked = keys.length;
    // Everybody may have left before it began; then nobody is there to be told either.
    this.#departed.resolve(keys.length > 0 ? this.#ask(keys, this) : { tried: notAsked, attempts: 0, at: 0 });
  }
}

const notAsked = { state: "slow", kind: "budget", problem: "was not asked in time", repeat: false } as const;
