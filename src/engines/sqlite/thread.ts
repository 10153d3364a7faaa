import { type MessagePort, Worker } from "node:worker_threads";

/**
 * What a thread makes and drops at once lies in here before it is collected. Left to itself it grows to 100 MiB and more,
 * which is most of what a thread takes. The others lose nothing with 6; the writer would be slower by a twentieth.
 */
const youngMb = { writer: 24, flusher: 6, checkpointer: 6, scanner: 6, checker: 6 } as const;

/**
 * A thread of this engine. Its file is what this one is: TypeScript from the source, JavaScript from the package. It
 * inherits the process's conditions by which imports are resolved.
 */
export function startThread(name: keyof typeof youngMb, workerData: unknown, transferList: MessagePort[] = []): Worker {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const file = new URL(`./${name}.${extension}`, import.meta.url);
  const execArgv = flagsForThreads(process.execArgv);
  const resourceLimits = { maxYoungGenerationSizeMb: youngMb[name] };
  return new Worker(file, { workerData, transferList, execArgv, resourceLimits, name: `trilith sqlite ${name}` });
}

/** What tells how imports are resolved and what is warned of. Other flags belong to the program, and may keep a thread from starting. */
function flagsForThreads(flags: readonly string[]): string[] {
  return flags.flatMap((flag, at) => {
    if (/^(--conditions|--disable-warning)=|^--no-warnings$/.test(flag)) return [flag];
    return /^(--conditions|-C)$/.test(flag) ? [`--conditions=${flags[at + 1]}`] : [];
  });
}
