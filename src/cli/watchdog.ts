import { url as inspected } from "node:inspector";
import { Worker } from "node:worker_threads";

/** How often the main thread is to be heard of, and the shortest time in which that means something. */
const beatMs = 250;

/**
 * Ends the process once its main thread has not had a turn for so many ms: code that never gives way holds every run and
 * request in it, and is counted as what ends processes only once it has ended one. 0 is never. A process that is held
 * from outside is not silent, for this counts its own turns and is held with it; one under a debugger is left alone.
 */
export function startWatchdog(silentMs: number): void {
  if (silentMs === 0 || inspected() !== undefined) return;
  const beats = new Int32Array(new SharedArrayBuffer(4));
  const most = Math.max(2, Math.ceil(silentMs / beatMs));
  const worker = new Worker(watch, {
    eval: true,
    execArgv: [], // flags of the program may keep a thread from starting

    name: "trilith watchdog",
    workerData: { beats, most, beatMs, silentMs },
  });
  worker.unref();
  setInterval(() => Atomics.add(beats, 0, 1), beatMs).unref();
}

/** Text, for it has to run as it is where the package is built and where it is not. */
const watch = `
const { workerData } = require("node:worker_threads");
const { writeSync } = require("node:fs");
const { beats, most, beatMs, silentMs } = workerData;
let last = -1;
let silent = 0;
setInterval(() => {
  const now = Atomics.load(beats, 0);
  silent = now === last ? silent + 1 : 0;
  last = now;
  if (silent < most) return;
  writeSync(2, "The main thread has not had a turn for " + silentMs + " ms: some code never gives way. The process is ended, so that its runs go on elsewhere (TRILITH_WATCHDOG).\\n");
  process.kill(process.pid, "SIGKILL");
}, beatMs);
`;
