import type { Append } from "../../storage/host.ts";
import { Refused } from "../../storage/refused.ts";
import type { KnownCollection } from "./collections.ts";
import { type DocumentWrite, toDocumentWrites } from "./document-writes.ts";
import { toText } from "./text.ts";

/** An append as it waits for its group: what it holds is fixed, whatever the caller does with the original. */
export interface Prepared {
  readonly log: string;
  readonly append: Append;
  readonly writes: readonly DocumentWrite[];
  /** Why its documents cannot be, which counts only where nothing else is in its way. */
  readonly refused: string | undefined;
  /** What no other append of its group may touch, and what others may touch that expect nothing of it either. */
  readonly alone: readonly string[];
  readonly shared: readonly string[];
  /** Appends of one group move the same readers. */
  readonly readers: string;
  /** About how many bytes it takes on its way. */
  readonly size: number;
}

/** As `readers` says that there are none. */
export const noReaders = "[]";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Throws a TypeError for what is no append. */
export function prepare(
  log: string,
  append: Append,
  known: (collection: string) => KnownCollection | undefined,
): Prepared {
  const { id, expect, events, documents = [], receipt, readers = [] } = append;
  if (!uuid.test(id)) throw new TypeError(`The append's id "${id}" is not a UUID.`);
  let size = 0;
  for (const { type, data, meta } of events) {
    if (!isText(data) || (meta !== undefined && !isText(meta)))
      throw new TypeError(`The event ${type} of the append ${id} is not JSON text.`);
    size += data.length + (meta?.length ?? 0) + 64;
  }
  let writes: readonly DocumentWrite[] = [];
  let refused: string | undefined;
  try {
    if (documents.length > 0) writes = toDocumentWrites(documents, known);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    refused = error.message;
  }
  for (const { data } of writes) size += (data?.length ?? 0) + 64;
  size += receipt?.result?.length ?? 0;
  const expecting = expect.filter(({ revision }) => revision !== "any").map(({ stream }) => `stream ${stream}`);
  return {
    log,
    append: { ...append, expect: [...expect], events: [...events] },
    writes,
    refused,
    alone: receipt ? [...expecting, `receipt ${receipt.key}`] : expecting,
    shared: events.map(({ stream }) => `stream ${stream}`),
    readers: readers.length > 0 ? JSON.stringify(readers.map(toText)) : noReaders,
    size,
  };
}

// JSON text writes U+0000 as an escape; raw, it is no JSON, and nothing that PostgreSQL could keep.
const isText = (text: unknown): boolean => typeof text === "string" && !text.includes("\0");
