import type { Cursor, Entries } from "../journal/entries.ts";
import { type Entry, isNote, isResult, type NewEntry, type Request, type Result } from "../journal/journal.ts";
import { isScalar } from "../language/plain.ts";
import { type Divergence, toDivergence } from "./difference.ts";

/**
 * A run's journal while it is acted out: first as it was written, then as it goes on. The code's requests are held
 * against the entries in order; results are handed out in order; what is new waits in `pending` for its commit.
 */
export class Script {
  readonly #entries: Entries;
  readonly #cursor: Cursor;
  readonly #now: () => number;
  #past: ReadonlyMap<string, Past> | undefined;
  /** The revision of the first entry. */
  readonly #from: number;
  #changes: Map<string, boolean> | undefined;
  /** Up to here it is another run's, from which this one was forked. */
  readonly #copied: number;
  readonly #copies: ReadonlySet<string>;
  #time: number;
  /** The last progress on disk, as JSON. */
  #progress: string | undefined;
  pending: Entry[] = [];
  /** The revision of the last entry on disk. */
  revision: number;

  constructor(entries: Entries, now: () => number, from = 0) {
    this.#entries = entries;
    this.#cursor = entries.cursor();
    this.#now = now;
    this.#from = from;
    const { first, others } = entries;
    this.#copied = first?.type === "Started" && first.forked ? 1 + first.forked.copied : 0;
    this.#copies = this.#copied === 0 ? noCopies : toCopies(others);
    this.#time = first?.at ?? now();
    this.revision = from + entries.length - 1;
    for (const entry of others) {
      if (entry.type === "Changed") this.#note(entry.name, true);
      if (entry.type === "Progress") this.#progress = JSON.stringify(entry.value);
    }
    this.#skipNotes();
  }

  get replaying(): boolean {
    return this.#cursor.entry !== undefined;
  }

  /** Whether the code does what it did in the run that this one was forked from. */
  get inCopy(): boolean {
    return this.#cursor.index < this.#copied;
  }

  /** Whether a step was done by the run that this one was forked from. */
  isCopied(path: string): boolean {
    return this.#copies.has(path);
  }

  /** When the last result was written: the time that the workflow's code sees. */
  get time(): number {
    return this.#time;
  }

  /** The code asks: gives back the entry as it was written the first time, or writes it now. */
  request<R extends Request>(request: R): R {
    const written = this.#cursor.entry;
    if (written === undefined) {
      this.write(request);
      return request;
    }
    if (!alike(written, request)) throw toDivergence(this.#from + this.#cursor.index, written, request);
    this.#pass();
    return written as Entry & R; // alike compared the types
  }

  /** The next result to deliver in replay; `unasked` where the journal has a request first, `over` once it was acted out. */
  next(): Result | "unasked" | "over" {
    const written = this.#cursor.entry;
    if (written === undefined) return "over";
    if (!isResult(written)) return "unasked";
    this.#time = written.at;
    this.#pass();
    return written;
  }

  /** What the journal says that the code asked for, and it has not. */
  unasked(asked: "nothing" | "the end"): Divergence {
    return toDivergence(this.#from + this.#cursor.index, this.#cursor.entry, asked);
  }

  /** A result that was just handed out, and that the code does not wait for. */
  unexpected(result: Result): Divergence {
    const entries = [...this.#entries];
    const at = entries.findIndex(
      (entry) => entry.type === result.type && "path" in entry && entry.path === result.path,
    );
    return toDivergence(this.#from + at, entries[at], "nothing");
  }

  /** What the code does where the journal, whose last entry this is, has ended. */
  beyond(last: number, asked: Request | undefined): Divergence {
    return toDivergence(last, undefined, asked ?? "nothing");
  }

  /** The first thing that the code has asked for and that is not on disk. */
  get asked(): Request | undefined {
    return this.pending.find((entry): entry is Entry & Request => !isNote(entry) && !isResult(entry));
  }

  /** True for a run that comes here with the changed code, false for one that has been here before; the same ever after. */
  changed(name: string): boolean {
    let changed = this.#changes?.get(name);
    if (changed === undefined) {
      changed = !this.replaying;
      this.#note(name, changed);
      if (changed) this.write({ type: "Changed", name });
    }
    return changed;
  }

  /** The last value wins; it travels with the next commit. Throws where it is no JSON. */
  progress(value: unknown): void {
    if (this.replaying) return;
    this.pending = this.pending.filter(({ type }) => type !== "Progress");
    if (JSON.stringify(value) !== this.#progress) this.write({ type: "Progress", value });
  }

  /** A new result, written before it is delivered. */
  settle(result: Result): void {
    this.#time = this.write(result);
  }

  /** Copies what it is given: the code may change a value that it was handed. Throws where it is no JSON. */
  write(entry: NewEntry): number {
    const at = Math.max(this.#now(), this.#time);
    this.pending.push(toFlat(entry, at) ?? JSON.parse(JSON.stringify({ ...entry, at })));
    return at;
  }

  /** What is pending, to be committed; what comes meanwhile waits for the next commit. */
  take(): readonly Entry[] {
    const taken = this.pending;
    const progress = taken.findLast((entry) => entry.type === "Progress");
    if (progress) this.#progress = JSON.stringify(progress.value);
    this.pending = [];
    return taken;
  }

  /**
   * What earlier activations did about a step that has no result, as it was asked for: one that began may have been done by
   * a dead process.
   */
  pastOf(request: Request & Partial<Pick<Entry, "at">>): Past {
    this.#past ??= toPast(this.#entries.others);
    const past = this.#past.get(request.path);
    const { at } = request; // where it was not asked for just now
    return at === undefined ? (past ?? noPast) : { failed: past?.failed ?? 0, started: true, since: at };
  }

  #note(change: string, isNew: boolean): void {
    this.#changes ??= new Map();
    this.#changes.set(change, isNew);
  }

  #pass(): void {
    this.#cursor.next();
    this.#skipNotes();
  }

  #skipNotes(): void {
    for (let { entry } = this.#cursor; entry && isNote(entry); { entry } = this.#cursor) this.#cursor.next();
  }
}

/**
 * What each step writes, where JSON would give back the same and nothing in it can be changed. Field by field, for a spread
 * of objects of many shapes looks for the fields of each.
 */
function toFlat(entry: NewEntry, at: number): Entry | undefined {
  if (entry.type === "StepStarted" && !entry.copied) {
    const { type, path, name, kind, digest, undo } = entry;
    return { type, path, name, kind, digest, undo, at };
  }
  if (entry.type !== "StepDone" || !isScalar(entry.wire)) return undefined;
  const { type, path, wire } = entry;
  return wire === undefined ? { type, path, at } : { type, path, wire, at };
}

/** In place of a digest: the step was begun by a run with another input, from which this one was forked. */
export const anyInput = "*";

interface Past {
  /** Attempts that failed since the run was last paused: whoever resumes it grants new ones. */
  readonly failed: number;
  readonly started: boolean;
  /** When it was first asked for since then, in ms since 1970. */
  readonly since?: number;
}
const noPast: Past = { failed: 0, started: false };

const noCopies: ReadonlySet<string> = new Set();
const toCopies = (entries: readonly Entry[]): ReadonlySet<string> =>
  new Set(entries.flatMap((entry) => (entry.type === "StepStarted" && entry.copied ? [entry.path] : [])));

function toPast(entries: readonly Entry[]): ReadonlyMap<string, Past> {
  const past = new Map<string, Past>();
  for (const written of entries) {
    if (written.type === "StepDone" || written.type === "StepFailed") {
      past.delete(written.path); // it is not begun again
      continue;
    }
    // What was taken back may have been done all the same.
    const entry = written.type === "TakenBack" ? written.was : written;
    if (entry.type === "Paused" || entry.type === "Retried")
      for (const [path, { started }] of past) past.set(path, { failed: 0, started });
    if (entry.type === "StepStarted") past.set(entry.path, { failed: 0, started: true, since: entry.at });
    if (entry.type === "AttemptFailed") {
      const { failed = 0, since } = past.get(entry.path) ?? noPast;
      past.set(entry.path, { failed: failed + 1, started: true, ...(since !== undefined && { since }) });
    }
  }
  return past;
}

// What a request compares by: the input's digest tells a changed call, the deadline of a timer is the first run's own.
function alike(written: Entry, request: Request): boolean {
  if (written.type !== request.type || written.path !== request.path) return false;
  if (written.type === "StepStarted" && request.type === "StepStarted") {
    const sameInput = written.digest === request.digest || written.digest === anyInput;
    return written.kind === request.kind && sameInput && written.undo === request.undo;
  }
  return true;
}
