import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Databases } from "./databases.ts";
import { type Finding, type Samples, toFindings } from "./rows.ts";
import type { Suite, Work } from "./suite.ts";
import { type SystemProcess, startSystem } from "./system-process.ts";

export interface RunOptions {
  /** Where systems keep what they keep; everything in it is removed again. */
  readonly folder: string;
  readonly databases: Databases;
  /** Where CPU profiles go, a folder for each work; none are taken unless told. */
  readonly profiles?: string;
  /** Told what is done next. */
  readonly tell: (sentence: string) => void;
}

/** Measures works one after the other. Rejects at the first wrong answer, and then gives no figures at all. */
export async function runWorks(suite: Suite, works: readonly Work[], options: RunOptions): Promise<readonly Finding[]> {
  const samples: Samples[] = [];
  for (const work of works) samples.push(...(await runWork(suite, work, options)));
  return toFindings(suite, samples);
}

interface Taking {
  readonly system: string;
  readonly process: SystemProcess;
}

async function runWork(suite: Suite, work: Work, options: RunOptions): Promise<readonly Samples[]> {
  options.tell(`${suite.name}: ${work.work}, ${work.systems.join(", ")}`);
  await using opened = new AsyncDisposableStack();
  const taking = await all(work.systems.map((system) => open(suite, work, system, options, opened)));
  const samples: Samples[] = [];
  for (const clients of work.clients) {
    if (work.warmUpMs > 0) for (const { process } of taking) await process.round({ clients, forMs: work.warmUpMs });
    if (options.profiles !== undefined) for (const { process } of taking) await process.beginProfile();
    samples.push(...(await takeTurns(work, clients, taking)));
    if (options.profiles !== undefined)
      for (const { system, process } of taking)
        for (const line of await process.endProfile(join(options.profiles, `${work.work}-${clients}`, system)))
          options.tell(line);
  }
  for (const { process } of taking) await process.verify();
  return samples;
}

/** A B C, B C A, C A B: whatever the machine does meanwhile, it does to everybody. */
async function takeTurns(work: Work, clients: number, taking: readonly Taking[]): Promise<readonly Samples[]> {
  const found = new Map<string, { -readonly [K in keyof Samples]: Samples[K] }>();
  for (let round = 0; round < work.rounds; round++) {
    for (let turn = 0; turn < taking.length; turn++) {
      const { system, process } = taking[(turn + round) % taking.length] as Taking; // below the length
      const { measured, consumption } = await process.round({ clients, forMs: work.forMs });
      for (const one of measured) {
        const name = one.work ?? work.work;
        const key = JSON.stringify([name, system]);
        const { what = work.what } = one;
        const samples = found.get(key) ?? { work: name, what, system, version: process.version, clients, rounds: [] };
        found.set(key, { ...samples, rounds: [...samples.rounds, { measured: one, consumption }] });
      }
    }
  }
  return [...found.values()];
}

/** As Promise.all, but nothing is left under way when one has failed. */
async function all<T>(work: readonly Promise<T>[]): Promise<readonly T[]> {
  const settled = await Promise.allSettled(work);
  return settled.map((one) => {
    if (one.status === "rejected") throw one.reason;
    return one.value;
  });
}

async function open(
  suite: Suite,
  { work, as = work, size = 0, sizes }: Work,
  system: string,
  { folder, databases }: RunOptions,
  opened: AsyncDisposableStack,
): Promise<Taking> {
  const declared = suite.systems[system];
  if (!declared) throw new Error(`The suite "${suite.name}" has no system "${system}".`);
  const own = join(folder, `${work}-${system}`);
  await mkdir(own);
  opened.defer(() => rm(own, { recursive: true, force: true }));
  const database = declared.postgres ? await databases.create() : undefined;
  if (database) opened.defer(() => database.drop());
  const place = { folder: own, postgres: database?.url ?? "", size: sizes?.[system] ?? size };
  const started = await startSystem({ name: system, file: declared.file, work: as, place });
  opened.defer(() => started.close());
  return { system, process: started };
}
