import type { NewEvent, NewReceipt } from "./engine.ts";

/** Bytes of UTF-8: what is larger belongs into a file, and its address into the event. */
const largestEvent = 1_048_576;
const largestResult = 1_048_576;
/** Types are in every index of them, keys in their own. */
const longestType = 512;
const longestKey = 4_096;
/** One append holds up everybody else's for as long as it is written, and is in memory several times over. */
const mostEvents = 10_000;
const mostBytes = 16 * 1_048_576;

/** Throws a TypeError for an event that is larger, its meta included, or whose type is no name. */
export function checkEvent({ stream, type, data, meta }: NewEvent): void {
  if (type === "" || !type.isWellFormed() || type.includes("\u0000"))
    throw new TypeError(
      `An event of ${stream} has the type ${JSON.stringify(type)}, which is empty or not every engine can keep.`,
    );
  if (isLonger(type, longestType))
    throw new TypeError(
      `The type of an event has up to ${longestType} bytes; "${type.slice(0, 40)}…" has ${Buffer.byteLength(type)}.`,
    );
  if ((data.length + (meta?.length ?? 0)) * 3 <= largestEvent) return; // no UTF-16 unit takes more than three bytes
  const size = Buffer.byteLength(data) + Buffer.byteLength(meta ?? "");
  if (size > largestEvent)
    throw new TypeError(
      `The event ${type} of ${stream} has ${size} bytes${meta === undefined ? "" : " with its meta"}; an event has up to ${largestEvent}. Keep what is large elsewhere, and its address in the event.`,
    );
}

/** Throws a TypeError for a receipt that is larger than one may be. */
export function checkReceipt({ key, result = "" }: NewReceipt): void {
  if (isLonger(key, longestKey))
    throw new TypeError(
      `The key of a receipt has up to ${longestKey} bytes, with its caller and operation; "${key.slice(0, 40)}…" has ${Buffer.byteLength(key)}.`,
    );
  if (isLonger(result, largestResult))
    throw new TypeError(
      `The result that a receipt is to keep has ${Buffer.byteLength(result)} bytes; it may have up to ${largestResult}. Answer with where it is to be found.`,
    );
}

/** Throws a TypeError for an append that is too large to be one. Their text is counted in UTF-16 units, which is near enough. */
export function checkAppend(events: readonly NewEvent[], log: string): void {
  if (events.length > mostEvents)
    throw new TypeError(
      `An append to the log "${log}" has ${events.length} events; it may have up to ${mostEvents}. Spread them over several appends.`,
    );
  if (events.length < 2) return; // one has a limit of its own
  let size = 0;
  for (const { data, meta } of events) size += data.length + (meta?.length ?? 0);
  if (size > mostBytes)
    throw new TypeError(
      `An append to the log "${log}" has ${size} characters of JSON; it may have up to ${mostBytes}. Spread its ${events.length} events over several appends.`,
    );
}

const isLonger = (text: string, bytes: number): boolean => text.length * 3 > bytes && Buffer.byteLength(text) > bytes;
