import type { NewEvent, StoredEvent } from "../../storage/host.ts";
import { between, mostHeld } from "./sql/event-rows.ts";
import { fromText } from "./text.ts";

/** Past it PostgreSQL keeps what is in a row apart from it. In characters: one that takes several bytes is kept apart sooner. */
const mostLength = 1_800;

/** Where events have several types, what these cost in a row is worth it only for more. */
const fewestMixed = 4;

/** Events as they are written: one, or several that differ in nothing but type and data. */
export interface NewRow {
  /** The append that they are of, counted from 0, and the place of the last among its events. */
  readonly append: number;
  readonly ix: number;
  readonly last: NewEvent;
  readonly holds: number;
  readonly data: string;
  /** Every event, where they have several types. */
  readonly mixed: readonly NewEvent[] | undefined;
}
/** A row as it is read: what differs along it (position, revision, `ix`) is that of its last event. */
export interface EventRow {
  readonly [column: string]: unknown;
  readonly position: number;
  readonly stream: string;
  readonly revision: number;
  readonly at: number;
  readonly append: string;
  readonly ix: number;
  readonly type: string;
  readonly version: number;
  readonly data: string;
  readonly meta: string | null;
  /** Of several events that share it: the numbers of their types, or none where that is one. */
  readonly held: readonly number[] | null;
}
export interface Kind {
  readonly type: string;
  readonly version: number;
}

/** The rows for the events of some appends, in their order. */
export function toRows(appends: readonly (readonly NewEvent[])[]): readonly NewRow[] {
  const rows: NewRow[] = [];
  for (const [append, events] of appends.entries()) {
    for (let from = 0; from < events.length; ) {
      const end = endOf(events, from);
      const held = events.slice(from, end);
      const last = held.at(-1) as NewEvent; // a row has at least one
      const mixed = held.every((event) => isOfType(event, last)) ? undefined : held;
      rows.push({ append, ix: end - 1, last, holds: held.length, data: toData(held), mixed });
      from = end;
    }
  }
  return rows;
}

/** The last event of a row, or one that is so far before it. */
export function toEvent(row: EventRow, data: string = row.data, back = 0, kind?: Kind): StoredEvent {
  const { append, at, meta } = row;
  const event = {
    id: `${append}/${row.ix - back}`,
    stream: fromText(row.stream),
    revision: row.revision - back,
    position: row.position - back,
    type: kind?.type ?? fromText(row.type),
    version: kind?.version ?? row.version,
    at,
    data,
  };
  return meta === null ? event : { ...event, meta };
}

/** The events of a row, in their order. `kinds` has the types by their numbers. */
export function toEvents(row: EventRow, kinds: ReadonlyMap<number, Kind>): readonly StoredEvent[] {
  const { held } = row;
  if (held === null) return [toEvent(row)];
  const all = row.data.split(between);
  const last = all.length - 1;
  return all.map((data, index) => toEvent(row, data, last - index, kinds.get(held[index] ?? 0)));
}

/** Where a row ends that begins with an event. */
function endOf(events: readonly NewEvent[], from: number): number {
  const first = events[from] as NewEvent; // it is below the length
  if (!isSharing(first)) return from + 1;
  const most = Math.min(events.length, from + mostHeld);
  let length = first.data.length + (first.meta?.length ?? 0);
  let alike = 1;
  let end = from + 1;
  for (; end < most; end++) {
    const event = events[end] as NewEvent; // it is below the length
    length += event.data.length;
    if (length > mostLength || event.stream !== first.stream || event.meta !== first.meta || !isSharing(event)) break;
    if (alike === end - from && isOfType(event, first)) alike++;
  }
  return end - from >= fewestMixed ? end : from + alike;
}

const isOfType = (event: NewEvent, { type, version }: NewEvent): boolean =>
  event.type === type && event.version === version;

const isSharing = ({ spans = 1, data }: NewEvent): boolean => spans === 1 && !data.includes(between);

function toData(events: readonly NewEvent[]): string {
  return events.map(({ data }) => data).join(between);
}
