import type { Expected, NewEvent, Outcome } from "../../storage/host.ts";
import { toBigintArray, toBooleanArray, toIntegerArray, toTextArray, toUuidArray } from "./binary-array.ts";
import { toWaves } from "./document-writes.ts";
import { type NewRow, toRows } from "./event-rows.ts";
import type { Call, Statements } from "./lane.ts";
import { noReaders, type Prepared } from "./prepared.ts";
import type { Value } from "./short-query.ts";
import { appendArguments, failures } from "./sql/append.ts";
import { aloneArguments } from "./sql/append-alone.ts";
import { toText } from "./text.ts";

/** What a call says beside its appends. */
export interface Asking {
  readonly call: string;
  readonly again: boolean;
  readonly forget: readonly string[] | null;
  readonly now: number;
  /** What was known of the log when it was asked for the first time. */
  readonly seen: { readonly epoch: number; readonly position: number } | undefined;
}
export interface Answer {
  readonly epoch: number;
  /** Whether the database remembers the call. */
  readonly noted: boolean;
  /** How long the server was at it, without waiting for its turn at the log before or for the disk after. */
  readonly workedMs: number | undefined;
  /** One an append; `again` where its receipt was there, which has still to be fetched. */
  readonly outcomes: readonly (Outcome | "again")[];
}

interface Expectation {
  readonly append: number;
  readonly stream: string;
  readonly revision: Expected;
  /** The append of the stream's last event, where it is known. */
  readonly event: string | undefined;
}

/** The statements of `Group`. */
export function appendStatements(schema: string): Statements {
  const call = (name: string, of: readonly unknown[]): string =>
    `select ${schema}.${name}(${of.map((_, index) => `$${index + 1}`).join(", ")}) as reply`;
  return { append: call("append_v4", appendArguments), append_alone: call("append_alone_v3", aloneArguments) };
}

/** What a group names, each by its place. */
interface Named {
  readonly streams: readonly string[];
  readonly placeOf: ReadonlyMap<string, number>;
  readonly expectations: readonly Expectation[];
}

/** Appends that travel in one call: as arguments, and the answer as outcomes. */
export class Group {
  readonly #appends: readonly Prepared[];
  #names: Named | undefined;
  constructor(appends: readonly Prepared[]) {
    this.#appends = appends;
  }

  /** Worked out where it is asked for: a lone append needs none of it. */
  get #named(): Named {
    this.#names ??= toNamed(this.#appends);
    return this.#names;
  }

  get log(): string {
    return (this.#appends[0] as Prepared).log; // a group has at least one
  }

  /** As it is asked for. What is beside the append itself is left to the statement that takes everything. */
  toCall(asking: Asking): Call {
    const values = asking.again || asking.forget ? undefined : this.#alone(asking);
    if (values) return { statement: "append_alone", values };
    return { statement: "append", values: this.#values(asking) };
  }

  /** The arguments in the order of `aloneArguments`, where this is one append of one event and nothing else. */
  #alone({ call, now, seen }: Asking): readonly Value[] | undefined {
    const [{ append, readers, writes, refused }, another] = this.#appends as readonly [Prepared, ...Prepared[]]; // at least one
    const [event, more] = append.events;
    if (another || !event || more || (event.spans ?? 1) !== 1) return undefined;
    if (append.receipt || readers !== noReaders || writes.length > 0 || refused !== undefined) return undefined;
    const [expectation, ...others] = append.expect.filter(({ revision }) => revision !== "any");
    if (others.length > 0) return undefined;
    if (expectation && expectation.stream !== event.stream) return undefined;
    return [
      this.log,
      call,
      `${Math.floor(now)}`,
      `${seen?.epoch ?? 0}`,
      `${seen?.position ?? 0}`,
      append.id,
      toText(event.stream),
      expectation ? `${toRevision(expectation.revision)}` : null,
      toAppendId(expectation?.event) ?? null,
      toText(event.type),
      `${event.version}`,
      event.data,
      event.meta ?? null,
    ];
  }

  /** The arguments, in the order of `appendArguments`. */
  #values({ call, again, forget, now, seen }: Asking): readonly Value[] {
    const { written, events } = this.#events();
    return [
      this.log,
      call,
      `${again}`,
      forget && toUuidArray(forget),
      `${Math.floor(now)}`,
      `${seen?.epoch ?? 0}`,
      `${seen?.position ?? 0}`,
      toUuidArray(this.#appends.map(({ append }) => append.id)),
      this.#named.streams.length > 0 ? toTextArray(this.#named.streams.map(toText)) : null,
      written,
      ...this.#expected(),
      ...events,
      ...this.#receipts(),
      this.#readers(),
      this.#refused(),
      ...this.#writes(),
    ];
  }

  /** What the function said. */
  toAnswer(reply: string): Answer {
    const [epoch, head, at, before, failed, noted = 1, worked] = JSON.parse(reply) as [
      number,
      number,
      number,
      number[],
      [append: number, why: number, which: number, actual: number][],
      noted?: number,
      workedMs?: number,
    ];
    const told = { epoch, noted: noted !== 0, workedMs: worked };
    if (failed.length === 0 && this.#appends.length === 1) {
      const { events } = (this.#appends[0] as Prepared).append; // there is one
      const [event, more] = events;
      if (event && !more && before.length === 1) {
        const { stream, spans = 1 } = event;
        const reached = { [stream]: (before[0] ?? -1) + spans };
        const outcome: Outcome = { ok: true, first: head + 1, last: head + 1, at, revisions: reached };
        return { ...told, outcomes: [outcome] };
      }
    }
    const why = new Map(failed.map((failure) => [failure[0], failure]));
    const revisions = [...before];
    let position = head;
    const outcomes = this.#appends.map((prepared, index): Outcome | "again" => {
      const failure = why.get(index + 1);
      if (failure) return this.#failure(prepared, failure);
      const reached: Record<string, number> = {};
      for (const { stream, spans = 1 } of prepared.append.events) {
        const place = this.#place(stream) - 1;
        revisions[place] = reached[stream] = (revisions[place] ?? -1) + spans;
      }
      const count = prepared.append.events.length;
      const first = count > 0 ? position + 1 : position;
      position += count;
      return { ok: true, first, last: position, at, revisions: reached };
    });
    return { ...told, outcomes };
  }

  #failure({ append, readers, refused = "" }: Prepared, [, why, which, actual]: readonly number[]): Outcome | "again" {
    const { key = "" } = append.receipt ?? {};
    if (why === failures.again) return "again";
    if (why === failures.voided) return { ok: false, why: "voided", key };
    if (why === failures.keyReused) return { ok: false, why: "key reused", key };
    if (why === failures.refused) return { ok: false, why: "refused", message: refused };
    if (why === failures.behind)
      return { ok: false, why: "behind", reader: append.readers?.[(which ?? 1) - 1] ?? readers };
    const { stream, revision } = this.#named.expectations[(which ?? 1) - 1] as Expectation; // the function counts these
    return { ok: false, why: "conflict", stream, expected: revision, actual: actual ?? -1 };
  }

  #expected(): readonly Value[] {
    const { expectations } = this.#named;
    if (expectations.length === 0) return Array(4).fill(null);
    return [
      toIntegerArray(expectations.map(({ append }) => append)),
      toIntegerArray(expectations.map(({ stream }) => this.#place(stream))),
      toBigintArray(expectations.map(({ revision }) => toRevision(revision))),
      expectations.some(({ event }) => event) ? toUuidArray(expectations.map(({ event }) => toAppendId(event))) : null,
    ];
  }

  #events(): { readonly written: Buffer | null; readonly events: readonly Value[] } {
    const rows = toRows(this.#appends.map(({ append }) => append.events));
    if (rows.length === 0) return { written: null, events: Array(13).fill(null) };
    const written: boolean[] = this.#named.streams.map(() => false);
    const ranks = this.#named.streams.map(() => 0);
    const types = new Map<string, { readonly place: number; readonly type: string; readonly version: number }>();
    const toType = ({ type, version }: NewEvent): number => {
      const name = `${version} ${type}`;
      const known = types.get(name) ?? { place: types.size + 1, type, version };
      types.set(name, known);
      return known.place;
    };
    const rank: number[] = [];
    const place: number[] = [];
    const streamOf: number[] = [];
    const typeOf: number[] = [];
    const typesOf: (string | null)[] = [];
    for (const { last, holds, mixed } of rows) {
      const stream = this.#place(last.stream);
      written[stream - 1] = true;
      ranks[stream - 1] = (ranks[stream - 1] ?? 0) + toSpan({ last, holds });
      streamOf.push(stream);
      rank.push(ranks[stream - 1] as number); // just set
      place.push((place.at(-1) ?? 0) + holds);
      typesOf.push(mixed ? `{${mixed.map(toType)}}` : null);
      typeOf.push(toType(last));
    }
    const named = [...types.values()];
    const meta = rows.some(({ last }) => last.meta !== undefined);
    const spans = rows.some(({ last }) => last.spans !== undefined && last.spans !== 1);
    const held = rows.some(({ holds }) => holds > 1);
    const given = [
      toTextArray(named.map(({ type }) => toText(type))),
      toIntegerArray(named.map(({ version }) => version)),
      toIntegerArray(rows.map(({ append }) => append + 1)),
      toIntegerArray(streamOf),
      toIntegerArray(rank),
      spans ? toIntegerArray(rows.map(({ last, holds }) => (holds > 1 ? null : (last.spans ?? 1)))) : null,
      toIntegerArray(rows.map(({ ix }) => ix)),
      held ? toIntegerArray(rows.map(({ holds }) => (holds > 1 ? holds : null))) : null,
      held ? toIntegerArray(place) : null,
      toIntegerArray(typeOf),
      typesOf.some((types) => types !== null) ? toTextArray(typesOf) : null,
      toTextArray(rows.map(({ data }) => data)),
      meta ? toTextArray(rows.map(({ last }) => last.meta)) : null,
    ];
    return { written: toBooleanArray(written), events: given };
  }

  #receipts(): readonly Value[] {
    const receipts = this.#appends.flatMap(({ append: { receipt } }, index) =>
      receipt ? [{ ...receipt, append: index + 1 }] : [],
    );
    if (receipts.length === 0) return Array(6).fill(null);
    return [
      toIntegerArray(receipts.map(({ append }) => append)),
      toTextArray(receipts.map(({ key }) => toText(key))),
      toTextArray(receipts.map(({ digest }) => toText(digest))),
      toTextArray(receipts.map(({ result }) => (result === undefined ? null : toText(result)))),
      toBooleanArray(receipts.map(({ voided = false }) => voided)),
      toBigintArray(receipts.map(({ expires }) => (expires === undefined ? null : Math.floor(expires)))),
    ];
  }

  #readers(): Buffer | null {
    const names = JSON.parse((this.#appends[0] as Prepared).readers) as readonly string[]; // of all of them, as they are grouped
    return names.length > 0 ? toTextArray(names) : null;
  }

  #refused(): Buffer | null {
    const refused = this.#appends.flatMap(({ refused }, index) => (refused === undefined ? [] : [index + 1]));
    return refused.length > 0 ? toIntegerArray(refused) : null;
  }

  #writes(): readonly Value[] {
    const writes = this.#appends.flatMap(({ writes }, index) =>
      writes.map((write) => ({ ...write, append: index + 1 })),
    );
    if (writes.length === 0) return Array(8).fill(null);
    return [
      toIntegerArray(writes.map(({ append }) => append)),
      toIntegerArray(toWaves(writes)),
      toIntegerArray(writes.map(({ collection }) => collection)),
      toIntegerArray(writes.map(({ kind }) => kind)),
      toTextArray(writes.map(({ key }) => key)),
      toIntegerArray(writes.map(({ times }) => times)),
      toTextArray(writes.map(({ data }) => data)),
      toTextArray(writes.map(({ extra }) => extra)),
    ];
  }

  #place(stream: string): number {
    return this.#named.placeOf.get(stream) as number; // each was counted at the beginning
  }
}

function toNamed(appends: readonly Prepared[]): Named {
  const expectations: Expectation[] = [];
  const placeOf = new Map<string, number>();
  for (const [index, { append }] of appends.entries()) {
    for (const { stream, revision, event } of append.expect) {
      if (revision === "any") continue;
      expectations.push({ append: index + 1, stream, revision, event });
      if (!placeOf.has(stream)) placeOf.set(stream, placeOf.size + 1);
    }
    for (const { stream } of append.events) if (!placeOf.has(stream)) placeOf.set(stream, placeOf.size + 1);
  }
  return { streams: [...placeOf.keys()], placeOf, expectations };
}

/** How many revisions a row takes. */
const toSpan = ({ last, holds }: Pick<NewRow, "last" | "holds">): number => (holds > 1 ? holds : (last.spans ?? 1));

/** An event's id is its append's, a slash and its index. */
const toAppendId = (event: string | undefined): string | undefined => event?.slice(0, event.indexOf("/"));

/** As the function reads them: below 0 there is no stream, and -2 says that there is one. */
function toRevision(expected: Expected): number {
  if (expected === "none") return -1;
  return expected === "exists" ? -2 : (expected as number); // "any" was left out
}
