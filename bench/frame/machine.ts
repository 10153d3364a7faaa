import { execFile } from "node:child_process";
import { statfs } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, release, tmpdir, totalmem, type } from "node:os";
import { promisify } from "node:util";

/** What the figures were taken on. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
  /** Of the folder that everything was written to. On one in memory a flush costs nothing, and no figure means much. */
  readonly folderInMemory: boolean;
  /** Processes that wanted a core over the minute before: what else the machine was busy with. */
  readonly load: number;
  /** Of this repository; empty outside a clone. */
  readonly commit: string;
  /** There where what is measured was not as the commit has it. */
  readonly uncommitted?: true;
}

const tmpfs = 0x01021994;

/** What a figure depends on: not the report, which is written from it. */
const measured = [":/src", ":/bench", ":/package.json", ":/package-lock.json"];

export async function lookAtMachine(): Promise<Machine> {
  const commit = await git("rev-parse", "--short", "HEAD");
  const uncommitted = (await git("status", "--porcelain", "--", ...measured)) !== "";
  return {
    processor: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.versions.node,
    folderInMemory: (await statfs(tmpdir())).type === tmpfs,
    load: loadavg()[0] ?? 0,
    commit,
    ...(uncommitted && { uncommitted }),
  };
}

const git = (...words: readonly string[]): Promise<string> =>
  promisify(execFile)("git", words, { cwd: import.meta.dirname }).then(
    ({ stdout }) => stdout.trim(),
    () => "", // not in a clone
  );
