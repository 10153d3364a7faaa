import { median } from "../frame/rows.ts";
import type { Notes } from "../frame/subject.ts";

const everyMs = 100;

/**
 * Watches what this process holds while something is measured: how much more memory and how many more sockets it has in
 * the last quarter of the time than it had in the second. The first one belongs to what has to be warmed up. Of sockets
 * the fewest of a quarter count: a moment in which the machine was busy elsewhere is made up for by many requests at
 * once, each with its connections, which are closed again some seconds later. What is never closed is there all the time.
 */
export function watchGrowth(): () => Notes {
  const memory: number[] = [];
  const sockets: number[] = [];
  const look = (): void => {
    memory.push(process.memoryUsage.rss() / 2 ** 20);
    sockets.push(process.getActiveResourcesInfo().filter((name) => /TCPSocket|TCPWrap/.test(name)).length);
  };
  const timer = setInterval(look, everyMs);
  return () => {
    clearInterval(timer);
    look();
    return {
      "memory grew by, MB": grown(memory, median),
      "sockets grew by": grown(sockets, (some) => Math.min(...some)),
      "sockets at most": Math.max(...sockets),
    };
  };
}

function grown(samples: readonly number[], of: (some: readonly number[]) => number): number {
  const quarter = Math.ceil(samples.length / 4);
  return Math.round((of(samples.slice(-quarter)) - of(samples.slice(quarter, 2 * quarter))) * 10) / 10;
}
