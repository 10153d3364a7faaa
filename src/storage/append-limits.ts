import type { NewEvent } from "./engine.ts";

/** One append holds up everybody else's for as long as it is written, and is in memory several times over. */
const mostEvents = 10_000;
const mostBytes = 16 * 1_048_576;

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
