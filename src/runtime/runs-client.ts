import {
  type AnyCommand,
  type CallerOutput,
  Fault,
  type In,
  type Named,
  nothing,
  type Out,
  type Signal,
  validate,
} from "../contracts/index.ts";
import type { RunBulk, RunStatus, RunSummary } from "../gateway/index.ts";
import type {
  History,
  Order,
  RunCount,
  RunFilter,
  Runner,
  RunQuery,
  TagCondition,
  Tags,
} from "../orchestration/host.ts";
import type { Workflow } from "../orchestration/index.ts";
import { mostCounted, toBulk, toSummary } from "./run-desk.ts";
import { toRuns } from "./runs.ts";

export interface RunPageOf {
  readonly runs: readonly RunSummary[];
  /** For the next page's `after`; missing on the last one. */
  readonly next?: string;
}
export interface Doing {
  /** It stands in the journal. */
  readonly reason?: string;
}
type Action = Order["to"];

/** All runs, for code in the same process. What cannot be done as a run stands throws a sentence. */
export interface RunsClient {
  status(run: string): Promise<RunStatus | undefined>;
  /** The latest first, 50 unless told; at most 200. */
  list(filter?: RunFilter, page?: Partial<RunQuery>): Promise<RunPageOf>;
  /** How many runs of each workflow are in each state, counted to 10,000. */
  counts(): Promise<readonly RunCount[]>;
  /** A run's journal as plain data: what it was given, and what it got back. */
  history(run: string): Promise<History>;
  /** Ends it once what it did is undone. Resolves when the order is on disk, and not when the undo is through. */
  cancel(run: string, doing?: Doing): Promise<void>;
  /** Ends it at once. Nothing is undone, and what is under way may yet take effect. */
  terminate(run: string, doing?: Doing): Promise<void>;
  /** Holds it once what is under way has settled. */
  pause(run: string, doing?: Doing): Promise<void>;
  resume(run: string, doing?: Doing): Promise<void>;
  /** Lets a run go on that has ended with nothing undone: the step that failed is done again. */
  retry(run: string, doing?: Doing): Promise<void>;
  /** Begins a run that has the results of another one up to a step, and goes on from there. Gives back its id. */
  fork(
    run: string,
    from?: { readonly step?: string; readonly input?: unknown; readonly key?: string },
  ): Promise<string>;
  /** Gives an order to all runs that a filter finds, in the background. */
  all(action: Action, filter: RunFilter, doing?: Doing): Promise<RunBulk>;
  /** How far an order to many has come. */
  bulk(id: string): Promise<RunBulk | undefined>;
  /** What a run says of itself, from the last on; ends when the run does. */
  follow(run: string, aborted?: AbortSignal): AsyncIterable<unknown>;
  /** The runs of one command, typed by it; with its workflow, also by its tags. */
  of<Op extends AnyCommand & Named, T extends Tags = Tags>(
    command: Op,
    workflow?: Workflow<Op["id"], string, T>,
  ): RunsOf<Op, T>;
}

type FilterOf<T extends Tags> = Omit<RunFilter, "operation" | "tags"> & {
  readonly tags?: { readonly [K in keyof T]?: TagCondition<Extract<T[K], string | number>> };
};
/** What a command's runs tell of themselves; nothing where its contract declares no progress. */
type ProgressOf<Op extends AnyCommand> = Out<NonNullable<Op["progress"]>>;
export interface RunsOf<Op extends AnyCommand, T extends Tags> {
  /** How one stands, with what it last said of itself. Undefined where there is none, or it is of another command. */
  status(run: string): Promise<(Omit<RunStatus, "progress"> & { readonly progress?: ProgressOf<Op> }) | undefined>;
  /** What one says of itself, from the last on; ends when the run does. */
  follow(run: string, aborted?: AbortSignal): AsyncIterable<ProgressOf<Op>>;
  list(filter?: FilterOf<T>, page?: Partial<RunQuery>): Promise<RunPageOf>;
  /** Waits for its end; undefined where it is not there within so many ms. Throws what its caller would be told. */
  result(run: string, wait: { readonly withinMs: number }): Promise<{ readonly output: CallerOutput<Op> } | undefined>;
  /** On disk when this resolves. Throws a sentence where the run takes it no more. */
  signal<K extends keyof Op["signals"] & string>(
    run: string,
    name: K,
    payload: Op["signals"][K] extends Signal<infer S> ? In<S> : never,
    options?: { readonly key?: string },
  ): Promise<void>;
  all(action: Action, filter: FilterOf<T>, doing?: Doing): Promise<RunBulk>;
}

const by = "system";

export function toRunsClient(runner: Runner, traceparent: () => string): RunsClient {
  const steer =
    (to: Action) =>
    async (run: string, doing: Doing = {}) => {
      const steered = await runner.steer(run, { to, by, ...doing });
      if (!steered.ok) throw new TypeError(steered.sentence);
    };
  const list = async (filter: RunFilter = {}, page: Partial<RunQuery> = {}): Promise<RunPageOf> => {
    const { runs, next } = await runner.search(filter, { limit: 50, ...page });
    return { runs: runs.map(toSummary), ...(next !== undefined && { next }) };
  };
  const all = async (to: Action, filter: RunFilter, doing: Doing = {}) =>
    toBulk(await runner.steerAll(filter, { to, by, ...doing }));
  return Object.freeze({
    status: (run: string) => toRuns(runner).status(run),
    list,
    counts: () => runner.count({}, mostCounted),
    history: (run: string) => runner.history(run),
    cancel: steer("cancel"),
    terminate: steer("terminate"),
    pause: steer("pause"),
    resume: steer("resume"),
    retry: steer("retry"),
    async fork(run: string, { step, input, key }: Parameters<RunsClient["fork"]>[1] = {}) {
      const forked = await runner.fork(run, {
        ...{ by: { id: by, kind: "system", scopes: [] }, traceparent: traceparent() },
        ...(step !== undefined && { step }),
        ...(input !== undefined && { input: { value: input } }),
        ...(key !== undefined && { key }),
      });
      if (!forked.ok) throw new TypeError(forked.sentence);
      return forked.run;
    },
    all,
    async bulk(id: string) {
      const bulk = await runner.bulk(id);
      return bulk && toBulk(bulk);
    },
    follow: (run: string, aborted = new AbortController().signal) => runner.follow(run, aborted),
    of: <Op extends AnyCommand & Named, T extends Tags>(command: Op): RunsOf<Op, T> => ({
      async status(run) {
        const status = await toRuns(runner).status(run);
        if (status?.operation !== command.id) return undefined;
        const { progress, ...others } = status;
        return { ...others, ...(progress !== undefined && { progress: await toProgress(command, run, progress) }) };
      },
      async *follow(run, aborted = new AbortController().signal) {
        for await (const progress of runner.follow(run, aborted)) yield await toProgress(command, run, progress);
      },
      list: (filter = {}, page) => list({ ...(filter as RunFilter), operation: command.id }, page), // the same words, typed by the tags
      async result(run, { withinMs }) {
        const ended = await runner.result(run, withinMs);
        if (!ended) return undefined;
        if (command.output === nothing) return { output: undefined as CallerOutput<Op> };
        const read = await validate(command.output, ended.output);
        if (!read.ok) throw new Fault("InvalidOutput", `The output of run ${run} is not what ${command.id} says now.`);
        return { output: read.value as CallerOutput<Op> }; // its schema has read it
      },
      async signal(run, name, payload, { key } = {}) {
        const outcome = await runner.signal(run, name, payload, { id: by, ...(key !== undefined && { key }) });
        if (outcome !== "taken") throw new TypeError(`The signal "${name}" was not taken by run ${run}: ${outcome}.`);
      },
      all: (to, filter, doing) => all(to, { ...(filter as RunFilter), operation: command.id }, doing), // the same words, typed by the tags
    }),
  });
}

async function toProgress<Op extends AnyCommand & Named>(
  command: Op,
  run: string,
  written: unknown,
): Promise<ProgressOf<Op>> {
  const read = command.progress && (await validate(command.progress, written));
  if (read?.ok) return read.value as ProgressOf<Op>; // its schema has read it
  throw new Fault("InvalidOutput", `What run ${run} says of itself is not what ${command.id} declares now.`);
}
