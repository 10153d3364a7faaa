import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suites } from "../suites.ts";
import type { Asked } from "./arguments.ts";
import { openDatabases } from "./databases.ts";
import { lookAtMachine } from "./machine.ts";
import { installPackages, linkTrilith } from "./packages.ts";
import { keepResults, type Results, writeRows } from "./results.ts";
import { type RunOptions, runWorks } from "./rounds.ts";
import type { Scope, Suite, Work } from "./suite.ts";
import { toRemarks, toTable } from "./table.ts";

/** Measures what was asked for, prints it, and keeps it. Rejects where anything was wrong; then nothing is kept. */
export async function runBench(asked: Asked): Promise<void> {
  const began = performance.now();
  const tell = (sentence: string): void =>
    console.error(`${((performance.now() - began) / 1_000).toFixed(1).padStart(6)} s  ${sentence}`);
  const plans = asked.suites.map((name) => plan(name, asked));
  if (plans.some(({ suite, works }) => works.some((work) => needsPackages(suite, work)))) await installPackages(tell);
  linkTrilith();
  const folder = await mkdtemp(join(tmpdir(), "trilith-bench-"));
  const databases = openDatabases();
  // The systems end with this process, and PostgreSQL has a guard of its own.
  const interrupted = (): void => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(130);
  };
  process.once("SIGINT", interrupted);
  try {
    const all: Results[] = [];
    for (const { suite, works } of plans) {
      const results = await measure(suite, works, asked.scope, {
        ...{ folder, databases, tell },
        ...(asked.profile && { profiles: await emptied(join(import.meta.dirname, "../results/profiles", suite.name)) }),
      });
      all.push(results);
      console.log(`\n${toTable(results.findings)}\n\n${toRemarks(results.findings).join("\n")}\n`);
      if (asked.works === undefined && asked.systems === undefined && !asked.profile) await keepResults(results);
    }
    if (asked.json !== undefined) {
      await writeRows(
        asked.json,
        all.flatMap(({ findings }) => findings.map(({ row }) => row)),
      );
    }
  } finally {
    process.off("SIGINT", interrupted);
    await databases.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function emptied(folder: string): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  return folder;
}

interface Plan {
  readonly suite: Suite;
  readonly works: readonly Work[];
}

function plan(name: string, { scope, works, systems }: Asked): Plan {
  const suite = suites[name];
  if (!suite) throw new TypeError(`There is no suite "${name}".`);
  const all = suite.works(scope);
  const chosen = all
    .filter(({ work }) => works?.includes(work) ?? true)
    .map((work) => ({ ...work, systems: work.systems.filter((system) => systems?.includes(system) ?? true) }))
    .filter((work) => work.systems.length > 0);
  if (chosen.length > 0) return { suite, works: chosen };
  throw new TypeError(
    `"${name}" has the works ${all.map(({ work }) => work).join(", ")}, and the systems ${Object.keys(suite.systems).join(", ")}.`,
  );
}

const needsPackages = (suite: Suite, work: Work): boolean =>
  work.systems.some((system) => suite.systems[system]?.installed);

async function measure(suite: Suite, works: readonly Work[], scope: Scope, ports: RunOptions): Promise<Results> {
  const machine = await lookAtMachine();
  const date = new Date().toISOString();
  if (machine.folderInMemory)
    ports.tell(`${tmpdir()} is in memory: set TMPDIR to a folder on a disk, or nothing is flushed.`);
  if (machine.load > machine.cores / 2)
    ports.tell(
      `The machine is busy with something else (load ${machine.load.toFixed(1)}), so only ratios mean anything.`,
    );
  const findings = await runWorks(suite, works, ports);
  const postgres = await ports.databases.version();
  return { suite: suite.name, scope, date, machine, ...(postgres !== undefined && { postgres }), findings };
}
