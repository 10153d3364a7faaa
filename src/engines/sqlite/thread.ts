import { Worker } from "node:worker_threads";

/**
 * A thread of this engine. Its file is what this one is: TypeScript from the source, JavaScript from the package. It
 * inherits the process's flags, and with them the conditions by which imports are resolved.
 */
export function startThread(name: "writer" | "scanner", workerData: unknown): Worker {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return new Worker(new URL(`./${name}.${extension}`, import.meta.url), { workerData, name: `trilith sqlite ${name}` });
}
