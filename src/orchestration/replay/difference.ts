import type { Entry, Request } from "../journal/journal.ts";

/** The code asked for something else than the journal says it did. The message shows both lines. */
export class Divergence extends Error {
  override readonly name = "Divergence";
}

/** The journal's line above the code's, and what to make of it. `entry` counts from 0. */
export function toDivergence(
  entry: number,
  written: Entry | undefined,
  asked: Request | "nothing" | "the end",
): Divergence {
  const journal = written ? lineOf(written) : "nothing more: the run ended here";
  const code = typeof asked === "string" ? nothing[asked] : lineOf(asked);
  return new Divergence(
    `The code does not do what the journal says this run did.\n${sideBySide(entry, journal, code)}\n${hintOf(written, asked)}`,
  );
}

/** Two lines, one under the other. */
export function sideBySide(entry: number, journal: string, code: string): string {
  const one = `  entry ${entry}, the journal says: `;
  return `${one}${journal}\n${"  here, the code asks for: ".padEnd(one.length)}${code}`;
}

export const wayOut: string =
  'Deploy the code that the run began with, or lead the change past runs under way with run.changed("…"), and resume it.';

const nothing = { nothing: "nothing, it waits for something else", "the end": "nothing more, it has come to its end" };

/** An entry in words: what it is, its name, which of that name, and in which part of the run. */
function lineOf(entry: Entry | Request): string {
  switch (entry.type) {
    case "StepStarted":
      return `${entry.kind} step ${placeOf(entry.path)}${entry.undo ? ", with an undo" : ""}${entry.digest && `, input ${entry.digest}`}`;
    case "SignalAwaited":
      return `wait for the signal ${placeOf(entry.path)}`;
    case "TimerSet":
      return `timer ${placeOf(entry.path)}`;
    case "FellBack":
    case "FellBackTo":
      return `fallback of ${placeOf(entry.path)}`;
    case "UndoBegan":
      return "beginning of the undo";
    case "VoidAsked":
    case "UndoStarted":
    case "UndoDone":
      return `${{ VoidAsked: "voiding", UndoStarted: "undo", UndoDone: "end of the undo" }[entry.type]} of ${placeOf(entry.path.replace(/^(void|undo) /, ""))}`;
    case "Cancelled":
      return "cancelled from outside";
    case "Ended":
      return `the end, ${entry.state}`;
    default:
      return "path" in entry ? `${words(entry.type)} ${placeOf(entry.path)}` : words(entry.type);
  }
}

/** `all/0/bookings.hold#2` is the second `bookings.hold` in `all/0`. */
function placeOf(path: string): string {
  const [, scope = "", name = "", occurrence = "1"] = /^(.*\/)?([^/]*?)(?:#(\d+))?$/s.exec(path) ?? [];
  const inside = scope && `, in ${scope.slice(0, -1)}`;
  return `"${decoded(name)}"${occurrence === "1" ? "" : ` (number ${occurrence} of that name)`}${inside}`;
}
const decoded = (name: string): string => name.replaceAll(/%(25|2F|23)/g, decodeURIComponent);
const words = (type: string): string => type.replaceAll(/(?<!^)([A-Z])/g, " $1").toLowerCase();

function hintOf(written: Entry | undefined, asked: Request | "nothing" | "the end"): string {
  if (!written) return "The run has come to its end, and the code would go on: a step was added at the end.";
  if (asked === "the end") return "A step was taken out, or its condition has changed.";
  if (asked === "nothing")
    return "A step was taken out, renamed or moved, or the code waits for something that is no step.";
  if (!("path" in written) || written.path !== asked.path || written.type !== asked.type)
    return "A step was added, taken out, renamed or moved at this point or before it.";
  if (written.type === "StepStarted" && asked.type === "StepStarted") {
    if (written.kind !== asked.kind) return "It is a step of another kind now.";
    if (written.undo !== asked.undo)
      return `The step has ${asked.undo ? "an undo now, and had none" : "no undo any more"}.`;
    return "It is the same step with another input: what the input is made of has changed, or comes from a clock or from randomness of its own (use run.now, run.random, run.uuid).";
  }
  return "";
}
