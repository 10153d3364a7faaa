import { type Call, type Clock, Fault, type Reply } from "../../contracts/index.ts";
import { type Entry, hasEnded, type Journal, type RunRow } from "../journal/journal.ts";
import type { Workflow } from "../language/workflow.ts";
import { type Rethrow, sentenceOf } from "../replay/thrown.ts";
import type { Verdict } from "../replay/verdict.ts";
import { Endings } from "./endings.ts";

/** What is known of a run from outside. */
export interface RunStatus {
  readonly row: RunRow;
  /** Of a run that is done: its output, as written. */
  readonly output?: unknown;
  /** Of a run that failed: what the caller is told. */
  readonly error?: Error;
  /** Of a run under way: what it last said of itself. */
  readonly progress?: unknown;
}

export interface CallerPorts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly workflowOf: (operation: string) => { readonly workflow: Workflow; readonly rethrow: Rethrow } | undefined;
}

/** Those who wait for runs, and what they are told. */
export class Callers {
  readonly #ports: CallerPorts;
  readonly #endings = new Endings();

  constructor(ports: CallerPorts) {
    this.#ports = ports;
  }

  /** A run has come to an end, or this node can say no more of it. */
  announce(run: string, verdict: Verdict): void {
    this.#endings.announce(run, verdict);
  }

  /** A run may have ended on another node. */
  async endedElsewhere(run: string): Promise<void> {
    if (!this.#endings.isAwaited(run)) return;
    const row = await this.#ports.journal.find(run);
    const verdict = row && (await this.verdictOf(row));
    if (verdict) this.announce(run, verdict);
  }

  /** This node says nothing more of runs that it does not have in memory. */
  letGo(isActive: (run: string) => boolean): void {
    this.#endings.announceAll({ kind: "parked" }, isActive);
  }

  /** Does what begins the run or joins it, and waits for its end as long as the caller does. */
  async wait(run: string, operation: string, call: Call, begin: () => Promise<void>): Promise<Reply> {
    const ended = this.#endings.expect(run);
    let verdict: Verdict | "impatient";
    try {
      await begin();
      verdict = await patiently(ended.verdict, call, this.#ports.clock);
    } finally {
      ended.forget();
    }
    if (verdict === "impatient") return { accepted: true, run };
    if (verdict.kind === "done") return { output: verdict.output, run };
    if (verdict.kind === "failed") throw this.errorOf(operation, verdict);
    if (verdict.kind === "refused") throw verdict.error;
    // Parked, or the journal is out of reach: what was begun goes on elsewhere, so this is not an end.
    if (call.patienceMs !== undefined && verdict.kind === "parked") return { accepted: true, run };
    throw new Fault("Unavailable", `Run ${run} was begun and will go on; ask for it again with the same key.`);
  }

  /** Joins a run that a call with the same key has begun before; false where there is none. */
  async join(run: string, { digest, reads }: Asked, present: Entry | undefined): Promise<boolean> {
    const row = await this.#ports.journal.find(run);
    const started = row ? (await this.#ports.journal.read(run, 0, 1))[0] : present;
    if (!started) return false;
    if (started.type === "Started" && started.digest !== digest && !(await reads(started.input))) {
      throw new Fault("KeyReused", "This key has started a run with another input. Use a new key for a new input.");
    }
    const verdict = row && (await this.verdictOf(row));
    if (verdict) this.announce(run, verdict);
    return true;
  }

  /** Waits for a run's end as long as the caller does; undefined where it is not there by then. */
  async result(row: RunRow, withinMs: number | undefined): Promise<{ readonly output: unknown } | undefined> {
    const { run, operation } = row;
    const ended = this.#endings.expect(run);
    try {
      const present = await this.#ports.journal.find(run); // by now: it may have ended before anybody listened
      const verdict =
        (present && (await this.verdictOf(present))) ??
        (await patiently(ended.verdict, { patienceMs: withinMs }, this.#ports.clock));
      if (verdict === "impatient") return undefined;
      if (verdict.kind === "done") return { output: verdict.output };
      if (verdict.kind === "failed") throw this.errorOf(operation, verdict);
      throw new Fault("Unavailable", `This node says nothing more of run ${run}. Ask again.`);
    } finally {
      ended.forget();
    }
  }

  async status(run: string): Promise<RunStatus | undefined> {
    const row = await this.#ports.journal.find(run);
    if (!row) return undefined;
    const verdict = await this.verdictOf(row);
    if (verdict?.kind === "done") return { row, output: verdict.output };
    if (verdict?.kind === "failed") return { row, error: this.errorOf(row.operation, verdict) };
    const progress = this.#ports.workflowOf(row.operation)?.workflow.operation.progress && (await this.#progress(row));
    return { row, ...(progress && { progress: progress.value }) };
  }

  async #progress({ run, from }: RunRow): Promise<(Entry & { readonly type: "Progress" }) | undefined> {
    const last = await this.#ports.journal.last(run, "Progress", from);
    return last?.type === "Progress" ? last : undefined;
  }

  /** How a run has ended, where it has. */
  async verdictOf({ run, state }: RunRow): Promise<(Verdict & { readonly kind: "done" | "failed" }) | undefined> {
    if (!hasEnded({ state })) return undefined;
    const last = await this.#ports.journal.last(run);
    if (last?.type !== "Ended") return undefined;
    return last.state === "done"
      ? { kind: "done", output: last.output }
      : { kind: "failed", thrown: last.thrown, state: last.state };
  }

  /** What a caller is told: its own operation's failures as they are declared, and anything else as a fault. */
  errorOf(operation: string, { thrown, state }: Verdict & { readonly kind: "failed" }): Error {
    if (state !== "failed")
      return new Fault(state === "cancelled" ? "Cancelled" : "Terminated", sentenceOf(thrown), ends[state]);
    const known = this.#ports.workflowOf(operation);
    if (known && thrown.kind === "failed" && thrown.code in known.workflow.operation.failures) {
      return known.rethrow({ ...thrown, operation });
    }
    if (thrown.kind === "fault" && thrown.code === "Voided")
      return known?.rethrow(thrown) ?? new Fault("Voided", thrown.message);
    if (thrown.kind === "fault" && thrown.code !== "Internal") {
      const message = `It could not be done, and was undone: ${thrown.message.replace(/[.!?]?$/, ".")} Begin anew with a new key.`;
      return new Fault("Unavailable", message, { retry: "later", outcome: "not done" });
    }
    return new Fault("Internal", sentenceOf(thrown), { outcome: "not done" });
  }
}

/** Of a cancelled run everything is taken back; of a terminated one nothing is. */
const ends = { cancelled: { outcome: "not done" }, terminated: { outcome: "unknown" } } as const;

/** What a call asks for: the digest of its input, and whether an input that was stored is the same, read as it is now. */
interface Asked {
  readonly digest: string;
  readonly reads: (stored: unknown) => Promise<boolean>;
}

/** Waits as long as the caller does. */
async function patiently(
  ended: Promise<Verdict>,
  { patienceMs }: { readonly patienceMs?: number | undefined },
  clock: Clock,
): Promise<Verdict | "impatient"> {
  if (patienceMs === undefined) return ended;
  let disarm = (): void => {};
  const over = new Promise<"impatient">((resolve) => {
    disarm = clock.after(patienceMs, () => resolve("impatient"));
  });
  try {
    return await Promise.race([ended, over]);
  } finally {
    disarm();
  }
}
