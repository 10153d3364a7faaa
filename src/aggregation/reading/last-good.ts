import { type Clock, toProjection } from "../../contracts/index.ts";
import { check } from "../formats/decode.ts";
import { describe } from "../formats/describe.ts";
import { itemsOf } from "../page-items.ts";
import type { LastGood, LastGoodGone, LastGoodRecord } from "../port.ts";
import type { SourcePlan } from "../source.ts";
import type { Gathered } from "./pages.ts";
import { isPersonal } from "./samples.ts";

const flushAfterMs = 1_000;
const mostPending = 5_000;
/** Of one answer, in characters of JSON; a larger one is kept in memory only. */
const longest = 256 * 1_024;
/** Records that travel in one write, so that no other write waits for long. */
const bite = 100;

/**
 * Writes last good answers behind what it answers: bounded, and newest wins. What cannot be written costs nobody an
 * answer; it is counted and forgotten.
 */
export class LastGoodWriter {
  readonly #store: LastGood;
  readonly #clock: Clock;
  readonly #pending = new Map<string, LastGoodRecord | LastGoodGone>();
  #cancel: (() => void) | undefined;
  #writing: Promise<void> = Promise.resolve();
  /** Records that were not written or taken away: too many at once, or the store refused. */
  lost = 0;
  constructor(store: LastGood, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Keeps what was said, unless it is too large or is no JSON. Says whether it will be written. */
  keep(source: string, key: string, said: () => readonly unknown[], at: number, expires: number): boolean {
    let text: string;
    try {
      text = JSON.stringify(said());
    } catch {
      return false; // an adapter of somebody's own may bring what JSON cannot say
    }
    return text.length <= longest && this.#add({ source, key, said: text, at, expires });
  }

  /** Takes away what may have been kept, here or by an earlier process. Says whether it will be. */
  forget(source: string, key: string, at: number): boolean {
    return this.#add({ source, key, at });
  }

  /** Writes what waits, after whatever is being written. Never rejects. */
  flush(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  #add(entry: LastGoodRecord | LastGoodGone): boolean {
    const id = `${entry.source}\n${entry.key}`;
    if (this.#pending.size >= mostPending && !this.#pending.has(id)) {
      this.lost += 1;
      return false;
    }
    this.#pending.set(id, entry);
    this.#cancel ??= this.#clock.after(flushAfterMs, () => void this.flush());
    return true;
  }

  async #write(): Promise<void> {
    while (this.#pending.size > 0) {
      const entries = [...this.#pending].slice(0, bite);
      for (const [id] of entries) this.#pending.delete(id);
      const records = entries.flatMap(([, entry]) => ("said" in entry ? [entry] : []));
      const gone = entries.flatMap(([, entry]) => ("said" in entry ? [] : [entry]));
      if (records.length > 0) await this.#store.save(records).catch(() => this.#lose(records.length));
      if (gone.length > 0) await this.#store.remove(gone).catch(() => this.#lose(gone.length));
    }
  }

  #lose(count: number): void {
    this.lost += count;
  }
}

/** What is written of an answer: what its schema declares. An upstream may say more, and nobody has said what that is. */
export function toDeclared({ fetch }: SourcePlan): (said: readonly unknown[]) => readonly unknown[] {
  const project = toProjection(describe(fetch.schema));
  const isOfRecords = fetch.via === "http" && fetch.format !== "json";
  const declared = (page: unknown): unknown => project(page).value;
  return (said) => said.map((page) => (isOfRecords ? (page as readonly unknown[]).map(declared) : declared(page)));
}

/** Whether anything may be written of a source: not where its schema marks something as personal, or does not say. */
export function isTellable(source: SourcePlan): boolean {
  try {
    toDeclared(source);
  } catch {
    return false; // a schema that refers outside itself is described, and cannot be followed
  }
  return Object.keys(describe(source.fetch.schema)).length > 0 && !isPersonal(source.fetch.schema);
}

/** Reads again what was kept, with the schema of today: an answer that no longer fits it is as good as none. */
export async function restore(source: SourcePlan, text: string): Promise<Gathered | undefined> {
  const { fetch } = source;
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(said)) return undefined;
  const paging = fetch.via === "http" ? fetch.paging : undefined;
  const values: unknown[] = [];
  for (const page of said) {
    try {
      const checked = await check(fetch, page, source.batch !== undefined);
      if (checked.state !== "fresh" || checked.broken.length > 0) return undefined;
      values.push(checked.value);
    } catch {
      return undefined; // the schema of today throws at it
    }
  }
  const bytes = text.length;
  if (!paging) return { value: values[0], said, broken: [], bytes };
  return {
    value: values.flatMap((value) => itemsOf(paging, value) ?? []),
    said,
    broken: [],
    bytes,
    pages: said.length,
  };
}
