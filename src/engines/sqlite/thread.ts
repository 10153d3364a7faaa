import { Worker } from "node:worker_threads";

/**
 * A thread of this engine. Its file is what this one is: TypeScript from the source, JavaScript from the package. It
 * inherits the process's flags, and with them the conditions by which imports are resolved.
 */
export function startThread(name: "writer" | "scanner" | "checker", workerData: unknown): Worker {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const file = new URL(`./${name}.${extension}`, import.meta.url);
  return new Worker(file, { workerData, execArgv: flagsForThreads(process.execArgv), name: `trilith sqlite ${name}` });
}

/** What belongs to a program given on the command line (`node -e`) would keep a thread from loading its file. */
function flagsForThreads(flags: readonly string[]): string[] {
  const program = flags.findIndex((flag) => /^(-e|-p|-pe|--eval|--print)$/.test(flag));
  const kept = program < 0 ? flags : flags.toSpliced(program, 2);
  return kept.filter((flag) => !/^--(input-type|eval|print)/.test(flag));
}
