import type { Clock } from "../../contracts/index.ts";
import type { LastGood } from "../port.ts";
import type { SourcePlan } from "../source.ts";
import type { Cache, Kept } from "./cache.ts";
import { type LastGoodWriter, restore, toDeclared } from "./last-good.ts";
import { type Found, toPick } from "./pick.ts";
import type { Landed } from "./tried.ts";

/** Where answers are kept. */
export interface KeeperPorts {
  readonly clock: Clock;
  readonly cache: Cache;
  /** Where last good answers outlive the process; missing where this source's must not. */
  readonly lastGood?: { readonly store: LastGood; readonly writer: LastGoodWriter };
}

/** A last good answer is written again after this share of the time that it may stand in, or a minute. */
const rewriteShare = 0.1;
const rewriteMs = 60_000;

/** What one source has said, for as long as its options say: in memory, and behind that where it outlives the process. */
export class Keeper {
  readonly #source: SourcePlan;
  readonly #ports: KeeperPorts;
  readonly #keeps: boolean;
  readonly #declared: ReturnType<typeof toDeclared> | undefined;
  constructor(source: SourcePlan, ports: KeeperPorts) {
    const { cacheForMs, staleIfErrorMs, staleWhileRevalidateMs } = source;
    this.#source = source;
    this.#ports = ports;
    this.#keeps = cacheForMs + staleIfErrorMs + staleWhileRevalidateMs > 0;
    this.#declared = ports.lastGood && toDeclared(source);
  }

  get(key: string): Kept | undefined {
    return this.#keeps ? this.#ports.cache.get(key) : undefined;
  }

  keep(key: string, { tried, at }: Landed<Found>): void {
    if (!this.#keeps) return;
    const { cache } = this.#ports;
    if (tried.state === "missing") {
      const writtenAt = this.#forget(key, at);
      cache.set(key, { at, ...(writtenAt !== undefined && { writtenAt }) }, key.length);
    }
    if (tried.state !== "fresh") return;
    const { value, asOf, bytes, incomplete } = tried.value;
    const { fetch } = this.#source;
    // What broke off half-way is handed on, but is no answer to come back to.
    if (incomplete !== undefined && fetch.via === "http" && fetch.paging?.partial) return;
    const writtenAt = this.#write(key, tried.value, at);
    const found = { value, ...(asOf !== undefined && { asOf }), ...(incomplete !== undefined && { incomplete }) };
    cache.set(key, { found, at, ...(writtenAt !== undefined && { writtenAt }) }, key.length + bytes);
  }

  /** Brings what an earlier process kept into the cache, with its true age. Never rejects; nothing where nothing is kept. */
  recall(key: string, input: { readonly [field: string]: unknown }): Promise<void> | undefined {
    const { lastGood } = this.#ports;
    return lastGood && this.#recall(lastGood, key, input);
  }

  async #recall(
    lastGood: NonNullable<KeeperPorts["lastGood"]>,
    key: string,
    input: { readonly [field: string]: unknown },
  ): Promise<void> {
    const { cache, clock } = this.#ports;
    const { name, fetch, staleIfErrorMs } = this.#source;
    try {
      const record = await lastGood.store.load(name, key);
      const ageMs = record && Math.max(0, clock.now() - record.at);
      if (!record || ageMs === undefined || ageMs >= staleIfErrorMs) return;
      const gathered = await restore(this.#source, record.said);
      const found = gathered && toPick(this.#source, gathered)(input[fetch.params[0] ?? ""]);
      // Whoever asked meanwhile may have got an answer, and that is newer.
      if (found?.state !== "fresh" || cache.peek(key)) return;
      const { value, asOf, bytes } = found.value;
      const at = clock.monotonic() - ageMs;
      cache.set(key, { found: { value, ...(asOf !== undefined && { asOf }) }, at, writtenAt: at }, key.length + bytes);
    } catch {
      // A store that cannot be read says so to whoever operates it; this answer does without.
    }
  }

  /** What is gone must not come back with the next process. Once: while it stays gone, nothing is written that could. */
  #forget(key: string, at: number): number | undefined {
    const { cache, clock, lastGood } = this.#ports;
    const kept = cache.peek(key);
    if (!lastGood || (kept && !kept.found && kept.writtenAt !== undefined)) return kept?.writtenAt;
    return lastGood.writer.forget(this.#source.name, key, clock.now()) ? at : undefined;
  }

  /** When it was last written, counting this time. A busy source would otherwise write the same answer all the time. */
  #write(key: string, { said, incomplete }: Found, at: number): number | undefined {
    const { cache, clock, lastGood } = this.#ports;
    const { name, staleIfErrorMs } = this.#source;
    const before = cache.peek(key);
    const writtenAt = before?.found && before.writtenAt; // that it was gone is no answer that was written
    const isRecent = writtenAt !== undefined && at - writtenAt < Math.min(rewriteMs, staleIfErrorMs * rewriteShare);
    if (!lastGood || incomplete !== undefined || isRecent) return writtenAt;
    const now = clock.now();
    const declared = (): readonly unknown[] => this.#declared?.(said()) ?? [];
    return lastGood.writer.keep(name, key, declared, now, now + staleIfErrorMs) ? at : writtenAt;
  }
}
