import { setTimeout as rest } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { median } from "../frame/rows.ts";
import type { Notes } from "../frame/subject.ts";

const everyMs = 100;
/** Connections that nobody uses are closed by then, on both sides of the process. */
const idleMs = 6_000;

/**
 * Watches what this process holds while something is measured. What counts as memory that it keeps is what a full
 * collection leaves once idle connections are closed, after the time less before it: that is what a leak would be in. How
 * much of the machine's memory it takes (RSS) is stated beside that. It grows as well where nothing is kept, as long as V8
 * finds out how large a young generation suits the pace, and no collection gives that back.
 *
 * RSS and sockets are told by the last quarter of the time less the second: the first one belongs to what has to be
 * warmed up. Of sockets the fewest of a quarter count: a moment in which the machine was busy elsewhere is made up for by
 * many requests at once, each with its connections, which are closed again some seconds later. What is never closed is
 * there all the time.
 */
export async function watchGrowth(forMs: number): Promise<() => Promise<Notes>> {
  const settlingMs = Math.min(idleMs, forMs / 10);
  const rss: number[] = [];
  const sockets: number[] = [];
  const look = (): void => {
    rss.push(process.memoryUsage.rss() / 2 ** 20);
    sockets.push(process.getActiveResourcesInfo().filter((name) => /TCPSocket|TCPWrap/.test(name)).length);
  };
  await rest(settlingMs);
  const before = keptMb();
  const timer = setInterval(look, everyMs);
  return async () => {
    clearInterval(timer);
    look();
    await rest(settlingMs);
    return {
      "memory kept grew by, MB": rounded(keptMb() - before),
      "RSS grew by, MB": grown(rss, median),
      "sockets grew by": grown(sockets, (some) => Math.min(...some)),
      "sockets at most": Math.max(...sockets),
    };
  };
}

/** What is left on the heap, and of the buffers beside it, after a full collection. */
function keptMb(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void; // what the flag gives to contexts that are made from then on
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}

function grown(samples: readonly number[], of: (some: readonly number[]) => number): number {
  const quarter = Math.ceil(samples.length / 4);
  return rounded(of(samples.slice(-quarter)) - of(samples.slice(quarter, 2 * quarter)));
}

const rounded = (figure: number): number => Math.round(figure * 10) / 10;
