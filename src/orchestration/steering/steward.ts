import { randomUUID } from "node:crypto";
import {
  type Clock,
  Fault,
  operationsOf,
  type Principal,
  toJsonSchema,
  toProjection,
  validate,
} from "../../contracts/index.ts";
import { digestOf, toRunId } from "../journal/identity.ts";
import {
  type Control,
  type Entry,
  hasEnded,
  inboxFrom,
  type Journal,
  type NewEntry,
  type RunRow,
} from "../journal/journal.ts";
import { toTicket } from "../language/flow.ts";
import { toPlain } from "../language/plain.ts";
import { toTags } from "../language/tags.ts";
import { type Catalog, nameOf } from "../node/catalog.ts";
import type { Verdict } from "../replay/verdict.ts";
import { toCopy } from "./forking.ts";
import { toOuterEnd } from "./outer-end.ts";
import { toRetry } from "./retrying.ts";
import { datedAt, pauseReason, Steering } from "./steering.ts";

/** What an operator wants of a run. */
export interface Order {
  readonly to: Control["to"] | "retry";
  /** Who asks: it stands in the journal. */
  readonly by: string;
  readonly reason?: string;
  /** The order to many runs that it is part of, and when that was given: each of them follows it once, however often it is told. */
  readonly bulk?: { readonly id: string; readonly at: number };
}
/** What became of an order: taken, and how the run stands at the moment; or why it cannot be followed, in a sentence. */
export type Steered = { readonly ok: true; readonly state: RunRow["state"] } | Declined;
export interface Declined {
  readonly ok: false;
  readonly why: "no such run" | "not now" | "invalid";
  readonly sentence: string;
}
export interface Fork {
  /** The first step that is done anew, as it stands in the journal; all of them, where it is not said. */
  readonly step?: string;
  /** As it is written; the other run's, where it is not said. */
  readonly input?: { readonly value: unknown };
  readonly by: Principal;
  /** The same key forks once. */
  readonly key?: string;
  readonly traceparent: string;
}
export type Forking = { readonly ok: true; readonly run: string } | Declined;
/** What a fork would do a second time: steps that took effect, or may have, whether they were undone since or not. */
export type ForkForeseen = { readonly ok: true; readonly again: readonly string[] } | Declined;

export interface StewardPorts {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly catalog: Catalog;
  readonly newId: (() => string) | undefined;
  /** Something has come into a run's inbox. */
  readonly told: (run: string) => Promise<void>;
  /** Takes up a run that is nobody's, so that it ends. */
  readonly seize: (run: string) => Promise<void>;
  /** A run has come to its end without having been in memory. */
  readonly ended: (row: RunRow, verdict: Verdict) => void;
  /** A run of this operation waits on disk: in line, or due. */
  readonly waits: (operation: string) => void;
}

const tries = 10;

/**
 * Follows operators' orders. A run under way belongs to its owner, so an order goes into its inbox; one that is nobody's
 * and can be nobody's before something is written to it (in line, ended) is written to by whoever is asked, after the
 * revision that was looked at: where somebody else was faster, it looks again.
 */
export class Steward {
  readonly #ports: StewardPorts;
  constructor(ports: StewardPorts) {
    this.#ports = ports;
  }

  async steer(run: string, order: Order): Promise<Steered> {
    const { journal } = this.#ports;
    for (let tried = 1; tried <= tries; tried++) {
      const row = await journal.find(run);
      if (!row) return noSuchRun(run);
      const steered = await this.#steer(row, order);
      if (steered !== "again") return steered;
    }
    return declined(`Run ${run} changes all the time. Try again.`);
  }

  /** What a fork from a step would do again, without forking. Queries are not told of: they change nothing. */
  async foresee(run: string, step: string | undefined): Promise<ForkForeseen> {
    const { journal, catalog } = this.#ports;
    const origin = await journal.find(run);
    if (!origin) return noSuchRun(run);
    const copy = toCopy(run, await journal.read(run, origin.from), step, origin.from);
    if ("refused" in copy) return declined(`Run ${run} cannot be forked so. ${copy.refused}`);
    const uses = (catalog.named(origin.workflow) ?? catalog.of(origin.operation))?.workflow.uses ?? [];
    const queries = new Set(uses.flatMap(operationsOf).flatMap(({ kind, id }) => (kind === "query" ? [id] : [])));
    return { ok: true, again: copy.again.filter((name) => !queries.has(name)) };
  }

  async fork(run: string, { step, input, by, key, traceparent }: Fork): Promise<Forking> {
    const { journal, catalog, clock, newId = randomUUID, waits } = this.#ports;
    const origin = await journal.find(run);
    if (!origin) return noSuchRun(run);
    const entries = await journal.read(run, origin.from);
    const copy = toCopy(run, entries, step, origin.from);
    if ("refused" in copy) return declined(`Run ${run} cannot be forked so. ${copy.refused}`);
    // What was done is replayed by the code that did it; where nothing was, the newest may begin.
    const known = copy.forked.step === undefined ? catalog.of(origin.operation) : catalog.named(origin.workflow);
    if (!known) return declined(`Run ${run} is one of ${origin.workflow}, which this node does not have.`);
    const { workflow } = known;
    const { operation } = workflow;
    const [first] = entries as readonly [Entry & { readonly type: "Started" | "Continued" }]; // toCopy has looked
    const value = input ? toPlain(input.value, "The input") : first.input;
    const written = toProjection(toJsonSchema(operation.input))(value).value;
    const read = await validate(operation.input, written);
    if (!read.ok) {
      const [issue] = read.issues;
      const sentence = `This is no input of ${operation.id}: ${issue?.path ?? ""} ${issue?.message ?? ""}`;
      return { ok: false, why: "invalid", sentence };
    }
    const id = key === undefined ? newId() : toRunId(by.id, `fork of ${run}`, key);
    const now = clock.now();
    const { version, flow } = workflow;
    const digest = digestOf(written);
    const about = { operation: operation.id, version, input: written, digest, principal: by, traceparent };
    const started: Entry & { readonly type: "Started" } = { type: "Started", ...about, forked: copy.forked, at: now };
    const tags = toTags(operation.id, workflow.tags, read.value);
    const row: RunRow = {
      ...{ run: id, operation: operation.id, workflow: nameOf(workflow), owner: null, startedAt: now, endedAt: null },
      ...{ startedBy: by.id, traceparent, reason: null, ...(tags && { tags }) },
      ...(flow && journal.line
        ? { state: "queued", wakeAt: null, ticket: toTicket(operation.id, flow, read.value) }
        : { state: "waiting", wakeAt: now }),
    };
    const appended = await journal.append(id, -1, [started, ...copy.entries], { begin: row });
    if (typeof appended === "object" && "refused" in appended)
      return declined(`Run ${run} cannot be forked so: ${appended.refused}`);
    if (appended === "fenced") {
      const [before] = await journal.read(id, 0, 1);
      if (!isSameFork(before, started, input !== undefined))
        throw new Fault("KeyReused", "This key has forked the run otherwise. Use a new key for another step or input.");
    }
    waits(operation.id);
    return { ok: true, run: id };
  }

  #steer(row: RunRow, order: Order): Promise<Steered | "again"> {
    const { run, state } = row;
    const { to } = order;
    if (to === "retry") return this.#retry(row, order);
    if (hasEnded(row)) {
      const isSo = (to === "cancel" && state === "cancelled") || (to === "terminate" && state === "terminated");
      return Promise.resolve(isSo ? { ok: true, state } : declined(`Run ${run} has ended: it is ${state}.`));
    }
    if (state === "queued") return this.#steerInLine(row, { ...order, to });
    if (to === "resume") return this.#resume(row, { ...order, to });
    if (to === "pause" && state === "paused") return Promise.resolve({ ok: true, state });
    if (state === "paused" && row.ticket && !row.holds) return this.#steerInLine(row, { ...order, to });
    return this.#post(row, { ...order, to });
  }

  async #post(row: RunRow, { to, by, reason, bulk }: Order & { readonly to: Control["to"] }): Promise<Steered> {
    const { journal, clock, told, seize } = this.#ports;
    const { run } = row;
    const control: Control = { to, ...(reason !== undefined && { reason }) };
    const once = bulk && { key: `order ${bulk.id}` };
    await journal.post(run, { signal: "", payload: null, by, at: clock.now(), control, ...once });
    if (to !== "pause") await journal.wake(run, clock.now());
    if (to === "terminate") await seize(run);
    await told(run);
    const { state } = (await journal.find(run)) ?? row;
    return { ok: true, state };
  }

  /** It waits to be let in, or was paused while it did: nobody has it in memory, so there is nobody to ask. */
  async #steerInLine(
    row: RunRow,
    { to, by, reason }: Order & { readonly to: Control["to"] },
  ): Promise<Steered | "again"> {
    const { journal, clock, ended, waits } = this.#ports;
    const { run, operation, state: was, ticket, from = 0 } = row;
    if (to === "resume") return declined(`Run ${run} is queued; only a paused run can be resumed.`);
    const at = clock.now();
    const note: NewEntry = { type: "Steered", to, by, asked: at, ...(reason !== undefined && { reason }) };
    // What is to end at once need not be readable.
    const entries = to === "terminate" ? [] : await journal.read(run, from);
    const last = to === "terminate" ? await journal.revision(run) : from + entries.length - 1;
    const leaves = was === "queued" && ticket && { leaves: ticket };
    if (to === "pause") {
      const why = pauseReason({ by, reason });
      const change = { row: { state: "paused", reason: why }, ...leaves } as const;
      const paused = datedAt(at, [note, { type: "Paused", reason: why }]);
      const appended = await journal.append(run, last, paused, change);
      return typeof appended === "object" ? { ok: true, state: "paused" } : "again";
    }
    if (to === "cancel" && entries.some((entry) => entry.type === "StepStarted" && !entry.copied)) {
      // A retry has brought it here, so there is something to undo, which its code does beside those that were let in.
      const steered = await this.#post(row, { to, by, ...(reason !== undefined && { reason }) });
      if (was === "paused") return steered;
      const change = { row: { state: "waiting", wakeAt: at }, ...leaves } as const;
      if (typeof (await journal.append(run, last, [{ ...note, at }], change)) !== "object") return "again";
      waits(operation);
      return { ok: true, state: "waiting" };
    }
    const { end, change, verdict } = toOuterEnd(row, to, { by, reason }, at);
    const appended = await journal.append(run, last, datedAt(at, [note, end]), { ...change, ...leaves });
    if (typeof appended !== "object") return "again";
    ended({ ...row, state: verdict.state }, verdict);
    waits(operation);
    return { ok: true, state: verdict.state };
  }

  async #resume(row: RunRow, order: Order & { readonly to: "resume" }): Promise<Steered | "again"> {
    const { journal, clock, waits } = this.#ports;
    const { run, state, from, ticket, holds, operation, startedAt } = row;
    const entries = await journal.read(run, from);
    if (state !== "paused") {
      const { standing } = new Steering(entries, await journal.inbox(run, inboxFrom(entries[0])));
      if (standing?.control.to === "pause") return this.#post(row, order);
      return declined(`Run ${run} is ${state}; only a paused run can be resumed.`);
    }
    if (!ticket || !journal.line || holds) return this.#post(row, order);
    const at = clock.now();
    const { by, reason } = order;
    const note: Entry = { type: "Steered", to: "resume", by, asked: at, ...(reason !== undefined && { reason }), at };
    const queues = { ticket, startedAt, revision: (from ?? 0) + entries.length };
    const change = { row: { state: "queued", reason: null }, queues } as const;
    const appended = await journal.append(run, queues.revision - 1, [note], change);
    if (typeof appended !== "object") return "again";
    waits(operation);
    return { ok: true, state: "queued" };
  }

  async #retry(row: RunRow, { by, reason, bulk }: Order): Promise<Steered | "again"> {
    const { journal, clock, waits } = this.#ports;
    const { run, state, from = 0, operation, ticket, startedAt } = row;
    if (!bulk && !hasEnded(row)) return notEnded(row);
    const entries = await journal.read(run, from);
    if (bulk && (await this.#wasRetriedBy(bulk, run, from, entries))) return { ok: true, state };
    if (!hasEnded(row)) return notEnded(row);
    const retry = toRetry(entries, from);
    if ("refused" in retry) return declined(`Run ${run} cannot be retried. ${retry.refused}`);
    const at = clock.now();
    const back = from + retry.back;
    const over = (await journal.inbox(run, inboxFrom(entries[0]))).at(-1)?.revision;
    const about = { by, back, ...(bulk && { bulk: bulk.id }), ...(reason !== undefined && { reason }) };
    const retried: Entry = { type: "Retried", ...about, ...(over !== undefined && { over }), at };
    const revision = from + entries.length;
    const lined = ticket && journal.line;
    const goesOn = {
      endedAt: null,
      reason: null,
      failure: null,
      state: lined ? "queued" : "waiting",
      wakeAt: lined ? null : at,
    } as const;
    const change = { row: goesOn, ...(lined && { queues: { ticket, startedAt, revision } }) };
    const appended = await journal.append(run, revision - 1, [retried], change);
    if (typeof appended !== "object") return "again";
    if ("refused" in appended) return declined(`Run ${run} cannot be retried: ${appended.refused}`);
    waits(operation);
    return { ok: true, state: goesOn.state };
  }

  /** Whether an order to many was followed already: a node may have died before it could say so. */
  async #wasRetriedBy(
    { id, at }: NonNullable<Order["bulk"]>,
    run: string,
    from: number,
    entries: readonly Entry[],
  ): Promise<boolean> {
    const isIt = (entry: Entry): boolean => entry.type === "Retried" && entry.bulk === id;
    if (entries.some(isIt)) return true;
    // Only a stretch that began after the order can have one before it in which it was followed.
    return from > 0 && (entries[0]?.at ?? 0) >= at && (await this.#ports.journal.read(run, 0, from)).some(isIt);
  }
}

const notEnded = ({ run, state }: RunRow): Declined =>
  declined(`Run ${run} is ${state}; only a run that has ended can be retried.`);

/** Whether a fork that is there already is the one that is asked for. */
function isSameFork(
  before: Entry | undefined,
  asked: Entry & { readonly type: "Started" },
  saysInput: boolean,
): boolean {
  if (before?.type !== "Started" || before.forked?.step !== asked.forked?.step) return false;
  // The run's own input is another one once it has continued as new, though nobody asks for anything else.
  return before.digest === asked.digest || (!saysInput && before.forked?.root !== asked.forked?.root);
}

const noSuchRun = (run: string): Declined => ({ ok: false, why: "no such run", sentence: `There is no run ${run}.` });
const declined = (sentence: string): Declined => ({ ok: false, why: "not now", sentence });
