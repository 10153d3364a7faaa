/** How long something took, in as few characters as tell it. */
export function duration(ms: number): string {
  if (ms < 0.1) return "0 ms";
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(2)} s`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return two(Math.floor(seconds / 60), "min", seconds % 60, "s");
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return two(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.round(minutes / 60);
  return two(Math.floor(hours / 24), "d", hours % 24, "h");
}

/** For the axis: round numbers, so no digits behind the point that say nothing. */
export function tickLabel(ms: number): string {
  if (ms === 0) return "0";
  if (ms < 1000) return `${ms} ms`;
  return ms < 60_000 ? `${ms / 1000} s` : duration(ms);
}

export function ago(ms: number): string {
  if (ms < 2000) return "now";
  if (ms < 60_000) return `${Math.floor(ms / 1000)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`;
  return `${Math.floor(ms / 3_600_000)} h`;
}

const grouped: Intl.NumberFormat = new Intl.NumberFormat("en");
export const amount = (n: number): string =>
  n > 0 && n < 10 && n % 1 !== 0 ? n.toFixed(1) : grouped.format(Math.round(n));

const clock: Intl.DateTimeFormat = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
});
export const clockTime = (ms: number): string => clock.format(ms);

/** "1 run", "4 runs". */
export const plural = (n: number, one: string, many: string = `${one}s`): string =>
  `${amount(n)} ${n === 1 ? one : many}`;

const two = (a: number, unitA: string, b: number, unitB: string) => `${a} ${unitA}${b > 0 ? ` ${b} ${unitB}` : ""}`;
