import type { Call, Clock, Span } from "../../contracts/index.ts";
import type { SourcePlan } from "../source.ts";
import { type AskOnce, type AskPorts, type Question, type Said, toAsk } from "./ask.ts";
import { Batcher } from "./batcher.ts";
import type { Kept } from "./cache.ts";
import { Flight, type Landing, type Waiting } from "./flight.ts";
import { Health, type SourceHealth } from "./health.ts";
import { Keeper, type KeeperPorts } from "./keeper.ts";
import { Line } from "./line.ts";
import { type Gathered, gatherPages, landOne } from "./pages.ts";
import { Patience } from "./patience.ts";
import { toPick } from "./pick.ts";
import { type Asking, type Input, scopeOf, toAskings } from "./question.ts";
import { type Answered, type Reading, Teller } from "./reading.ts";
import { Register } from "./register.ts";
import { Samples } from "./samples.ts";
import { describeReadings } from "./span-words.ts";
import type { Landed, Tried } from "./tried.ts";

export interface ReadRequest extends ReadEach {
  readonly input: Input;
}
/** For whom a source is read, and how long. */
export interface ReadEach {
  readonly principal: Call["principal"];
  /** Who may see the answer that this is a part of: the view's access. What one scope asked for is no other's. */
  readonly scope: string;
  readonly span: Span;
  readonly patience: Patience;
}
export interface ReaderPorts extends AskPorts, KeeperPorts {
  readonly clock: Clock;
  readonly random: () => number;
}

/** A question that only the source itself can answer. */
interface Open {
  readonly at: number;
  readonly question: string;
  kept: Kept | undefined;
  readonly recalled: Promise<void> | undefined;
  readonly flight: Flight<Answered>;
  /** Whether it stands for the request in which it travels, where requests are counted. */
  readonly leads: boolean;
}

/** A renewal behind a stale answer has nobody who waits, so it gets a time of its own. */
const renewalMs = 30_000;

/** Whatever answers for one source: by asking it, or from what it has said. */
export type AnyReader = Pick<Reader, "read" | "readEach" | "usualMs">;

/** Reads one source for all views: cached, shared between callers that ask the same, batched, measured. */
export class Reader {
  readonly #health: Health;
  readonly #source: SourcePlan;
  readonly #ports: ReaderPorts;
  readonly #ask: AskOnce;
  readonly #line: Line;
  readonly #batcher: Batcher<Answered> | undefined;
  readonly #samples: Samples;
  readonly #keeper: Keeper;
  readonly #askings: ReturnType<typeof toAskings>;
  /** By question: the request that will answer it. */
  readonly #flights = new Register<Flight<Answered>>();
  #closed = false;
  constructor(source: SourcePlan, ports: ReaderPorts) {
    const { clock, random, credentials } = ports;
    this.#source = source;
    this.#ports = ports;
    this.#ask = toAsk(source, ports);
    this.#health = new Health(source.name, clock);
    this.#line = new Line(source, clock, random, this.#health, (tried) => this.#sampled(tried));
    this.#batcher = source.batch && new Batcher(source.batch, clock);
    this.#samples = new Samples(source, credentials);
    this.#keeper = new Keeper(source, ports);
    this.#askings = toAskings(source);
  }

  /** At once what is at hand; what is not comes by the deadline, whatever the source does. */
  read(request: ReadRequest): Reading | Promise<Reading> {
    const { asking, own, began, teller } = this.#begun(request);
    const found = this.#look(0, asking(request.input), own, began, teller);
    if (!("flight" in found)) return this.#toldOne(found, request.span);
    return found.flight.wait([found.question], request.patience).then((landing) => {
      saidStatus(landing, found.question, request.span);
      const answered = this.#answered(found, landing, request, teller, this.#ports.clock.monotonic());
      return answered instanceof Promise
        ? answered.then((reading) => this.#toldOne(reading, request.span))
        : this.#toldOne(answered, request.span);
    });
  }

  /** Reads it for many inputs at once, in their order: what they have in common is done once. Resolves by the deadline. */
  async readEach(inputs: readonly Input[], request: ReadEach): Promise<readonly Reading[]> {
    const { asking, own, began, teller } = this.#begun(request);
    const readings: Reading[] = new Array(inputs.length);
    const open: Open[] = [];
    for (let at = 0; at < inputs.length; at++) {
      const found = this.#look(at, asking(inputs[at] as Input), own, began, teller); // below the length
      if ("flight" in found) open.push(found);
      else readings[at] = found;
    }
    if (open.length > 0) await this.#allArrived(open, request, teller, readings);
    this.#told(readings, request.span);
    return readings;
  }

  health(): SourceHealth {
    const { breaker, bulkhead } = this.#line;
    return this.#health.summary({
      breaker: { state: breaker.state, opened: breaker.opened },
      underWay: bulkhead.busy,
      queued: bulkhead.waiting,
      samples: this.#samples.list(),
    });
  }

  /** What an answer usually takes, in ms: longer than that only one in twenty does. Nothing before there are enough to say. */
  usualMs(): number | undefined {
    return this.#health.percentile(0.95);
  }

  /** Aborts what is under way. */
  close(): void {
    this.#closed = true;
    for (const flight of new Set(this.#flights.values())) flight.abort();
  }

  /** What questions that begin at the same moment have in common. */
  #begun(request: ReadEach): {
    readonly began: number;
    readonly teller: Teller;
    readonly own: ReadEach;
    readonly asking: (input: Input) => Asking | string;
  } {
    const { clock } = this.#ports;
    const began = clock.monotonic();
    const scope = scopeOf(this.#source, request);
    const own = scope === request.scope ? request : { ...request, scope };
    return { began, teller: new Teller(this.#source, clock, began), own, asking: this.#askings(scope) };
  }

  /** What is known at once, or a question under way. */
  #look(at: number, asking: Asking | string, own: ReadEach, began: number, teller: Teller): Open | Reading {
    if (typeof asking === "string") return teller.instead(undefined, "invalid", asking, 0);
    return this.#atHand(asking, own, began, teller) ?? this.#open(at, asking, own, began, teller);
  }

  #toldOne(reading: Reading, span: Span): Reading {
    this.#told([reading], span);
    return reading;
  }

  #told(readings: readonly Reading[], span: Span): void {
    this.#health.answered(readings, this.#ports.clock);
    if (!span.unheard) span.set(describeReadings(this.#source.name, readings));
  }

  /** What is kept, while it counts. */
  #atHand(asking: Asking, request: ReadEach, began: number, teller: Teller): Reading | undefined {
    const { cacheForMs, staleWhileRevalidateMs } = this.#source;
    if (cacheForMs + staleWhileRevalidateMs === 0) return undefined;
    const { question } = asking;
    const kept = this.#keeper.get(question);
    const age = kept ? began - kept.at : Number.POSITIVE_INFINITY;
    const hit = age < cacheForMs + staleWhileRevalidateMs;
    this.#health.looked(hit);
    if (!kept || !hit) return undefined;
    if (age < cacheForMs) return teller.cached(kept, "fresh");
    if (!this.#flights.get(question) && !this.#closed)
      void this.#board(asking, request).wait([question], new Patience(this.#ports.clock, began + renewalMs));
    return teller.cached(kept, "stale");
  }

  /** Puts a question under way, or aboard the request that will answer it already. */
  #open(at: number, asking: Asking, request: ReadEach, began: number, teller: Teller): Open | Reading {
    const { question, key, input } = asking;
    const kept = this.#keeper.get(question);
    const { patience } = request;
    if (patience.deadline <= began || patience.isGone || this.#closed)
      return teller.instead(kept, "slow", "was not asked: the time had run out", 0);
    // Looked for beside the question, for at the deadline it would be too late to begin.
    const recalled = kept ? undefined : this.#keeper.recall(question, input);
    const known = this.#flights.get(question);
    known?.board(question, textOf(key));
    const flight = known ?? this.#board(asking, request);
    return { at, question, kept, recalled, flight, leads: !known && flight.leader === question };
  }

  /** Waits for the requests in which questions travel, each once, and fills in what they came to. */
  async #allArrived(open: readonly Open[], request: ReadEach, teller: Teller, readings: Reading[]): Promise<void> {
    const [first] = open;
    if (first && open.every(({ flight }) => flight === first.flight))
      // as they mostly do
      return this.#arrived(first.flight, open, request, teller, readings);
    const flights = Map.groupBy(open, ({ flight }) => flight);
    await Promise.all([...flights].map(([flight, own]) => this.#arrived(flight, own, request, teller, readings)));
  }

  async #arrived(
    flight: Flight<Answered>,
    questions: readonly Open[],
    request: ReadEach,
    teller: Teller,
    readings: Reading[],
  ): Promise<void> {
    const wanted = questions.map(({ question }) => question);
    const landing = await flight.wait(wanted, request.patience);
    const now = this.#ports.clock.monotonic();
    for (const one of questions) {
      const answered = this.#answered(one, landing, request, teller, now);
      readings[one.at] = answered instanceof Promise ? await answered : answered;
    }
    saidStatus(landing, wanted[0] ?? "", request.span);
  }

  /** What one question came to. Where that is nothing, what an earlier process kept may stand in for it. */
  #answered(
    one: Open,
    landing: Landing<Answered> | undefined,
    { patience }: ReadEach,
    teller: Teller,
    now: number,
  ): Reading | Promise<Reading> {
    const { question, recalled, kept, flight, leads } = one;
    const answered = landing?.get(question);
    const state = answered?.tried.state ?? "slow";
    if (answered && !recalled) return teller.landed(answered, kept, leads ? answered.attempts : 0, now);
    const tell = (last: Kept | undefined): Reading =>
      answered
        ? teller.landed(answered, last, leads ? answered.attempts : 0, this.#ports.clock.monotonic())
        : teller.instead(last, "slow", "has not answered within the budget", leads ? flight.attempts : 0);
    if (!recalled || state === "fresh" || state === "missing") return tell(kept);
    return asLongAs(patience, recalled).then(() => tell(this.#keeper.get(question)));
  }

  /** Sends a question on its way, alone or with others that come at about the same time. */
  #board(asking: Asking, request: ReadEach): Flight<Answered> {
    const { question, key } = asking;
    const text = textOf(key);
    let flight: Flight<Answered>;
    const { scope } = request;
    const batcher = this.#batcher;
    if (batcher?.takes(text)) {
      flight = batcher.flightFor(scope, text) ?? batcher.open(scope, this.#begin(asking, request, true));
      batcher.board(scope, question, text);
    } else {
      flight = this.#begin(asking, request, this.#batcher !== undefined && text !== "");
      flight.board(question, text);
      flight.depart();
    }
    this.#flights.set(question, flight);
    return flight;
  }

  #begin({ input }: Asking, request: ReadEach, byKey: boolean): Flight<Answered> {
    return new Flight<Answered>(this.#ports.clock, {
      fly: (flight) => this.#fly(flight, { ...request, input }, byKey),
      over: (flight) => {
        // What was given up must not be joined by somebody who still has time.
        this.#batcher?.forget(flight);
        flight.forEach((question) => {
          if (this.#flights.get(question) === flight) this.#flights.delete(question);
        });
      },
      left: (question) => void this.#flights.delete(question),
    });
  }

  #fly(flight: Flight<Answered>, request: ReadRequest, byKey: boolean): Promise<void> {
    // Everybody may have left before it began; then nobody is there to be told either.
    if (flight.size === 0) return Promise.resolve();
    const distinct = keysOf(flight);
    const askPage = this.#toAskPage(flight, request, byKey ? distinct : undefined);
    const { fetch } = this.#source;
    const paging = fetch.via === "http" ? fetch.paging : undefined;
    return paging
      ? gatherPages(paging, askPage).then((landed) => this.#land(flight, landed, distinct.length))
      : askPage(undefined).then((landed) => this.#land(flight, landOne(landed), distinct.length));
  }

  #land(flight: Flight<Answered>, { tried, attempts, at }: Landed<Gathered>, keys: number): void {
    const { status } = tried;
    const pick = tried.state === "fresh" ? toPick(this.#source, tried.value) : () => tried;
    flight.answerEach((question, key) => {
      const found = pick(key);
      if (found.state === "invalid" && tried.state === "fresh") {
        this.#health.troubled(found.kind);
        this.#sampled(found);
      }
      const answered: Answered =
        status === undefined ? { tried: found, attempts, at, keys } : { tried: found, attempts, at, keys, status };
      if (!this.#closed) this.#keeper.keep(question, answered);
      return answered;
    });
  }

  /** Asks one question, or the questions of one batch, page by page where there are pages. */
  #toAskPage(waiting: Waiting, { input, principal, span }: ReadRequest, keys?: readonly string[]) {
    return (turn: Question["turn"]): Promise<Landed<Said>> =>
      this.#line.ask(waiting, (aborted, remainingMs) =>
        this.#ask({ input, ...(keys && { keys }), ...(turn && { turn }), principal, span, aborted, remainingMs }),
      );
  }

  #sampled(tried: Tried<unknown>): void {
    if (tried.state === "invalid" && tried.sample)
      this.#samples.add(this.#ports.clock.now(), this.#sentence(tried.problem), tried.sample);
  }

  #sentence(problem: string): string {
    return `The source "${this.#source.name}" ${problem}.`;
  }
}

/** Waits for work that never rejects, or until patience ends. */
const asLongAs = (patience: Patience, work: Promise<void>): Promise<void> =>
  new Promise((resolve) => {
    patience.begin(resolve);
    void work.then(() => {
      patience.end(resolve);
      resolve();
    });
  });

/** Each once, in the order of boarding. */
function keysOf(flight: Flight<Answered>): readonly string[] {
  const keys: string[] = [];
  flight.forEach((_, key) => void keys.push(key));
  return keys.length === 1 ? keys : [...new Set(keys)];
}

function saidStatus(landing: Landing<Answered> | undefined, question: string, span: Span): void {
  if (span.unheard) return;
  const status = landing?.get(question)?.status;
  if (status !== undefined) span.set({ "http.response.status_code": status });
}

/** A key as it travels; nothing where there is none. */
const textOf = (key: unknown): string => (key === undefined || key === null ? "" : String(key));
