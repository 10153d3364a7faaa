import type { StoredEvent } from "../../storage/host.ts";
import type { Packed } from "./packed.ts";

/** A page on its way from the scanner: flat, for the reason that appends are. */
export function packEvents(events: readonly StoredEvent[]): Packed {
  const packed: (string | number | null)[] = [];
  for (const { id, stream, revision, position, type, version, at, data, meta = null } of events)
    packed.push(id, stream, revision, position, type, version, at, data, meta);
  return packed;
}

const fields = 9;

export function unpackEvents(packed: Packed): readonly StoredEvent[] {
  const events: StoredEvent[] = [];
  for (let from = 0; from < packed.length; from += fields) {
    const text = (field: number): string => packed[from + field] as string; // in the order in which they were packed
    const number = (field: number): number => packed[from + field] as number;
    const event = {
      id: text(0),
      stream: text(1),
      revision: number(2),
      position: number(3),
      type: text(4),
      version: number(5),
      at: number(6),
      data: text(7),
    };
    events.push(packed[from + 8] === null ? event : { ...event, meta: text(8) });
  }
  return events;
}
