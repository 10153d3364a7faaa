import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suites } from "../suites.ts";
import type { Asked } from "./arguments.ts";
import { type Databases, openDatabases } from "./databases.ts";
import { lookAtMachine } from "./machine.ts";
import { installPackages, linkTrilith } from "./packages.ts";
import { keepResults, type Results, writeRows } from "./results.ts";
import { runWorks } from "./rounds.ts";
import type { Suite } from "./suite.ts";
import { toRemarks, toTable } from "./table.ts";

/** Measures what was asked for, prints it, and keeps it. Rejects where anything was wrong; then nothing is kept. */
export async function runBench(asked: Asked): Promise<void> {
  const began = performance.now();
  const tell = (sentence: string): void =>
    console.error(`${((performance.now() - began) / 1_000).toFixed(1).padStart(6)} s  ${sentence}`);
  await installPackages(tell);
  linkTrilith();
  const folder = await mkdtemp(join(tmpdir(), "trilith-bench-"));
  const databases = openDatabases();
  try {
    const all: Results[] = [];
    for (const name of asked.suites) {
      const suite = suites[name];
      if (!suite) throw new Error(`There is no suite "${name}".`);
      const results = await measure(suite, asked, { folder, databases, tell });
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
    await databases.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(
  suite: Suite,
  { scope, works, systems, profile }: Asked,
  ports: { readonly folder: string; readonly databases: Databases; readonly tell: (sentence: string) => void },
): Promise<Results> {
  const machine = await lookAtMachine();
  const date = new Date().toISOString();
  if (machine.folderInMemory)
    ports.tell(`${tmpdir()} is in memory: set TMPDIR to a folder on a disk, or nothing is flushed.`);
  const chosen = suite.works(scope).filter(({ work }) => works?.includes(work) ?? true);
  if (chosen.length === 0)
    throw new TypeError(
      `"${suite.name}" has these works: ${suite
        .works(scope)
        .map(({ work }) => work)
        .join(", ")}.`,
    );
  void profile;
  const findings = await runWorks(suite, chosen, { ...ports, ...(systems && { systems }) });
  const postgres = await ports.databases.version();
  return { suite: suite.name, scope, date, machine, ...(postgres !== undefined && { postgres }), findings };
}
