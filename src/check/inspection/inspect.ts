import { Worker } from "node:worker_threads";
import type { Inspection } from "./inspection.ts";

/** What is to be loaded. Paths are absolute. */
export interface Assignment {
  readonly contractFiles: readonly string[];
  readonly backend?: string;
  /** The URL of a module that exports a `LockJudge` as `judgeLock`, and the lock file, where there is one. */
  readonly lock?: { readonly file?: string; readonly judge: string };
}

/** So long its thread has nothing to do only where a file waits for something, which a file that is loaded must not. */
const waitsMs = 10_000;
/** So long it takes only where a file never ends: ten times what a large project takes on a machine that is busy. */
const worksMs = 120_000;

/**
 * Loads a project's contracts and its backend in a thread of its own, and tells what it sees. A file that throws, exits
 * or never ends is told of like one that is missing; what it prints is dropped.
 */
export async function inspect(assignment: Assignment): Promise<Inspection> {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const worker = new Worker(new URL(`./inspector.${extension}`, import.meta.url), {
    workerData: assignment,
    stdout: true,
    stderr: true,
    execArgv: ["--disable-warning=ExperimentalWarning", ...conditionsOf(process.execArgv)],
    name: "trilith check",
  });
  const last = assignment.backend ?? assignment.contractFiles[0] ?? "";
  const failed = (reason: string): Inspection => ({
    unloadable: [{ file: last, reason }],
    contracts: [],
    suspects: [],
    lock: [],
  });
  return new Promise((resolve) => {
    const began = performance.now();
    const timer = setInterval(() => {
      const { idle } = worker.performance.eventLoopUtilization();
      if (idle > waitsMs) end(failed(`It waits for something: for ${waitsMs / 1_000} seconds it did nothing else.`));
      else if (performance.now() - began > worksMs)
        end(failed(`It has not been loaded after ${worksMs / 1_000} seconds.`));
    }, 250);
    const end = (inspection: Inspection): void => {
      clearInterval(timer);
      resolve(inspection);
      void worker.terminate();
    };
    worker.once("message", end);
    worker.once("error", (error: Error) => end(failed(`The thread that loads it failed. ${error.message}`)));
    worker.once("exit", (code) => end(failed(`It ended the process that loaded it, with code ${code}.`)));
  });
}

/** The flags of this process that tell how imports are resolved; others may keep a thread from starting. */
function conditionsOf(flags: readonly string[]): string[] {
  return flags.flatMap((flag, at) => {
    if (flag.startsWith("--conditions=")) return [flag];
    return flag === "--conditions" || flag === "-C" ? [`--conditions=${flags[at + 1]}`] : [];
  });
}
