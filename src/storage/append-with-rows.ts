import type { Outcome, Write } from "./engine.ts";
import type { KeptModel } from "./kept-model.ts";
import type { Log, LogAppend } from "./log.ts";

/** An event on its way to the log, as the handlers of read models are given it. */
export interface Going {
  readonly type: string;
  readonly value: unknown;
  readonly id: string;
  readonly revision: number;
}
export interface InlinePorts {
  readonly log: Log;
  /** The read models whose rows travel with an append. */
  readonly inline: () => readonly KeptModel[];
  /**
   * A reader has to follow the log for a while, up to a position or to its end. Resolves when it has come there, or has had
   * its chance. With a position it asks the engine nothing, and does not fail.
   */
  readonly behind: (reader: string, position?: number) => Promise<void>;
  /** Events were appended with the rows of these readers: the others have to follow, and may not know of it. */
  readonly carried: (readers: readonly string[]) => void;
}

/**
 * Appends events with the rows of the read models that are kept inline. A model that cannot take one of them, or whose rows
 * the engine refuses, is left out: its reader meets the event in the log a moment later, where it tries again and parks it
 * with the reason. So a mistake in a read model stops no command.
 */
export function appendWithRows(append: LogAppend, events: readonly Going[], ports: InlinePorts): Promise<Outcome> {
  return events.length === 0 ? ports.log.append(append) : withRows(append, events, ports);
}

async function withRows(
  append: LogAppend,
  events: readonly Going[],
  { log, inline, behind, carried }: InlinePorts,
): Promise<Outcome> {
  const waitedFor = new Set<string>();
  const late = new Set<string>();
  const failed = new Set<string>();
  let suspects: readonly string[] = [];
  let doubts: Iterator<readonly string[]> | undefined;
  for (;;) {
    const wanted = inline().filter(
      ({ reader }) => !late.has(reader) && !failed.has(reader) && !suspects.includes(reader),
    );
    const rows = await toRows(wanted, events, failed);
    const outcome = await log.append(rows.readers.length === 0 ? append : { ...append, ...rows });
    if (outcome.ok) {
      carried(rows.readers);
      // Who was told that it happened reads what it could write, and an operator what it could not.
      // It has happened, whatever becomes of that.
      if ("last" in outcome) await Promise.all([...failed, ...suspects].map((one) => behind(one, outcome.last)));
      return outcome;
    }
    if (outcome.why === "behind") {
      // Other code has appended past it. It gets a moment to catch up; then the append goes without its rows.
      if (waitedFor.has(outcome.reader)) late.add(outcome.reader);
      waitedFor.add(outcome.reader);
      await behind(outcome.reader);
    } else if (outcome.why === "refused") {
      doubts ??= leaveOut(rows.readers);
      const next = doubts.next();
      if (next.done) return outcome;
      suspects = next.value;
    } else return outcome;
  }
}

/** What the models make of the events. Those that cannot are named in `failed`, and write nothing. */
async function toRows(
  models: readonly KeptModel[],
  events: readonly Going[],
  failed: Set<string>,
): Promise<{ readonly documents: readonly Write[]; readonly readers: readonly string[] }> {
  const written = new Map<string, Write[]>(models.map(({ reader }) => [reader, []]));
  for (const { type, value, id, revision } of events)
    for (const model of models) {
      const own = written.get(model.reader);
      if (!own) continue;
      try {
        const writes = model.writes(type, value, { id, revision });
        own.push(...(writes instanceof Promise ? await writes : writes));
      } catch {
        // Its reader finds the same, says why, and keeps the reason.
        written.delete(model.reader);
        failed.add(model.reader);
      }
    }
  return { documents: [...written.values()].flat(), readers: [...written.keys()] };
}

/** Whose rows were refused is not said: first each is left out alone, then all of them. */
function* leaveOut(readers: readonly string[]): Generator<readonly string[], undefined> {
  for (const reader of readers) yield [reader];
  if (readers.length > 1) yield readers;
}
