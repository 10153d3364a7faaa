import type { Append, Expected, NewReceipt, Outcome, ReadQuery, Receipt, StoredEvent } from "../../storage/host.ts";

/** One log: what was appended, what is known of keys, and how far readers have come. It never leaves its first epoch. */
export class MemoryLog {
  readonly epoch: number = 1;
  readonly readers: Map<string, number> = new Map();
  readonly #events: StoredEvent[] = [];
  readonly #receipts = new Map<string, NewReceipt>();
  readonly #revisions = new Map<string, number>();
  readonly #lasts = new Map<string, string>();
  #at = 0;

  get head(): number {
    return this.#events.length;
  }

  revision(stream: string): number {
    return this.#revisions.get(stream) ?? -1;
  }

  checkpoint(reader: string): number {
    return this.readers.get(reader) ?? 0;
  }

  receipt(key: string): Receipt | undefined {
    const known = this.#receipts.get(key);
    return known && toReceipt(known);
  }

  /** Why an append is not done, or with what it was done before; nothing where it may go on. */
  check({ receipt, expect, readers = [] }: Append): Outcome | undefined {
    const known = receipt && this.#receipts.get(receipt.key);
    if (receipt && known) {
      if (receipt.voided) return { ok: true, again: toReceipt(known) };
      if (known.voided) return { ok: false, why: "voided", key: receipt.key };
      if (known.digest !== receipt.digest) return { ok: false, why: "key reused", key: receipt.key };
      return { ok: true, again: toReceipt(known) };
    }
    for (const { stream, revision: expected, event } of expect) {
      const actual = this.revision(stream);
      const isOther = event !== undefined && actual === expected && this.#lasts.get(stream) !== event;
      if (isOther || !meets(actual, expected)) return { ok: false, why: "conflict", stream, expected, actual };
    }
    const behind = readers.find((reader) => this.checkpoint(reader) < this.head);
    if (behind !== undefined) return { ok: false, why: "behind", reader: behind };
    return undefined;
  }

  write({ id, events, receipt, readers = [] }: Append, now: number): Outcome {
    const at = Math.max(this.#at, now);
    const revisions: { [stream: string]: number } = Object.create(null);
    for (const [index, { stream, spans = 1, ...event }] of events.entries()) {
      const revision = this.revision(stream) + spans;
      const position = this.head + 1;
      this.#events.push({ id: `${id}/${index}`, stream, revision, position, at, ...event });
      this.#revisions.set(stream, revision);
      this.#lasts.set(stream, `${id}/${index}`);
      revisions[stream] = revision;
    }
    if (events.length > 0) {
      this.#at = at;
      for (const reader of readers) this.readers.set(reader, this.head);
    }
    if (receipt) this.#receipts.set(receipt.key, receipt);
    const first = events.length > 0 ? this.head - events.length + 1 : this.head;
    return { ok: true, first, last: this.head, at, revisions: { ...revisions } };
  }

  read(query: ReadQuery): readonly StoredEvent[] {
    const { limit, untilPosition = Number.POSITIVE_INFINITY, untilAt = Number.POSITIVE_INFINITY } = query;
    const until = this.#events.filter(({ position, at }) => position <= untilPosition && at <= untilAt);
    return until
      .filter((event) => isWanted(event, query))
      .sort((a, b) => ("stream" in query && query.backwards ? b.position - a.position : a.position - b.position))
      .slice(0, Math.max(0, limit))
      .map((event) => ({ ...event }));
  }

  types(): readonly { readonly type: string; readonly version: number }[] {
    const known = new Map(
      this.#events.map(({ type, version }) => [JSON.stringify([type, version]), { type, version }]),
    );
    return [...known.values()];
  }

  sweep(now: number, limit: number): number {
    const expired = [...this.#receipts.values()].filter(
      ({ voided, expires }) => !voided && expires !== undefined && expires <= now,
    );
    const swept = expired.slice(0, limit);
    for (const { key } of swept) this.#receipts.delete(key);
    return swept.length;
  }
}

const toReceipt = ({ key, digest, result, voided = false }: NewReceipt): Receipt => ({
  key,
  digest,
  voided,
  ...(result !== undefined && { result }),
});

function isWanted({ stream, revision, position, type }: StoredEvent, query: ReadQuery): boolean {
  if ("stream" in query)
    return stream === query.stream && (query.backwards ? revision <= query.from : revision >= query.from);
  const category = stream.slice(0, stream.indexOf("/"));
  const { after, types, categories, streams } = query;
  return (
    position > after &&
    (types?.includes(type) ?? true) &&
    (categories?.includes(category) ?? true) &&
    (streams?.includes(stream) ?? true)
  );
}

export function meets(actual: number, expected: Expected): boolean {
  if (expected === "any") return true;
  if (expected === "none") return actual === -1;
  if (expected === "exists") return actual >= 0;
  return actual === expected;
}
