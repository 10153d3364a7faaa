import { type Call, type Clock, type Span, toCanonicalJson } from "../../contracts/index.ts";
import type { SourceMeta, SourceState } from "../meta.ts";
import type { SourcePlan } from "../source.ts";
import { Allowance, pauseBefore } from "./allowance.ts";
import { type AskPorts, ask } from "./ask.ts";
import { attempt } from "./attempt.ts";
import type { Cache, Kept } from "./cache.ts";
import { Flight, type Landed, pause } from "./flight.ts";
import { Health } from "./health.ts";
import { settles } from "./tried.ts";

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
  readonly span: Span;
  /** On the monotonic clock. */
  readonly deadline: number;
  readonly aborted: AbortSignal;
}
export interface ReaderPorts extends AskPorts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly cache: Cache;
}

/** A renewal behind a stale answer has nobody who waits, so it gets a time of its own. */
const renewalMs = 30_000;

/** Reads one source for all views: cached, shared between callers that ask the same, repeated, measured. */
export class Reader {
  readonly health: Health;
  readonly #source: SourcePlan;
  readonly #ports: ReaderPorts;
  readonly #flights = new Map<string, Flight>();
  readonly #allowance = new Allowance();
  #closed = false;
  constructor(source: SourcePlan, ports: ReaderPorts) {
    this.#source = source;
    this.#ports = ports;
    this.health = new Health(source.name);
  }

  /** Resolves by the deadline, whatever the source does. */
  async read(request: ReadRequest): Promise<Reading> {
    const { clock } = this.#ports;
    const began = clock.monotonic();
    const reading = await this.#read(request, began);
    const { state, problem, attempts } = reading.meta;
    const trouble = problem && state !== "missing" ? { sentence: problem, at: clock.now() } : undefined;
    this.health.answered(state, attempts === 0 && state !== "slow", trouble);
    request.span.set({
      "trilith.source": this.#source.name,
      "trilith.state": state,
      "trilith.attempts": attempts,
      "trilith.cached": reading.meta.cached ?? false,
    });
    return reading;
  }

  /** Aborts what is under way. */
  close(): void {
    this.#closed = true;
    for (const flight of this.#flights.values()) flight.abort();
  }

  async #read(request: ReadRequest, began: number): Promise<Reading> {
    const { cacheForMs, staleWhileRevalidateMs } = this.#source;
    const key = this.#keyOf(request);
    const kept = this.#keeps ? this.#ports.cache.get(key) : undefined;
    const age = kept && began - kept.at;
    if (kept && age !== undefined && age < cacheForMs) return this.#fromCache(kept, began, "fresh");
    if (kept && age !== undefined && age < cacheForMs + staleWhileRevalidateMs) {
      this.#renew(key, request, began);
      return this.#fromCache(kept, began, "stale");
    }
    if (request.deadline <= began || request.aborted.aborted || this.#closed)
      return this.#instead(kept, began, "slow", "was not asked: the time had run out", 0);

    const own = !this.#flights.has(key);
    const flight = this.#flights.get(key) ?? this.#begin(key, request);
    const landed = await flight.wait(request.deadline, request.aborted);
    if (!landed)
      return this.#instead(kept, began, "slow", "has not answered within the budget", own ? flight.attempts : 0);
    return this.#toReading(landed, kept, began, own, request.span);
  }

  #toReading(landed: Landed, kept: Kept | undefined, began: number, own: boolean, span: Span): Reading {
    const { tried } = landed;
    const attempts = own ? landed.attempts : 0;
    if (tried.status !== undefined) span.set({ "http.response.status_code": tried.status });
    const now = this.#ports.clock.monotonic();
    const ms = rounded(now - began);
    if (tried.state === "fresh") {
      const { value, asOf, duplicates } = tried;
      const meta = {
        state: "fresh" as const,
        ms,
        attempts,
        ageMs: rounded(now - landed.at),
        ...(duplicates > 0 && { duplicates }),
      };
      return { source: this.#source.name, meta, value, ...(asOf !== undefined && { asOf }) };
    }
    if (tried.state === "missing")
      return {
        source: this.#source.name,
        meta: { state: "missing", ms, attempts, problem: this.#sentence(tried.problem) },
      };
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
    const { value, asOf } = kept.found;
    const meta = { state, ...times, ...(problem !== undefined && { problem }) };
    return { source: this.#source.name, meta, value, ...(asOf !== undefined && { asOf }) };
  }

  #renew(key: string, request: ReadRequest, began: number): void {
    if (this.#flights.has(key) || this.#closed) return;
    const flight = this.#begin(key, request);
    void flight.wait(began + renewalMs);
  }

  #begin(key: string, request: ReadRequest): Flight {
    const flight = new Flight(this.#ports.clock, async (flight) => {
      const landed = await this.#fly(flight, request);
      this.#keep(key, landed);
      return landed;
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

  /** The attempts, one after the other, as long as somebody waits. */
  async #fly(flight: Flight, request: ReadRequest): Promise<Landed> {
    const { clock, random } = this.#ports;
    const { attempts, timeoutMs } = this.#source;
    this.#allowance.earn();
    for (let count = 1; ; count++) {
      flight.attempts = count;
      const hedgeAfterMs = this.#hedgeAfterMs();
      const limits = {
        ...(timeoutMs !== undefined && { timeoutMs }),
        ...(hedgeAfterMs !== undefined && { hedgeAfterMs }),
        mayHedge: () => this.#allowance.spend(),
      };
      const tried = await attempt(
        (aborted, hedge) => this.#ask(flight, request, aborted, hedge),
        limits,
        clock,
        flight.aborted,
      );
      const landed = { tried, attempts: count, at: clock.monotonic() };
      if (settles(tried) || count === attempts || flight.aborted.aborted) return landed;
      const wish = tried.state === "fresh" ? 0 : (tried.notBeforeMs ?? 0);
      const waitMs = Math.max(pauseBefore(count + 1, random), wish);
      if (waitMs >= flight.remainingMs || !this.#allowance.spend()) return landed;
      await pause(waitMs, clock, flight.aborted);
      if (flight.aborted.aborted) return landed;
    }
  }

  async #ask(flight: Flight, request: ReadRequest, aborted: AbortSignal, hedge: boolean) {
    const { clock } = this.#ports;
    const { timeoutMs = Number.POSITIVE_INFINITY } = this.#source;
    const began = clock.monotonic();
    const { input, principal, span } = request;
    const remainingMs = Math.max(1, Math.floor(Math.min(flight.remainingMs, timeoutMs)));
    const question = { input, principal, span, aborted, remainingMs, deadline: began + remainingMs };
    this.health.requested(hedge);
    const tried = await ask(this.#source, this.#ports, question);
    // What nobody waited for says nothing about how long the source takes.
    if (!aborted.aborted && (tried.state === "fresh" || tried.state === "missing"))
      this.health.measured(rounded(clock.monotonic() - began));
    return tried;
  }

  #hedgeAfterMs(): number | undefined {
    const { hedge } = this.#source;
    return typeof hedge === "string" ? this.health.percentile(Number(hedge.slice(1)) / 100) : hedge;
  }

  get #keeps(): boolean {
    const { cacheForMs, staleIfErrorMs, staleWhileRevalidateMs } = this.#source;
    return cacheForMs + staleIfErrorMs + staleWhileRevalidateMs > 0;
  }

  #keep(key: string, { tried, at }: Landed): void {
    if (!this.#keeps) return;
    if (tried.state === "missing") this.#ports.cache.set(key, { at }, key.length);
    if (tried.state !== "fresh") return;
    const { value, asOf, bytes } = tried;
    this.#ports.cache.set(key, { found: { value, ...(asOf !== undefined && { asOf }) }, at }, key.length + bytes);
  }

  /** Equal questions share an answer. What another contract says may depend on who asks, so there the caller is part of it. */
  #keyOf({ input, principal }: ReadRequest): string {
    const { name, fetch } = this.#source;
    const given = fetch.params.map((param) => (typeof input[param] === "bigint" ? String(input[param]) : input[param]));
    return toCanonicalJson([name, given, fetch.via === "call" ? [principal.id, principal.scopes] : null]);
  }

  #sentence(problem: string): string {
    return `The source "${this.#source.name}" ${problem}.`;
  }
}

const rounded = (ms: number): number => Math.max(0, Math.round(ms * 10) / 10);
