import { median } from "../frame/rows.ts";
import type { Notes } from "../frame/subject.ts";

const everyMs = 100;

/**
 * Watches what this process holds while something is measured: how much more memory and how many more sockets it has in
 * the last quarter of the time than it had in the second. The first one belongs to what has to be warmed up.
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
      "memory grew by, MB": grown(memory),
      "sockets grew by": grown(sockets),
      "sockets at most": Math.max(...sockets),
    };
  };
}

function grown(samples: readonly number[]): number {
  const quarter = Math.ceil(samples.length / 4);
  return Math.round((median(samples.slice(-quarter)) - median(samples.slice(quarter, 2 * quarter))) * 10) / 10;
}
