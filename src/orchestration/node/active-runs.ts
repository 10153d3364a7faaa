import type { Clock, Dispatch, Tracing } from "../../contracts/index.ts";
import type { Appended, Change, Entry, Journal, RunRow } from "../journal/journal.ts";
import { tooMuchOf } from "../journal/limits.ts";
import type { Events } from "../language/events.ts";
import { type AttemptEvent, Execution } from "../replay/execution.ts";
import { Places } from "../replay/places.ts";
import { Rests } from "../replay/rests.ts";
import type { Verdict } from "../replay/verdict.ts";
import type { Catalog, Known } from "./catalog.ts";
import { Roster } from "./roster.ts";

export interface ActiveRunsPorts {
  readonly journal: Journal;
  readonly dispatch: Dispatch;
  readonly clock: Clock;
  readonly tracing: Tracing;
  readonly random: () => number;
  readonly suspendAfterMs: number;
  readonly evict: "waiting" | "always";
  readonly events: Events | undefined;
  readonly catalog: Catalog;
  readonly attemptFailed: ((event: AttemptEvent) => void) | undefined;
  /** How a failure is told, for the trace. */
  readonly errorOf: (operation: string, verdict: Verdict & { readonly kind: "failed" }) => Error;
  /** A run has written something that was claimed by several nodes in succession. */
  readonly progressed: (run: string) => void;
  /** A run has left memory. `told`: something came into its inbox while it was in memory. */
  readonly left: (row: RunRow, verdict: Verdict, about: { readonly told: boolean; readonly begun: boolean }) => void;
}

/** The runs that one node has in memory. */
export class ActiveRuns {
  readonly #ports: ActiveRunsPorts;
  readonly #places = new Places();
  readonly #rests = new Rests();
  readonly #active = new Roster<Execution>();
  /** How many have not left: at least those that are active. */
  #staying = 0;
  #onSettled: (() => void)[] = [];
  /** Runs that were told something while they were in memory: they may have suspended without having seen it. */
  readonly #told = new Set<string>();

  constructor(ports: ActiveRunsPorts) {
    this.#ports = ports;
  }

  get size(): number {
    return this.#active.size;
  }
  has(run: string): boolean {
    return this.#active.has(run);
  }

  /** Of a run that is about to begin here: its first entry. */
  beginningOf(run: string): Entry | undefined {
    const begin = this.#active.get(run)?.parts.begin;
    return begin && { ...begin.started, at: begin.row.startedAt };
  }

  /** Resolves when a run that is about to begin here is on disk. */
  begunOf(run: string): Promise<void> | undefined {
    const execution = this.#active.get(run);
    return execution?.parts.begin && execution.begun;
  }

  /** Something is about to come into a run's inbox. */
  tell(run: string): void {
    if (this.#active.has(run)) this.#told.add(run);
  }

  /** Something has come into a run's inbox: it looks, if it is here. */
  async poke(run: string): Promise<void> {
    this.tell(run);
    await this.#active.get(run)?.poke();
  }

  activate(
    { workflow, rethrow, shapes }: Known,
    row: RunRow,
    parts: Pick<Execution["parts"], "input" | "entries" | "inbox" | "begin" | "replayed">,
    size = 0,
  ): Execution {
    const { tracing, catalog, errorOf } = this.#ports;
    const { run, traceparent } = row;
    const isEnding = () => execution.code.undoing || execution.code.end !== undefined;
    const journal = journalOf(row, this.#ports, { isEnding, size });
    const execution: Execution = new Execution({
      run,
      workflow,
      newest: catalog.of(workflow.id)?.workflow ?? workflow,
      parent: parentOf(row),
      from: row.from ?? 0,
      input: parts.input,
      entries: parts.entries,
      inbox: parts.inbox,
      begin: parts.begin,
      replayed: parts.replayed,
      journal,
      dispatch: this.#ports.dispatch,
      clock: this.#ports.clock,
      random: this.#ports.random,
      rethrow,
      shapes,
      places: this.#places,
      rests: this.#rests,
      suspendAfterMs: this.#ports.suspendAfterMs,
      evict: this.#ports.evict,
      events: this.#ports.events,
      attemptFailed: this.#ports.attemptFailed,
    });
    this.#active.set(run, execution);
    const about = { "trilith.run": run, "trilith.workflow": workflow.id, "trilith.resumed": parts.begin === undefined };
    const activation = tracing.continue(traceparent).span("run", workflow.id, about, async (trace) => {
      const verdict = await execution.act(trace);
      trace.set({ "trilith.state": verdict.kind });
      if (verdict.kind === "failed" && verdict.thrown.kind === "failed")
        if (catalog.declares(workflow.id, verdict.thrown.code)) trace.set({ "trilith.failure": verdict.thrown.code });
      if (verdict.kind === "failed") throw Object.assign(errorOf(workflow.id, verdict), { verdict });
      return verdict;
    });
    this.#staying++;
    void activation
      .catch((error: { verdict?: Verdict }) => error.verdict ?? ({ kind: "lost", error } as const))
      .then((verdict) => this.#leave(row, execution, verdict))
      .finally(() => this.#left());
    return execution;
  }

  /** Lets go of every run: once its actions have settled, or at once. */
  park(when: "when settled" | "now"): void {
    for (const [, execution] of this.#active.entries()) execution.park(when);
  }

  /** Forgets every run without a word to the journal: they are not this node's any more. */
  drop(): void {
    for (const [, execution] of this.#active.entries()) execution.drop();
  }

  /** Resolves when no run is in memory any more. */
  async settled(): Promise<void> {
    while (this.#staying > 0) await new Promise<void>((resolve) => this.#onSettled.push(resolve));
  }

  #left(): void {
    if (--this.#staying > 0) return;
    for (const tell of this.#onSettled.splice(0)) tell();
  }

  #leave(row: RunRow, execution: Execution, verdict: Verdict): void {
    const { run } = row;
    if (this.#active.get(run) === execution) this.#active.delete(run);
    const told = this.#told.delete(run);
    this.#ports.left(row, verdict, { told, begun: execution.parts.begin === undefined });
  }
}

const byRun = "run:";
/** The run that began a run and waits for its end. */
export const parentOf = ({ startedBy }: RunRow): string | undefined =>
  startedBy.startsWith(byRun) ? startedBy.slice(byRun.length) : undefined;

/** How large a run's journal is, and whether the run has come so far that what it writes brings it to its end. */
interface Extent {
  readonly isEnding: () => boolean;
  readonly size: number;
}

/** The journal as one run writes to it: with its limit, without a suspicion once it was let go of, and with what its end frees. */
export function journalOf(
  { run, claims = 0, ticket: stoodWith, holds = false, from = 0, owner }: RunRow,
  { journal, progressed }: Pick<ActiveRunsPorts, "journal" | "progressed">,
  { isEnding, size: before }: Extent,
): Execution["parts"]["journal"] {
  const ticket = holds ? stoodWith : undefined;
  let size = before;
  const noted = (appended: Appended): Appended => {
    if (typeof appended !== "object" || !("position" in appended)) return appended;
    size += appended.size;
    if (claims > 0) progressed(run);
    return appended;
  };
  const append: Journal["append"] = (run, revision, entries, change) => {
    const refused = tooMuchOf(revision + 1 - from, size, entries, isEnding);
    if (refused !== undefined) return Promise.resolve({ refused });
    return journal.append(run, revision, entries, change.row ? ofRow(change) : change).then(noted);
  };
  const ofRow = (change: Change): Change => {
    const { row } = change;
    const calm = row?.owner === null && claims > 0 && { claims: 0 };
    const asleep = row?.awaits && { asleepBy: owner };
    const frees = typeof row?.endedAt === "number" && ticket ? { frees: ticket } : {};
    return { ...change, row: { ...row, ...calm, ...asleep }, ...frees, size };
  };
  return { append, inbox: (run, from) => journal.inbox(run, from) };
}
