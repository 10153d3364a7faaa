import { type Clock, type Dispatch, silent, validate } from "../../contracts/index.ts";
import { Entries } from "../journal/entries.ts";
import { digestOf } from "../journal/identity.ts";
import type { Entry, Journal, NewEntry } from "../journal/journal.ts";
import { toShapes } from "../language/shapes.ts";
import type { Workflow } from "../language/workflow.ts";
import { toReplay } from "../steering/retrying.ts";
import { sideBySide } from "./difference.ts";
import { Execution } from "./execution.ts";
import { Places } from "./places.ts";
import { Rests } from "./rests.ts";
import { toRethrow } from "./thrown.ts";

/** A run's journal as plain data, to be kept as JSON and replayed against later code. */
export interface History {
  readonly run: string;
  /** The workflow in its version: `trips.book@1`. */
  readonly workflow: string;
  readonly entries: readonly Entry[];
}

export async function toHistory(run: string, journal: Pick<Journal, "find" | "read">): Promise<History> {
  const row = await journal.find(run);
  if (!row) throw new TypeError(`There is no run ${run}.`);
  return { run, workflow: row.workflow, entries: await journal.read(run) };
}

/**
 * Replays a history against the present code and does nothing: no action, no write. Resolves where the code does what
 * the history says, as far as it goes; otherwise throws with the first difference, the journal's line above the code's.
 */
export async function replay(workflow: Workflow, { run, entries }: History): Promise<void> {
  for (const [from, stretch] of stretchesOf(entries)) await replayStretch(workflow, run, from, toReplay(stretch, from));
}

/** Each begins with an empty journal; the entry that begins a further one is how the one before it ended. */
function* stretchesOf(entries: readonly Entry[]): Generator<readonly [number, readonly Entry[]]> {
  let from = 0;
  for (const [at, { type }] of entries.entries()) {
    if (type !== "Continued" || at === from) continue;
    yield [from, entries.slice(from, at + 1)];
    from = at;
  }
  yield [from, entries.slice(from)];
}

async function replayStretch(workflow: Workflow, run: string, from: number, entries: readonly Entry[]): Promise<void> {
  const [started] = entries;
  if (started?.type !== "Started" && started?.type !== "Continued")
    throw new TypeError(`The history of run ${run} has no beginning. Export it whole.`);
  if (started.operation !== workflow.id)
    throw new TypeError(`The history is one of ${started.operation}, and the workflow is one of ${workflow.id}.`);
  const read = await validate(workflow.operation.input, started.input);
  if (!read.ok) {
    const [issue] = read.issues;
    throw new Error(`The run's input does not fit its contract any more: ${issue?.path ?? ""} ${issue?.message ?? ""}`);
  }
  const execution = new Execution({
    ...{ run, workflow, newest: workflow, parent: undefined, from, input: read.value, inbox: [] },
    entries: Entries.of(entries),
    ...{ journal: noJournal, dispatch: noDispatch, clock: standingClock(entries), events: undefined },
    ...{ places: new Places(), rests: new Rests(), random: () => 0, suspendAfterMs: 0, evict: "waiting" },
    ...{ rethrow: toRethrow(workflow.uses, workflow.operation), shapes: toShapes(workflow), rehearsal: true },
  });
  const verdict = await execution.act(silent);
  const where = `Run ${run} does not replay with this code of ${workflow.id}.\n`;
  if (verdict.kind === "paused") throw new Error(`${where}${verdict.reason}`);
  if (verdict.kind === "lost") throw verdict.error;
  const end = entries.at(-1);
  if (verdict.kind !== "rehearsed" || !end) return;
  if (end.type === "Ended" && end.state === "terminated") return; // its code knows nothing of it
  if (end.type !== "Ended" && (end.type !== "Continued" || entries.length === 1)) return; // it is still under way
  const last = from + entries.length - 1;
  const { ended, asked } = verdict;
  if (asked || !ended) throw new Error(`${where}${execution.script.beyond(last, asked).message}`);
  if (digestOf(bare(ended)) === digestOf(bare(end))) return;
  const lines = sideBySide(last, JSON.stringify(bare(end)), JSON.stringify(bare(ended)));
  throw new Error(`${where}It comes to another end.\n${lines}`);
}

/** An end without what is no part of it. */
function bare(end: NewEntry): object {
  if (end.type === "Continued") return { type: end.type, input: end.input };
  const { at: _at, ...said } = end as Entry;
  return said;
}

/** Time stands still; what waits for code of its own is given a little real time. */
function standingClock(entries: readonly Entry[]): Clock {
  const now = entries.at(-1)?.at ?? 0;
  return {
    now: () => now,
    monotonic: () => 0,
    after(_ms, wake) {
      const timer = setTimeout(wake, 100);
      return () => clearTimeout(timer);
    },
  };
}

const refuse = (): Promise<never> =>
  Promise.reject(new Error("A replay of a history writes nothing and does nothing."));
const noJournal = { append: refuse, inbox: refuse };
const noDispatch: Dispatch = { call: refuse, void: refuse };
