import { type Call, type Clock, type Span, toCanonicalJson } from "../../contracts/index.ts";
import type { SourceMeta, SourceState } from "../meta.ts";
import type { SourcePlan } from "../source.ts";
import { type AskPorts, ask, type Question, type Said } from "./ask.ts";
import { Batcher } from "./batcher.ts";
import type { Kept } from "./cache.ts";
import { Flight, type Waiting } from "./flight.ts";
import { Health, type SourceHealth } from "./health.ts";
import { Keeper, type KeeperPorts } from "./keeper.ts";
import { Line } from "./line.ts";
import { type Gathered, gatherOne, gatherPages } from "./pages.ts";
import { type Found, pick } from "./pick.ts";
import { Samples } from "./samples.ts";
import type { Landed, Tried } from "./tried.ts";

/** One source's part in one answer. There is a value where the state is `fresh` or `stale`. */
export interface Reading {
  readonly source: string;
  readonly meta: SourceMeta;
  readonly value?: unknown;
  readonly asOf?: number;
}
export interface ReadRequest {
  readonly input: { readonly [field: string]: unknown };
  readonly principal: Call["principal"];
  /** Who may see the answer that this is a part of: the view's access. What one scope asked for is no other's. */
  readonly scope: string;
  readonly span: Span;
  /** On the monotonic clock. */
  readonly deadline: number;
  readonly aborted: AbortSignal;
}
export interface ReaderPorts extends AskPorts, KeeperPorts {
  readonly clock: Clock;
  readonly random: () => number;
}

/** What a question came to, and how it travelled. */
interface Answered extends Landed<Found> {
  /** How many keys travelled with it. */
  readonly keys: number;
}

/** A renewal behind a stale answer has nobody who waits, so it gets a time of its own. */
const renewalMs = 30_000;

/** Whatever answers for one source: by asking it, or from what it has said. */
export type AnyReader = Pick<Reader, "read" | "usualMs">;

/** Reads one source for all views: cached, shared between callers that ask the same, batched, measured. */
export class Reader {
  readonly #health: Health;
  readonly #source: SourcePlan;
  readonly #ports: ReaderPorts;
  readonly #line: Line;
  readonly #batcher: Batcher | undefined;
  readonly #samples: Samples;
  readonly #keeper: Keeper;
  readonly #flights = new Map<string, Flight<Answered>>();
  #closed = false;
  constructor(source: SourcePlan, ports: ReaderPorts) {
    const { clock, random, credentials } = ports;
    this.#source = source;
    this.#ports = ports;
    this.#health = new Health(source.name, clock);
    this.#line = new Line(source, clock, random, this.#health);
    this.#batcher = source.batch && new Batcher(source.batch, clock);
    this.#samples = new Samples(source, credentials);
    this.#keeper = new Keeper(source, ports);
  }

  /** Resolves by the deadline, whatever the source does. */
  async read(request: ReadRequest): Promise<Reading> {
    const { clock } = this.#ports;
    const reading = await this.#mapped(request);
    const { state, attempts, cached = false } = reading.meta;
    this.#health.answered(reading.meta, clock.now());
    request.span.set({
      "trilith.source": this.#source.name,
      "trilith.state": state,
      "trilith.attempts": attempts,
      "trilith.cached": cached,
    });
    return reading;
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
    for (const flight of this.#flights.values()) flight.abort();
  }

  /** From the view's input to this source's parameters. */
  #mapped(request: ReadRequest): Reading | Promise<Reading> {
    const began = this.#ports.clock.monotonic();
    const { from } = this.#source;
    if (!from) return this.#read(request, began);
    let input: ReadRequest["input"];
    try {
      input = from(request.input);
    } catch (error) {
      const problem = `was not asked: \`from\` cannot take the input (${error instanceof Error ? error.name : "something was thrown"})`;
      return this.#instead(undefined, began, "invalid", problem, 0);
    }
    return this.#read({ ...request, input }, began);
  }

  async #read(request: ReadRequest, began: number): Promise<Reading> {
    const { cacheForMs, staleWhileRevalidateMs } = this.#source;
    const key = this.#keyOf(request);
    let kept = this.#keeper.get(key);
    const age = kept && began - kept.at;
    if (cacheForMs + staleWhileRevalidateMs > 0)
      this.#health.looked(age !== undefined && age < cacheForMs + staleWhileRevalidateMs);
    if (kept && age !== undefined && age < cacheForMs) return this.#fromCache(kept, began, "fresh");
    if (kept && age !== undefined && age < cacheForMs + staleWhileRevalidateMs) {
      this.#renew(key, request, began);
      return this.#fromCache(kept, began, "stale");
    }
    if (request.deadline <= began || request.aborted.aborted || this.#closed)
      return this.#instead(kept, began, "slow", "was not asked: the time had run out", 0);

    // Looked for beside the question, for at the deadline it would be too late to begin.
    const recalled = kept ? undefined : this.#keeper.recall(key, request.input);
    const own = !this.#flights.has(key);
    const flight = this.#flights.get(key) ?? this.#begin(key, request);
    const landed = await flight.wait(request.deadline, request.aborted);
    const state = landed?.tried.state ?? "slow";
    if (recalled && state !== "fresh" && state !== "missing") {
      await this.#untilDeadline(recalled, request);
      kept = this.#keeper.get(key);
    }
    if (!landed)
      return this.#instead(kept, began, "slow", "has not answered within the budget", own ? flight.attempts : 0);
    return this.#toReading(landed, kept, began, own, request.span);
  }

  #toReading(landed: Answered, kept: Kept | undefined, began: number, own: boolean, span: Span): Reading {
    const { tried, keys } = landed;
    const attempts = own ? landed.attempts : 0;
    if (tried.status !== undefined) span.set({ "http.response.status_code": tried.status });
    const now = this.#ports.clock.monotonic();
    const ms = rounded(now - began);
    const batched = keys > 1 && { batched: keys };
    if (tried.state === "fresh") {
      const { value, asOf, duplicates, pages, incomplete } = tried.value;
      const meta = {
        state: "fresh" as const,
        ms,
        attempts,
        ageMs: rounded(now - landed.at),
        ...(duplicates > 0 && { duplicates }),
        ...batched,
        ...(pages !== undefined && { pages }),
        ...(incomplete !== undefined && { complete: false as const, problem: this.#sentence(incomplete) }),
      };
      return { source: this.#source.name, meta, value, ...(asOf !== undefined && { asOf }) };
    }
    if (tried.state === "missing") {
      const meta = { state: "missing" as const, ms, attempts, ...batched, problem: this.#sentence(tried.problem) };
      return { source: this.#source.name, meta };
    }
    return this.#instead(kept, began, tried.state, tried.problem, attempts);
  }

  /** The last good answer in place of one that did not come, where it is young enough; otherwise the plain truth. */
  #instead(kept: Kept | undefined, began: number, state: SourceState, problem: string, attempts: number): Reading {
    const now = this.#ports.clock.monotonic();
    if (kept && now - kept.at < this.#source.staleIfErrorMs)
      return this.#fromCache(kept, began, "stale", attempts, this.#sentence(problem));
    const meta = { state, ms: rounded(now - began), attempts, problem: this.#sentence(problem) };
    return { source: this.#source.name, meta };
  }

  #fromCache(kept: Kept, began: number, state: SourceState, attempts = 0, problem?: string): Reading {
    const now = this.#ports.clock.monotonic();
    const times = { ms: rounded(now - began), attempts, ageMs: rounded(now - kept.at), cached: true as const };
    if (!kept.found) {
      const sentence = problem ?? this.#sentence("had nothing for this when it was last asked");
      return { source: this.#source.name, meta: { state: "missing", ...times, problem: sentence } };
    }
    const { value, asOf, incomplete } = kept.found;
    const sentence = problem ?? (incomplete === undefined ? undefined : this.#sentence(incomplete));
    const meta = {
      state,
      ...times,
      ...(incomplete !== undefined && { complete: false as const }),
      ...(sentence !== undefined && { problem: sentence }),
    };
    return { source: this.#source.name, meta, value, ...(asOf !== undefined && { asOf }) };
  }

  #renew(key: string, request: ReadRequest, began: number): void {
    if (this.#flights.has(key) || this.#closed) return;
    const flight = this.#begin(key, request);
    void flight.wait(began + renewalMs);
  }

  #begin(key: string, request: ReadRequest): Flight<Answered> {
    const flight = new Flight<Answered>(this.#ports.clock, async (flight) => {
      const answered = await this.#fly(flight, request);
      if (!this.#closed) this.#keeper.keep(key, answered);
      return answered;
    });
    this.#flights.set(key, flight);
    const forget = (): void => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    // An aborted flight must not be joined by somebody who still has time.
    flight.aborted.addEventListener("abort", forget, { once: true });
    flight.landed.then(forget, forget);
    return flight;
  }

  async #fly(flight: Flight<Answered>, request: ReadRequest): Promise<Answered> {
    const param = this.#source.fetch.params[0] ?? "";
    const key = request.input[param];
    if (!this.#batcher || key === undefined || key === null || String(key) === "")
      return { ...this.#picked(await this.#gather(flight, request), key), keys: 1 };
    const { landed, keys, first } = await this.#batcher.join(
      this.#scopeOf(request),
      String(key),
      flight,
      (together, waiting) => this.#gather(waiting, request, together),
    );
    return { ...this.#picked(landed, key), attempts: first ? landed.attempts : 0, keys };
  }

  #picked({ tried, attempts, at }: Landed<Gathered>, key: unknown): Landed<Found> {
    const { status } = tried;
    const found = tried.state === "fresh" ? pick(this.#source, tried.value, key) : tried;
    if (found.state === "invalid" && tried.state === "fresh") {
      this.#health.troubled(found.kind);
      this.#sampled(found);
    }
    return { tried: status === undefined ? found : { ...found, status }, attempts, at };
  }

  /** Everything that is said in answer to one question, or to the questions of one batch. */
  async #gather(waiting: Waiting, request: ReadRequest, keys?: readonly string[]): Promise<Landed<Gathered>> {
    const { fetch } = this.#source;
    const askPage = (turn: Question["turn"]): Promise<Landed<Said>> =>
      this.#line.ask(waiting, async (aborted, remainingMs) => {
        const { input, principal, span } = request;
        const tried = await ask(this.#source, this.#ports, {
          input,
          ...(keys && { keys }),
          ...(turn && { turn }),
          principal,
          span,
          aborted,
          remainingMs,
          deadline: this.#ports.clock.monotonic() + remainingMs,
        });
        if (!aborted.aborted) this.#sampled(tried);
        return tried;
      });
    const paging = fetch.via === "http" ? fetch.paging : undefined;
    if (paging) return gatherPages(paging, askPage);
    const { tried, ...about } = await askPage(undefined);
    return { ...about, tried: tried.state === "fresh" ? { ...tried, value: gatherOne(tried.value) } : tried };
  }

  #sampled(tried: Tried<unknown>): void {
    if (tried.state === "invalid" && tried.sample)
      this.#samples.add(this.#ports.clock.now(), this.#sentence(tried.problem), tried.sample);
  }

  #untilDeadline(work: Promise<void>, { deadline, aborted }: ReadRequest): Promise<void> {
    const { clock } = this.#ports;
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        aborted.removeEventListener("abort", end);
        resolve();
      };
      const cancel = clock.after(Math.max(0, deadline - clock.monotonic()), end);
      aborted.addEventListener("abort", end, { once: true });
      void work.then(end);
    });
  }

  /** Equal questions share an answer, within one scope. */
  #keyOf(request: ReadRequest): string {
    const { name, fetch } = this.#source;
    const given = fetch.params.map((param) => {
      const value = request.input[param];
      return typeof value === "bigint" ? String(value) : value;
    });
    return toCanonicalJson([name, given, this.#scopeOf(request)]);
  }

  /** What another contract says may depend on who asks, so there the caller is part of it. */
  #scopeOf({ scope, principal }: ReadRequest): string {
    if (this.#source.fetch.via !== "call") return scope;
    return toCanonicalJson([scope, principal.id, [...principal.scopes].sort()]);
  }

  #sentence(problem: string): string {
    return `The source "${this.#source.name}" ${problem}.`;
  }
}

const rounded = (ms: number): number => Math.max(0, Math.round(ms * 10) / 10);
