import { randomUUID } from "node:crypto";
import {
  type Call,
  type Clock,
  Fault,
  type Reply,
  silent,
  toCanonicalJson,
  type Voided,
  validateStored,
} from "../../contracts/index.ts";
import { Entries } from "../journal/entries.ts";
import { digestOf, toRunId } from "../journal/identity.ts";
import type { Entry, Journal, NewEntry, RunRow } from "../journal/journal.ts";
import { toTicket } from "../language/flow.ts";
import { toTags } from "../language/tags.ts";
import type { Workflow } from "../language/workflow.ts";
import { Committer } from "../replay/committer.ts";
import { Script } from "../replay/script.ts";
import type { Verdict } from "../replay/verdict.ts";
import type { ActiveRuns } from "./active-runs.ts";
import type { Callers } from "./callers.ts";
import { type Catalog, type Known, nameOf } from "./catalog.ts";

export interface BeginnerPorts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly catalog: Catalog;
  readonly callers: Callers;
  readonly active: ActiveRuns;
  /** By default random. */
  readonly newId: (() => string) | undefined;
  /** The id by which this node owns runs now; nothing where a new run has to wait on disk. */
  readonly owner: () => string | undefined;
  /** A run waits on disk: in line for its operation, or due. */
  readonly waits: (row: RunRow) => void;
}

/** Begins runs: in memory where there is room and no limit, and on disk otherwise. */
export class Beginner {
  readonly #ports: BeginnerPorts;
  constructor(ports: BeginnerPorts) {
    this.#ports = ports;
  }

  /** Begins the run that a call asks for, or joins it, and waits for its end as long as the caller does. */
  async handle(workflow: Workflow, input: unknown, call: Call, written: unknown): Promise<Reply> {
    const { newId = randomUUID, callers, active } = this.#ports;
    const run = call.key === undefined ? newId() : toRunId(call.principal.id, workflow.id, call.key);
    const digest = digestOf(written);
    // A call is repeated across a deployment: what it said then is, led to the present shape, what it says now.
    const reads = (stored: unknown): Promise<boolean> => isSameInput(workflow, stored, input);
    const begin = async (): Promise<void> => {
      const join = async (): Promise<boolean> => {
        const begun = active.begunOf(run);
        if (!(await callers.join(run, { digest, reads }, active.beginningOf(run)))) return false;
        await begun?.catch(unwritten); // whoever joins is told of a run when it is on disk, as is whoever began it
        return true;
      };
      if (call.key !== undefined && (await join())) return;
      // Another call with the same key may have been faster meanwhile.
      if (!(await this.#begin(workflow, run, input, written, digest, call))) await join();
    };
    const tells = call.principal.kind === "run";
    const waitsMs = (this.#laterThanNow(call) ?? 0) - this.#ports.clock.now();
    if (call.detached || (call.patienceMs !== undefined && waitsMs > call.patienceMs)) {
      await begin();
      return { accepted: true, run, tells };
    }
    const reply = await callers.wait(run, workflow.id, call, begin);
    return "accepted" in reply ? { ...reply, tells } : reply;
  }

  /** Refuses the key of a run that has not begun, for good; otherwise says how the run has ended, where it has. */
  async void(workflow: Workflow, key: string, call: Call): Promise<Voided> {
    const { journal, clock, callers } = this.#ports;
    const run = toRunId(call.principal.id, workflow.id, key);
    const thrown = { kind: "fault", code: "Voided", message: `${workflow.id} was given up before it began.` } as const;
    const row: RunRow = { ...this.#rowOf(workflow, run, call), state: "failed", endedAt: clock.now() };
    const tombstone: Entry = { type: "Ended", state: "failed", thrown, at: clock.now() };
    const appended = await journal.append(run, -1, [tombstone], { begin: row });
    if (appended !== "fenced") return { took: false };
    const present = await journal.find(run);
    const verdict = present && (await callers.verdictOf(present));
    if (verdict?.kind === "done") return { took: true, wire: verdict.output };
    // Only what never began has certainly done nothing: what failed can be retried, or has left earlier stretches.
    const why = verdict?.kind === "failed" ? verdict.thrown : undefined;
    return why?.kind === "fault" && why.code === "Voided" ? { took: false } : { took: "unknown" };
  }

  /** Resolves once the run is on disk: false where it was there already. */
  async #begin(
    workflow: Workflow,
    run: string,
    input: unknown,
    written: unknown,
    digest: string,
    call: Call,
  ): Promise<boolean> {
    const { catalog, active, owner, waits } = this.#ports;
    if (active.has(run)) return false;
    const { version } = workflow;
    const { principal } = call;
    const tags = toTags(workflow.id, workflow.tags, input);
    const row = { ...this.#rowOf(workflow, run, call), ...(tags && { tags }) };
    const { operation, traceparent } = row;
    const started = { type: "Started", operation, version, input: written, digest, principal, traceparent } as const;
    const later = this.#laterThanNow(call);
    const node = workflow.flow || later !== undefined ? undefined : owner();
    const verdict =
      node === undefined
        ? await this.#queue(started, this.#waiting(workflow, row, input, later))
        : await active
            .activate(
              catalog.named(row.workflow) as Known,
              { ...row, owner: node },
              {
                // it is of this catalog
                ...{ input, entries: Entries.of([]), inbox: [] },
                begin: { row: { ...row, owner: node }, started },
              },
            )
            .begun.then(
              () => undefined,
              (verdict: Verdict) => verdict,
            );
    if (!verdict && node === undefined) waits(row);
    if (!verdict) return true;
    if (verdict.kind === "fenced" && call.key !== undefined) return false;
    if (verdict.kind === "refused") throw verdict.error;
    const cause = verdict.kind === "lost" ? verdict.error : undefined;
    return unwritten(cause);
  }

  /** Writes a run down that begins later: a row and an index entry, and nothing in memory. */
  async #queue(started: NewEntry & { readonly type: "Started" }, row: RunRow): Promise<Verdict | undefined> {
    const { journal, clock } = this.#ports;
    const script = new Script(Entries.of([]), () => row.startsAt ?? clock.now()); // its own time begins when it does
    script.write(started);
    const beginning = { row, started };
    const committed = await new Committer({
      ...{ journal, run: row.run, script, clock, beginning },
      trace: () => silent,
      inboxSeen: () => ({ revision: -1 }),
    }).commit();
    return typeof committed === "object" ? committed : undefined;
  }

  #laterThanNow({ startAt, startAfterMs }: Call): number | undefined {
    const now = this.#ports.clock.now();
    const at = startAt ?? (startAfterMs === undefined ? undefined : now + startAfterMs);
    return at !== undefined && at > now ? at : undefined;
  }

  #waiting(workflow: Workflow, row: RunRow, input: unknown, later: number | undefined): RunRow {
    const { clock, journal } = this.#ports;
    // Whoever is due later takes a place in line then.
    if (later !== undefined) return { ...row, state: "waiting", wakeAt: later, startsAt: later };
    if (!workflow.flow || !journal.line) return { ...row, state: "waiting", wakeAt: clock.now() };
    return { ...row, state: "queued", ticket: toTicket(workflow.id, workflow.flow, input) };
  }

  #rowOf(workflow: Workflow, run: string, { principal, key, trace: { traceparent } }: Call): RunRow {
    return {
      run,
      operation: workflow.id,
      workflow: nameOf(workflow),
      state: "running",
      owner: null,
      wakeAt: null,
      startedAt: this.#ports.clock.now(),
      endedAt: null,
      startedBy: principal.id,
      ...(key !== undefined && principal.kind !== "run" && { key }),
      traceparent,
      reason: null,
    };
  }
}

function unwritten(cause: unknown): never {
  throw new Fault("Unavailable", "The run could not be written to the log. Try again with the same key.", { cause });
}

async function isSameInput({ operation }: Workflow, stored: unknown, input: unknown): Promise<boolean> {
  if (operation.earlier.length === 0) return false;
  const read = await validateStored(operation, stored);
  return read.ok && toCanonicalJson(read.value) === toCanonicalJson(input);
}
