import { type Clock, Fault, type Span, type Trace } from "../../contracts/index.ts";
import type { Appended, Change, Entry, Journal, NewEntry, RunRow, Seen } from "../journal/journal.ts";
import type { Script } from "./script.ts";
import type { Verdict } from "./verdict.ts";

export interface Beginning {
  readonly row: RunRow;
  readonly started: NewEntry & { readonly type: "Started" };
}

export interface CommitterParts {
  readonly journal: Pick<Journal, "append">;
  readonly run: string;
  readonly script: Script;
  readonly clock: Clock;
  readonly trace: () => Trace;
  readonly beginning: Beginning | undefined;
  /** The last item of the inbox that the run has seen, and done what it asks. */
  readonly inboxSeen: () => Seen;
}

const pauseMs = 100;
const tries = 50;

/** Brings what is pending in a script to the disk, with whatever changes in the run's row. */
export class Committer {
  readonly #journal: Pick<Journal, "append">;
  readonly #run: string;
  readonly #script: Script;
  readonly #clock: Clock;
  readonly #trace: () => Trace;
  readonly #inboxSeen: () => Seen;
  #beginning: Beginning | undefined;
  #row: Change["row"] | undefined;
  /** Resolves when the run's first entries are on disk; rejects with the verdict where they are not. */
  readonly begun: PromiseWithResolvers<void> = Promise.withResolvers<void>();

  constructor({ journal, run, script, clock, trace, beginning, inboxSeen }: CommitterParts) {
    this.#journal = journal;
    this.#run = run;
    this.#script = script;
    this.#clock = clock;
    this.#trace = trace;
    this.#beginning = beginning;
    this.#inboxSeen = inboxSeen;
    this.begun.promise.catch(() => {}); // whoever started the run hears of it through the verdict as well
  }

  /** Changes the row with the next commit. */
  change(row: NonNullable<Change["row"]>): void {
    this.#row = { ...this.#row, ...row };
  }

  /** Writes what is pending. What the journal refuses pauses the run: the code is ahead of what can be kept. */
  commit(change: OwnChange = none): Promise<Committed> {
    const entries = this.#script.take();
    const kept = this.#takeRow();
    const whole = kept ? { ...change, row: { ...kept, ...change.row } } : change;
    return this.#write(entries, whole, (appended) => this.#seeTo(appended, entries, kept));
  }

  #seeTo(
    appended: Appended | Lost,
    entries: readonly Entry[],
    kept: Change["row"] | undefined,
  ): Committed | Promise<Committed> {
    if (appended === "inbox moved") {
      this.#script.pending = [...entries, ...this.#script.pending];
      if (kept) this.#row = { ...kept, ...this.#row }; // and not the change: the run does not suspend after all
      return "inbox moved";
    }
    if (appended === "fenced") return { kind: "fenced" };
    if ("error" in appended) return { kind: "lost", error: appended.error };
    if ("refused" in appended) return this.#beginning ? this.#unbegun(appended.refused) : this.#pause(appended.refused);
    this.#script.revision += entries.length;
    if (!this.#beginning) return "written";
    this.#beginning = undefined;
    this.begun.resolve();
    return "written";
  }

  #takeRow(): Change["row"] | undefined {
    const row = this.#row;
    this.#row = undefined;
    return row;
  }

  #unbegun(refused: string): Verdict {
    const error = new Fault("InvalidInput", `The run cannot be begun: ${refused}`, { outcome: "not done" });
    return { kind: "refused", error };
  }

  async #pause(refused: string): Promise<Verdict> {
    const reason = `The journal refuses what the run wants to write: ${refused} Change the workflow, and resume the run.`;
    this.#script.pending = [];
    this.#script.write({ type: "Paused", reason });
    const row = { state: "paused", owner: null, wakeAt: null, reason } as const;
    let appended = await this.#write(this.#script.take(), { row, inboxSeen: this.#inboxSeen() }, asItIs);
    if (appended === "inbox moved") {
      // It may be the wish to end the run: it is taken up anew from what is on disk, and hears of it there.
      const wakeAt = this.#clock.now();
      appended = await this.#write([], { row: { state: "waiting", owner: null, wakeAt } }, asItIs);
      if (typeof appended === "object" && "position" in appended) return { kind: "suspended", wakeAt };
    }
    return typeof appended === "object" && "position" in appended
      ? { kind: "paused", reason }
      : { kind: "lost", error: new Error(refused) };
  }

  /** `seeTo` is part of it, for a promise between the two would be one more for each step of each run. */
  #write<T>(entries: readonly Entry[], own: OwnChange, seeTo: SeeTo<T>): Promise<T> {
    const change = this.#toChange(own);
    const about = { "trilith.log": "runs", "trilith.events": entries.length };
    return this.#trace().span("append", "append runs", about, (span) => this.#append(entries, change, span, seeTo, 1));
  }

  #toChange(own: OwnChange): Change {
    if (!this.#beginning) return own;
    const { row, ...others } = own;
    return { ...others, begin: { ...this.#beginning.row, ...row } };
  }

  #append<T>(entries: readonly Entry[], change: Change, span: Span, seeTo: SeeTo<T>, tried: number): Promise<T> {
    return this.#journal.append(this.#run, this.#script.revision, entries, change).then(
      (appended) => {
        if (typeof appended === "object" && "position" in appended) span.set({ "trilith.position": appended.position });
        return seeTo(appended);
      },
      async (error: unknown) => {
        // A full queue passes; anything else may have been written, so only the journal itself can tell.
        if (!(error instanceof Fault) || error.outcome !== "not done" || tried === tries) return seeTo({ error });
        await new Promise<void>((resolve) => this.#clock.after(pauseMs, resolve));
        return this.#append(entries, change, span, seeTo, tried + 1);
      },
    );
  }
}

/** What a run changes with its entries. */
type OwnChange = Pick<Change, "row" | "inboxSeen" | "tell">;
const none: OwnChange = {};
type Committed = "written" | "inbox moved" | Verdict;
interface Lost {
  readonly error: unknown;
}
type SeeTo<T> = (appended: Appended | Lost) => T | Promise<T>;
const asItIs: SeeTo<Appended | Lost> = (appended) => appended;
