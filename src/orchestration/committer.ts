import { type Clock, Fault } from "../contracts/index.ts";
import type { Change, Journal, NewEntry, RunRow } from "./journal.ts";
import type { Script } from "./script.ts";
import type { Verdict } from "./verdict.ts";

export interface Beginning {
  readonly row: RunRow;
  readonly started: NewEntry & { readonly type: "Started" };
}

const pauseMs = 100;
const tries = 50;

/** Brings what is pending in a script to the disk, with whatever changes in the run's row. */
export class Committer {
  readonly #journal: Journal;
  readonly #run: string;
  readonly #script: Script;
  readonly #clock: Clock;
  #beginning: Beginning | undefined;
  #row: Change["row"] = {};
  /** Resolves when the run's first entries are on disk; rejects with the verdict where they are not. */
  readonly begun: PromiseWithResolvers<void> = Promise.withResolvers<void>();

  constructor(journal: Journal, run: string, script: Script, clock: Clock, beginning: Beginning | undefined) {
    this.#journal = journal;
    this.#run = run;
    this.#script = script;
    this.#clock = clock;
    this.#beginning = beginning;
    this.begun.promise.catch(() => {}); // whoever started the run hears of it through the verdict as well
  }

  /** Changes the row with the next commit. */
  change(row: NonNullable<Change["row"]>): void {
    this.#row = { ...this.#row, ...row };
  }

  async commit(
    change: { readonly row?: Change["row"]; readonly inboxSeen?: number } = {},
  ): Promise<"written" | "inbox moved" | Verdict> {
    const entries = this.#script.take();
    const row = { ...this.#row, ...change.row };
    const whole: Change = {
      ...(change.inboxSeen !== undefined && { inboxSeen: change.inboxSeen }),
      ...(this.#beginning ? { begin: { ...this.#beginning.row, ...row } } : Object.keys(row).length > 0 && { row }),
    };
    for (let tried = 1; ; tried++) {
      try {
        const appended = await this.#journal.append(this.#run, this.#script.revision, entries, whole);
        if (appended === "fenced") return { kind: "fenced" };
        if (appended === "inbox moved") {
          this.#script.pending = [...entries, ...this.#script.pending];
          return "inbox moved";
        }
        break;
      } catch (error) {
        // A full queue passes; anything else may have been written, so only the journal itself can tell.
        if (!(error instanceof Fault) || error.outcome !== "not done" || tried === tries)
          return { kind: "lost", error };
        await new Promise<void>((resolve) => this.#clock.after(pauseMs, resolve));
      }
    }
    this.#script.revision += entries.length;
    this.#row = {};
    this.#beginning = undefined;
    this.begun.resolve();
    return "written";
  }
}
