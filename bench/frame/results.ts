import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Machine } from "./machine.ts";
import type { Finding, Row } from "./rows.ts";
import type { Scope } from "./suite.ts";

/** One run of a suite, as it is kept for the report. */
export interface Results {
  readonly suite: string;
  readonly scope: Scope;
  /** When it began, as ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  readonly postgres?: string;
  readonly findings: readonly Finding[];
}

const folder = join(import.meta.dirname, "../results");
const fileOf = (suite: string, scope: Scope): string => join(folder, `${suite}-${scope}.json`);

export async function keepResults(results: Results): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(fileOf(results.suite, results.scope), `${JSON.stringify(results, null, 2)}\n`);
}

export async function readResults(suite: string, scope: Scope): Promise<Results | undefined> {
  const text = await readFile(fileOf(suite, scope), "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Results);
}

/** What `--json` writes: rows and nothing else. */
export async function writeRows(file: string, rows: readonly Row[]): Promise<void> {
  await writeFile(file, `${JSON.stringify(rows, null, 2)}\n`);
}
