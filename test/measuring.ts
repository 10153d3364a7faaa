// For `node --expose-gc --import`: on SIGUSR2 the process says what it holds, as a line of JSON after "holds ".
import { setImmediate as turn } from "node:timers/promises";

/** What a process holds once nobody waits for anything. */
export interface Held {
  readonly heapBytes: number;
  /** By kind: sockets, timers. */
  readonly handles: { readonly [kind: string]: number };
}

process.on("SIGUSR2", async () => {
  // What is found to be unused in one collection may hold what is found in the next.
  for (let round = 0; round < 4; round++) {
    globalThis.gc?.();
    await turn();
  }
  const handles: { [kind: string]: number } = {};
  for (const kind of process.getActiveResourcesInfo()) handles[kind] = (handles[kind] ?? 0) + 1;
  const held: Held = { heapBytes: process.memoryUsage().heapUsed, handles };
  process.stdout.write(`holds ${JSON.stringify(held)}\n`);
});
