import { readFileSync } from "node:fs";

/** What processes use while something is measured: CPU, and the most memory that they held at once. */
export interface Consumption {
  readonly cpuSeconds: number;
  readonly peakMemoryMb: number;
}

const everyMs = 25;

/** Watches this process (unless the system is `elsewhere`) and others that belong to it, until what it gives is called. */
export function watchConsumption(pids: readonly number[] = [], elsewhere = false): () => Consumption {
  const before = process.cpuUsage();
  const othersBefore = cpuOf(pids);
  let peak = 0;
  const look = (): void => {
    peak = Math.max(peak, (elsewhere ? 0 : process.memoryUsage.rss()) + memoryOf(pids));
  };
  look();
  const timer = setInterval(look, everyMs);
  return () => {
    clearInterval(timer);
    look();
    const { user, system } = process.cpuUsage(before);
    const own = elsewhere ? 0 : (user + system) / 1e6;
    return { cpuSeconds: own + cpuOf(pids) - othersBefore, peakMemoryMb: peak / 2 ** 20 };
  };
}

// Only Linux tells of other processes in files; elsewhere they count as nothing, and the report names the machine.
const ticksPerSecond = 100;

function cpuOf(pids: readonly number[]): number {
  return sum(pids, (pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond; // utime and stime, see proc(5)
  });
}

function memoryOf(pids: readonly number[]): number {
  return sum(pids, (pid) => 1_024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]));
}

function sum(pids: readonly number[], of: (pid: number) => number): number {
  let total = 0;
  for (const pid of pids) {
    try {
      total += of(pid) || 0;
    } catch {} // it has ended
  }
  return total;
}
