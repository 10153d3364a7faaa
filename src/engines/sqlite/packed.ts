import type { Append, Expected, Outcome, Write } from "../../storage/host.ts";
import type { AppendMessage, Command, EventMessage, ReceiptMessage, WriteMessage } from "./messages.ts";

/**
 * Appends and their outcomes as they travel between the threads: flat arrays of text and numbers. As graphs of objects each
 * append cost the two threads 3.1 µs to clone, there and back; flat it costs 0.5, and inserting the event costs 3.
 */
export type Packed = readonly (string | number | null)[];

export const isPacked = (message: object): message is Packed => Array.isArray(message);

/** A group for one log. What it holds is fixed from here on, whatever the caller does with the original. */
export function pack(log: string, group: readonly Append[]): Packed {
  const packed: (string | number | null)[] = [log, group.length];
  for (const { id, expect, events, documents, receipt, readers } of group) {
    packed.push(id, expect.length, events.length, documents?.length ?? 0, receipt ? 1 : 0, readers?.length ?? 0);
    for (const { stream, revision } of expect) packed.push(stream, revision);
    for (const { stream, type, version, data, meta, spans } of events) {
      // Caught here, for a message that cannot be copied to the writer's thread takes its whole batch with it.
      if (typeof data !== "string" || (meta !== undefined && typeof meta !== "string"))
        throw new TypeError(`The event ${type} of the append ${id} is not JSON text.`);
      packed.push(stream, type, version, data, meta ?? null, spans ?? 1);
    }
    for (const write of documents ?? []) pushWrite(packed, write);
    if (receipt) {
      const { key, digest, result = null, expires = null, voided = false } = receipt;
      packed.push(key, digest, voided ? 1 : 0, result, expires);
    }
    if (readers) packed.push(...readers);
  }
  return packed;
}

/** Documents travel as JSON text: what cannot be written fails in the caller's own hands. */
export function packWrites(writes: readonly Write[]): Packed {
  const packed: (string | number)[] = [writes.length];
  for (const write of writes) pushWrite(packed, write);
  return packed;
}

function pushWrite(packed: (string | number | null)[], write: Write): void {
  const { collection } = write;
  if ("put" in write) packed.push("put", collection, write.put, JSON.stringify(write.data));
  else if ("patch" in write) packed.push("patch", collection, write.patch, JSON.stringify(write.data));
  else if ("remove" in write) packed.push("remove", collection, write.remove);
  else {
    const { increment: key, by, initial } = write;
    packed.push("increment", collection, key, JSON.stringify(by), JSON.stringify(initial));
  }
}

/** How many characters a command holds: about what it takes in memory while it waits. */
export function sizeOf(command: Command): number {
  const packed = isPacked(command) ? command : command.kind === "commit" ? command.writes : [];
  let size = 0;
  for (const value of packed) if (typeof value === "string") size += value.length;
  return size;
}

/** The log, and the group. */
export function unpack(packed: Packed): { readonly log: string; readonly group: readonly AppendMessage[] } {
  const reading = new Reading(packed);
  const log = reading.text();
  const group: AppendMessage[] = [];
  for (let left = reading.number(); left > 0; left--) group.push(reading.append());
  return { log, group };
}

export const unpackWrites = (packed: Packed): readonly WriteMessage[] => new Reading(packed).writes();

/** Reads in the order in which `pack` wrote, so that each value has the type that it is taken for. */
class Reading {
  readonly #packed: Packed;
  #next = 0;
  constructor(packed: Packed) {
    this.#packed = packed;
  }

  text(): string {
    return this.#packed[this.#next++] as string;
  }

  number(): number {
    return this.#packed[this.#next++] as number;
  }

  append(): AppendMessage {
    const id = this.text();
    const [expected, written, kept, receipts, moved] = [
      this.number(),
      this.number(),
      this.number(),
      this.number(),
      this.number(),
    ];
    const expect: AppendMessage["expect"][number][] = [];
    for (let left = expected; left > 0; left--)
      expect.push({ stream: this.text(), revision: this.#value() as Expected });
    const events: EventMessage[] = [];
    for (let left = written; left > 0; left--) {
      const [stream, type, version, data] = [this.text(), this.text(), this.number(), this.text()];
      events.push({ stream, type, version, data, meta: this.#value() as string | null, spans: this.number() });
    }
    const documents = this.writes(kept);
    const receipt = receipts > 0 ? this.#receipt() : undefined;
    const readers: string[] = [];
    for (let left = moved; left > 0; left--) readers.push(this.text());
    return { id, expect, events, documents, receipt, readers };
  }

  writes(count: number = this.number()): readonly WriteMessage[] {
    const writes: WriteMessage[] = [];
    for (let left = count; left > 0; left--) writes.push(this.#write());
    return writes;
  }

  #write(): WriteMessage {
    const [kind, collection, key] = [this.text() as WriteMessage["kind"], this.text(), this.text()];
    if (kind === "remove") return { kind, collection, key };
    if (kind === "increment") return { kind, collection, key, by: this.text(), initial: this.text() };
    return { kind, collection, key, data: this.text() };
  }

  #receipt(): ReceiptMessage {
    const [key, digest, voided] = [this.text(), this.text(), this.number() === 1];
    return { key, digest, voided, result: this.#value() as string | null, expires: this.#value() as number | null };
  }

  #value(): string | number | null {
    return this.#packed[this.#next++] as string | number | null;
  }
}

/** Whether it was written, or why not: the first number of a packed outcome. */
const ways = { ok: 0, again: 1, conflict: 2, behind: 3, voided: 4, "key reused": 5, refused: 6 } as const;

/** `revisions` are those of the append's events, in their order. */
export function packOk(first: number, last: number, at: number, revisions: readonly number[]): Packed {
  return [ways.ok, first, last, at, ...revisions];
}

export type Unwritten = Exclude<Outcome, { readonly last: number }>;
export function packOther(outcome: Unwritten): Packed {
  if (outcome.ok) {
    const { key, digest, voided, result = null } = outcome.again;
    return [ways.again, key, digest, voided ? 1 : 0, result];
  }
  switch (outcome.why) {
    case "conflict":
      return [ways.conflict, outcome.stream, outcome.expected, outcome.actual];
    case "behind":
      return [ways.behind, outcome.reader];
    case "refused":
      return [ways.refused, outcome.message];
    default:
      return [ways[outcome.why], outcome.key];
  }
}

/** The outcomes of a group, one behind the other; `streams` are those of its appends' events, in their order. */
export function unpackOutcomes(packed: Packed, streams: readonly (readonly string[])[]): readonly Outcome[] {
  let next = 0;
  const value = (): string | number | null => packed[next++] as string | number | null;
  const text = (): string => value() as string; // as they were packed, here and below
  const number = (): number => value() as number;
  return streams.map((written): Outcome => {
    const way = number();
    switch (way) {
      case ways.ok: {
        const [first, last, at] = [number(), number(), number()];
        // Without a prototype it is a dictionary from the start: otherwise each stream's name is a new shape of object.
        const revisions: Record<string, number> = Object.create(null);
        for (const stream of written) revisions[stream] = number();
        return { ok: true, first, last, at, revisions };
      }
      case ways.again: {
        const receipt = { key: text(), digest: text(), voided: number() === 1 };
        const result = value();
        return { ok: true, again: result === null ? receipt : { ...receipt, result: result as string } };
      }
      case ways.conflict:
        return { ok: false, why: "conflict", stream: text(), expected: value() as Expected, actual: number() };
      case ways.behind:
        return { ok: false, why: "behind", reader: text() };
      case ways.voided:
        return { ok: false, why: "voided", key: text() };
      case ways["key reused"]:
        return { ok: false, why: "key reused", key: text() };
      default:
        return { ok: false, why: "refused", message: text() };
    }
  });
}
