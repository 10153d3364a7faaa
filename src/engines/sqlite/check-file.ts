import { Fault } from "../../contracts/index.ts";
import type { FromChecker } from "./checker.ts";
import { startThread } from "./thread.ts";

/** Looks a database file through on a thread of its own, beside whoever reads and writes: a sentence for each thing that is wrong. */
export function checkFile(file: string, ended: AbortSignal): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    const worker = startThread("checker", file);
    const end = (): void => {
      reject(ended.reason);
      void worker.terminate();
    };
    ended.addEventListener("abort", end, { once: true });
    worker.on("message", (sentences: FromChecker) => resolve(sentences));
    worker.on("error", (error) => reject(toFault(error instanceof Error ? error.message : String(error))));
    worker.on("exit", () => {
      ended.removeEventListener("abort", end);
      reject(toFault("Its thread ended."));
    });
  });
}

const toFault = (why: string): Fault => new Fault("Unavailable", `The check did not come to its end. ${why}`);
