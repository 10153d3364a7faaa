import {
  type Adapted,
  type AdaptedWay,
  Fault,
  majorOf,
  type Named,
  type Operation,
  type Problem,
  plainName,
  toProblem,
  validate,
} from "../contracts/index.ts";
import type { RunStatus } from "./ports.ts";
import type { RoutedOperation } from "./route-check.ts";

/** Several versions of one contract side by side: what callers of each see of runs, and how the older ones are told to go. */
export interface Versions {
  /** A run's name for a caller of this operation. With its version where there are several, since its answer depends on it. */
  runName(operation: Operation & Named, run: string): string;
  /** The run that is meant, and the version in which it is asked for. */
  readRun(name: string): { readonly run: string; readonly major?: number };
  /** The operation in whose words a run is shown; undefined where that version is not served. */
  shownAs(present: Operation & Named, major: number | undefined): (Operation & Named) | undefined;
  wayOf(operation: Operation & Named): AdaptedWay | undefined;
  /** `Link` of an answer of an older version: to where the present one answers, if its address is known. */
  linkOf(operation: Operation & Named, params: { readonly [name: string]: string }): string | undefined;
}

export function toVersions(older: readonly Adapted[] = []): Versions {
  const ways = new Map(older.flatMap(({ ways }) => ways.map((way) => [way.older.id, way] as const)));
  const byName = Map.groupBy(older, ({ contract }) => plainName(contract["~contract"].name));
  return {
    runName(operation, run) {
      const { name, version } = operation.about;
      return byName.has(plainName(name)) ? `${run}@${majorOf(version)}` : run;
    },
    readRun(name) {
      const [, run, major] = /^(.+)@(\d{1,9})$/.exec(name) ?? [];
      return run ? { run, major: Number(major) } : { run: name };
    },
    shownAs(present, major) {
      const served = (byName.get(present.about.name) ?? []).toSorted((one, other) => one.major - other.major);
      if (major === majorOf(present.about.version)) return present;
      // A name without a version is from before there were two: whoever has it knows the oldest.
      const adapted = major === undefined ? served : served.filter((one) => one.major === major);
      const way = adapted.flatMap(({ ways }) => ways).find((one) => one.present.id === present.id);
      return way?.older ?? (major === undefined ? present : undefined);
    },
    wayOf: ({ id }) => ways.get(id),
    linkOf(operation, params) {
      const route = ways.get(operation.id)?.present.route;
      if (!route?.params.every((name) => params[name] !== undefined)) return undefined;
      const path = route.path.replaceAll(/\{([^{}]+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ""));
      return `<${path}>; rel="successor-version"`;
    },
  };
}

/** A run in the words of an older version. What that version's contract does not take is an accident, and told as one. */
export async function toOlderStatus(way: AdaptedWay, status: RunStatus): Promise<RunStatus> {
  const { output, progress, problem, ...others } = status;
  return {
    ...others,
    ...(output !== undefined && { output: await downOf(way, output) }),
    ...(progress !== undefined && { progress: way.progress ? way.progress(progress) : progress }),
    ...(problem && { problem: toOlderProblem(way, problem) }),
  };
}

async function downOf({ older, present, down }: AdaptedWay, output: unknown): Promise<unknown> {
  if (!down) return output;
  const read = await validate(present.output, output);
  const lowered = read.ok ? down(read.value) : undefined;
  const checked = await validate(older.output, lowered);
  if (checked.ok) return lowered;
  throw new Fault("InvalidOutput", `The output of ${older.id} breaks its contract: ${checked.issues[0]?.message}`, {
    issues: checked.issues,
  });
}

function toOlderProblem(way: AdaptedWay, problem: Problem): Problem {
  if (!Object.hasOwn(way.present.failures, problem.code)) return problem;
  const failed = way.failure(problem.code, problem.details);
  return failed ? toProblem(failed) : toProblem(new Fault("Internal", "A failure that the contract does not declare."));
}

/** How often each operation of each version was called, and by whom. */
export interface Usage {
  count(operation: RoutedOperation, caller: string): void;
  readonly calls: readonly CountedCalls[];
}
export interface CountedCalls {
  readonly contract: string;
  readonly version: string;
  readonly operation: string;
  readonly caller: string;
  readonly calls: number;
}

const mostLines = 2_000;

/** Counts since the process began. Beyond 2,000 lines further callers are counted together, as "(others)". */
export function countUsage(): Usage {
  const counts = new Map<string, { -readonly [K in keyof CountedCalls]: CountedCalls[K] }>();
  return {
    count({ id, about }, caller) {
      const key = (who: string) => `${id} ${who}`; // an operation's name has no spaces
      const who = counts.size < mostLines || counts.has(key(caller)) ? caller : "(others)";
      const line = counts.get(key(who));
      if (line) line.calls += 1;
      else
        counts.set(key(who), {
          contract: plainName(about.name),
          version: about.version,
          operation: id.slice(id.indexOf(".") + 1),
          caller: who,
          calls: 1,
        });
    },
    get calls() {
      return [...counts.values()];
    },
  };
}
