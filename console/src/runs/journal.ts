/** A run's journal entry as it comes; fields are looked at one by one, for it may be of a newer backend. */
export interface Entry {
  readonly type: string;
  readonly at: number;
  readonly [field: string]: unknown;
}

export type Tone = "good" | "bad" | "odd" | "quiet";
/** One line of a run's timeline. */
export interface Line {
  readonly key: string;
  readonly what: string;
  readonly name: string;
  readonly startMs: number;
  /** Missing while it goes on; the start, for what takes no time. */
  readonly endMs?: number;
  readonly words: string;
  readonly tone: Tone;
  readonly undo: boolean;
  /** The step from which a fork can begin. */
  readonly step?: string;
}

type Draft = { -readonly [K in keyof Line]: Line[K] } & { attempts: number };

/** The journal as lines, each where it began. What a retry took back stays, marked. */
export function toLines(entries: readonly Entry[]): readonly Line[] {
  const lines: Draft[] = [];
  const open = new Map<string, Draft>();
  const add = (line: Omit<Draft, "key" | "attempts" | "undo"> & { readonly undo?: boolean }): Draft => {
    const draft = { undo: false, ...line, key: String(lines.length), attempts: 1 };
    lines.push(draft);
    return draft;
  };
  const note = (entry: Entry, name: string, words: string, tone: Tone): void => {
    add({ what: "run", name, startMs: entry.at, endMs: entry.at, words, tone });
  };
  for (const entry of entries) {
    const path = text(entry.path);
    const undo = path.startsWith("undo ");
    switch (entry.type) {
      case "StepStarted": {
        const what = entry.copied === true ? "copied" : undo ? "undo" : text(entry.kind) || "step";
        const words = entry.copied === true ? "by another run" : "under way";
        open.set(
          path,
          add({ what, name: path, startMs: entry.at, words, tone: "quiet", undo, ...(!undo && { step: path }) }),
        );
        break;
      }
      case "TimerSet":
        open.set(
          path,
          add({
            what: "timer",
            name: path,
            startMs: entry.at,
            words: `until ${instant(entry.wakeAt)}`,
            tone: "quiet",
            step: path,
          }),
        );
        break;
      case "SignalAwaited":
        open.set(
          path,
          add({
            what: "signal",
            name: text(entry.name),
            startMs: entry.at,
            words: "waiting",
            tone: "quiet",
            step: path,
          }),
        );
        break;
      case "AttemptFailed": {
        const line = open.get(path);
        if (line) {
          line.attempts++;
          line.words = `attempt ${line.attempts} · ${thrown(entry.thrown)}`;
          line.tone = "odd";
        }
        break;
      }
      case "StepDone":
      case "TimerFired":
      case "SignalTaken":
      case "SignalTimedOut":
      case "StepFailed": {
        const line = open.get(path);
        if (!line) break;
        open.delete(path);
        line.endMs = entry.at;
        const tries = line.attempts > 1 ? ` · ${line.attempts} attempts` : "";
        if (entry.type === "StepFailed") Object.assign(line, { words: `${thrown(entry.thrown)}${tries}`, tone: "bad" });
        else if (entry.type === "SignalTaken") Object.assign(line, { words: `from ${text(entry.by)}`, tone: "good" });
        else if (entry.type === "SignalTimedOut") Object.assign(line, { words: "did not come", tone: "odd" });
        else if (line.what !== "copied") Object.assign(line, { words: `done${tries}`, tone: "good" });
        break;
      }
      case "FellBack":
      case "FellBackTo":
        note(entry, path, "fell back", "odd");
        break;
      case "UndoBegan":
        note(entry, "undo begins", thrown(entry.why), "odd");
        break;
      case "UndoStarted":
        open.set(
          path,
          add({
            what: "undo",
            name: path.slice("undo ".length),
            startMs: entry.at,
            words: "under way",
            tone: "quiet",
            undo: true,
          }),
        );
        break;
      case "UndoDone": {
        const line = open.get(path);
        open.delete(path);
        if (line) Object.assign(line, { endMs: entry.at, words: "undone", tone: "good" });
        break;
      }
      case "Cancelled":
        note(entry, "cancelled", by(entry), "odd");
        break;
      case "Steered":
        note(entry, `asked to ${text(entry.to)}`, by(entry), "quiet");
        break;
      case "Paused":
        note(entry, "paused", text(entry.reason), "odd");
        break;
      case "Retried":
        for (const line of lines.filter(({ endMs, tone }) => endMs === undefined || tone === "bad")) {
          line.words = `${line.words} · retried`;
          line.tone = "odd";
          line.endMs ??= entry.at;
        }
        open.clear();
        note(entry, "retried", by(entry), "quiet");
        break;
      case "Continued":
        note(entry, "continues as new", `stretch ${String(entry.stretch)}`, "quiet");
        break;
      case "Claimed":
        note(entry, "taken up", `by node ${text(entry.node).slice(0, 8)}`, "quiet");
        break;
      case "Queued":
        note(entry, "in line", "its time has come", "quiet");
        break;
      case "Admitted":
        note(entry, "let in", "", "quiet");
        break;
      case "Started":
        note(entry, "started", forked(entry), "quiet");
        break;
      case "Ended":
        for (const line of open.values()) Object.assign(line, { endMs: entry.at, words: "given up", tone: "quiet" });
        open.clear();
        note(
          entry,
          entry.state === "done" ? "done" : text(entry.state),
          thrown(entry.thrown),
          entry.state === "done" ? "good" : "odd",
        );
        break;
      default:
    }
  }
  return lines;
}

export const isUndone = (entries: readonly Entry[]): boolean => entries.some(({ type }) => type === "UndoBegan");

/** The names of the signals that the run waits for. */
export function awaited(entries: readonly Entry[]): readonly string[] {
  const waits = new Map<string, string>();
  for (const entry of entries) {
    if (entry.type === "SignalAwaited") waits.set(text(entry.path), text(entry.name));
    if (entry.type === "SignalTaken" || entry.type === "SignalTimedOut") waits.delete(text(entry.path));
    if (entry.type === "Ended" || entry.type === "UndoBegan") waits.clear();
  }
  return [...new Set(waits.values())];
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const instant = (ms: unknown): string => (typeof ms === "number" ? new Date(ms).toLocaleString("en-GB") : "");
const by = (entry: Entry): string => `by ${text(entry.by)}${text(entry.reason) && `: ${text(entry.reason)}`}`;

function thrown(value: unknown): string {
  const { code, message } = (value ?? {}) as { readonly code?: unknown; readonly message?: unknown }; // looked at here
  return text(message) || text(code);
}

function forked({ forked, principal }: Entry): string {
  const origin = (forked as { readonly run?: unknown } | undefined)?.run; // looked at here
  const who = (principal as { readonly id?: unknown } | undefined)?.id; // looked at here
  return origin === undefined ? `by ${text(who)}` : `as a fork of ${text(origin)}, by ${text(who)}`;
}
