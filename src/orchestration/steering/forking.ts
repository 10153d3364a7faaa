import type { Entry, Forked } from "../journal/journal.ts";
import { anyInput } from "../replay/script.ts";
import { toReplay } from "./retrying.ts";

/** What a fork copies, and where from. */
export interface Copy {
  readonly entries: readonly Entry[];
  readonly forked: Forked;
  /** The steps that took effect, or may have, and that the fork does again; by name, each once. */
  readonly again: readonly string[];
}

/**
 * What a fork of a run copies: all that its code asked for and got before it began a step, in that order, without the
 * notes that are about the run itself. `entries` are those of the present stretch, and `from` is the first one's revision
 * in the journal. What was asked for and had no result by then is asked for again.
 */
export function toCopy(
  run: string,
  entries: readonly Entry[],
  step: string | undefined,
  from = 0,
): Copy | { readonly refused: string } {
  const [first] = entries;
  if (first?.type !== "Started" && first?.type !== "Continued")
    return { refused: "It was given up before it began, so there is no input to begin with." };
  const root = first.type === "Continued" ? `${run}~${first.stretch}` : run;
  const present = toReplay(entries, from);
  if (step === undefined) return { entries: [], forked: { run, root, copied: 0 }, again: effectsIn(present) };
  const at = present.findIndex((entry) => asks.has(entry.type) && "path" in entry && entry.path === step);
  if (at < 0) {
    const names = present.flatMap((entry) => (entry.type === "StepStarted" ? [`"${entry.path}"`] : []));
    return { refused: `It has no step "${step}". Its steps are: ${names.join(", ") || "none"}.` };
  }
  const copied = present.slice(1, at).filter(({ type }) => !own.has(type));
  const done = new Set(
    copied.flatMap((entry) => (entry.type === "StepDone" || entry.type === "StepFailed" ? [entry.path] : [])),
  );
  const undone = present.find((entry) => entry.type === "UndoStarted" && done.has(entry.path.slice("undo ".length)));
  if (undone?.type === "UndoStarted") {
    const path = undone.path.slice("undo ".length);
    return { refused: `Its step "${path}" was undone, so nothing can build on it. Fork it from "${path}" or before.` };
  }
  return {
    entries: copied.map((entry) => toCopied(entry, done)),
    forked: { run, root, step, copied: copied.length },
    again: effectsIn(present, done),
  };
}

function toCopied(entry: Entry, done: ReadonlySet<string>): Entry {
  if (entry.type === "StepStarted")
    return { ...entry, digest: anyInput, ...(done.has(entry.path) && { copied: true as const }) };
  // It was in the inbox of the other run, so it stands for nothing in this one's.
  if (entry.type === "SignalTaken") return { ...entry, item: -1 };
  return entry;
}

function effectsIn(present: readonly Entry[], copied: ReadonlySet<string> = new Set()): readonly string[] {
  const harmless = new Set(
    present.flatMap((entry) => {
      if (entry.type === "VoidKnown" && entry.took === false) return [entry.path.replace(/^void /, "")];
      return entry.type === "StepFailed" && entry.outcome === "not done" ? [entry.path] : [];
    }),
  );
  const names = present.flatMap((entry) => {
    if (entry.type !== "StepStarted" || entry.path.startsWith("undo ")) return [];
    return copied.has(entry.path) || harmless.has(entry.path) ? [] : [entry.name];
  });
  return [...new Set(names)];
}

/** Where a run can be forked. */
const asks: ReadonlySet<string> = new Set(["StepStarted", "TimerSet", "SignalAwaited"]);
/** What is said of a run itself and not of what its code did. */
const own: ReadonlySet<string> = new Set([
  "Queued",
  "Admitted",
  "Claimed",
  "AttemptFailed",
  "Paused",
  "Progress",
  "Steered",
  "Retried",
  "TakenBack",
]);
