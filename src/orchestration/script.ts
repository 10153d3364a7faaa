import { type Entry, isNote, isResult, type NewEntry, type Request, type Result } from "./journal.ts";

/** The code asked for something else than the journal says it did. The message shows both lines. */
export class Divergence extends Error {
  override readonly name = "Divergence";
}

/**
 * A run's journal while it is acted out: first as it was written, then as it goes on. The code's requests are held
 * against the entries in order; results are handed out in order; what is new waits in `pending` for its commit.
 */
export class Script {
  readonly #entries: readonly Entry[];
  readonly #now: () => number;
  readonly #past: ReadonlyMap<string, Past>;
  #cursor = 0;
  #time: number;
  pending: Entry[] = [];
  /** The revision of the last entry on disk. */
  revision: number;

  constructor(entries: readonly Entry[], now: () => number) {
    this.#entries = entries;
    this.#now = now;
    this.#past = toPast(entries);
    this.#time = entries[0]?.at ?? now();
    this.revision = entries.length - 1;
    this.#skipNotes();
  }

  get replaying(): boolean {
    return this.#cursor < this.#entries.length;
  }

  /** When the last result was written: the time that the workflow's code sees. */
  get time(): number {
    return this.#time;
  }

  /** The code asks: gives back the entry as it was written the first time, or writes it now. */
  request<R extends Request>(request: R): R {
    if (!this.replaying) {
      this.write(request);
      return request;
    }
    const written = this.#entries[this.#cursor] as Entry;
    if (isResult(written) || isNote(written) || !alike(written, request)) {
      throw new Divergence(
        `The journal says at entry ${this.#cursor}: ${lineOf(written)}. The code asks for: ${lineOf(request)}.`,
      );
    }
    this.#cursor++;
    this.#skipNotes();
    return written as Entry & R; // alike compared the types
  }

  /** The next result to deliver in replay; `unasked` where the journal has a request first, `over` once it was acted out. */
  next(): Result | "unasked" | "over" {
    if (!this.replaying) return "over";
    const written = this.#entries[this.#cursor] as Entry;
    if (!isResult(written)) return "unasked";
    this.#cursor++;
    this.#time = written.at;
    this.#skipNotes();
    return written;
  }

  /** What the code has not asked for, and the journal says it did. */
  get unasked(): string {
    const written = this.#entries[this.#cursor];
    return `The journal says at entry ${this.#cursor}: ${written && lineOf(written)}. The code does not ask for it any more.`;
  }

  /** A new result, written before it is delivered. */
  settle(result: Result): void {
    this.#time = this.write(result);
  }

  /** Copies what it is given: the code may change a value that it was handed. Throws where it is no JSON. */
  write(entry: NewEntry): number {
    const at = Math.max(this.#now(), this.#time);
    this.pending.push(JSON.parse(JSON.stringify({ ...entry, at })));
    return at;
  }

  /** What is pending, to be committed; what comes meanwhile waits for the next commit. */
  take(): readonly Entry[] {
    const taken = this.pending;
    this.pending = [];
    return taken;
  }

  /** What earlier activations did about a step: one that began and has no result may have been done by a dead process. */
  pastOf(path: string): Past {
    return this.#past.get(path) ?? noPast;
  }

  #skipNotes(): void {
    for (let entry = this.#entries[this.#cursor]; entry && isNote(entry); entry = this.#entries[this.#cursor])
      this.#cursor++;
  }
}

interface Past {
  /** Attempts that failed since the run was last paused: whoever resumes it grants new ones. */
  readonly failed: number;
  readonly started: boolean;
}
const noPast: Past = { failed: 0, started: false };

function toPast(entries: readonly Entry[]): ReadonlyMap<string, Past> {
  const past = new Map<string, Past>();
  for (const entry of entries) {
    if (entry.type === "Paused") for (const [path, { started }] of past) past.set(path, { failed: 0, started });
    if (entry.type === "StepStarted") past.set(entry.path, { failed: 0, started: true });
    if (entry.type === "AttemptFailed")
      past.set(entry.path, { failed: (past.get(entry.path)?.failed ?? 0) + 1, started: true });
  }
  return past;
}

// What a request compares by: the input's digest tells a changed call, the deadline of a timer is the first run's own.
function alike(written: Entry, request: Request): boolean {
  if (written.type !== request.type || written.path !== request.path) return false;
  if (written.type === "StepStarted" && request.type === "StepStarted") {
    return written.kind === request.kind && written.digest === request.digest && written.undo === request.undo;
  }
  return true;
}

function lineOf(entry: Entry | Request): string {
  if (entry.type === "StepStarted") {
    return `${entry.kind} step "${entry.path}"${entry.undo ? " with an undo" : ""} (input ${entry.digest})`;
  }
  if (entry.type === "SignalAwaited") return `a wait for the signal "${entry.name}" ("${entry.path}")`;
  return "path" in entry ? `${entry.type} "${entry.path}"` : entry.type;
}
