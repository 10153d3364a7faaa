import type { Finding, Row } from "./rows.ts";

const columns: readonly (readonly [title: string, of: (finding: Finding) => string])[] = [
  ["work", ({ row }) => row.work],
  ["clients", ({ row }) => String(row.clients)],
  ["system", ({ row }) => row.system],
  ["ops/s", ({ row }) => toNumber(row.opsPerSecond)],
  ["±", toSpread],
  ["p50 ms", ({ row }) => toTimes(row)[0]],
  ["p90 ms", ({ row }) => toTimes(row)[1]],
  ["p99 ms", ({ row }) => toTimes(row)[2]],
  ["errors", ({ row }) => String(row.errors)],
  ["CPU s", ({ row }) => toNumber(row.cpuSeconds)],
  ["MB", ({ row }) => toNumber(row.peakMemoryMb)],
  ["of limit", ({ row }) => toShare(row.ratioToLimit)],
  ["of peer", ({ row }) => toShare(row.ratioToBestPeer)],
];
const textColumns = 3;

/** The findings as lines for a terminal. */
export function toTable(findings: readonly Finding[]): string {
  const rows = [columns.map(([title]) => title), ...findings.map((finding) => columns.map(([, of]) => of(finding)))];
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column < textColumns ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** What systems said beside the figures, a line each. */
export function toRemarks(findings: readonly Finding[]): readonly string[] {
  return findings.flatMap(({ row, notes, firstError }) => {
    const said = Object.entries(notes).map(
      ([name, value]) => `${name} ${typeof value === "number" ? toNumber(value) : value}`,
    );
    const failed = firstError === undefined ? [] : [`first error: ${firstError}`];
    const all = [...said, ...failed];
    return all.length === 0 ? [] : [`${row.work} (${row.clients}), ${row.system}: ${all.join("; ")}`];
  });
}

/** How far the rounds were apart: half of it, either way. One round is not apart from anything. */
export function toSpread({ spread, rounds }: Pick<Finding, "spread" | "rounds">): string {
  return rounds > 1 ? `${Math.round(spread * 50)}%` : "–";
}

/** p50, p90 and p99; work of a given size has one time, and it is said once. */
export function toTimes(row: Row): readonly [string, string, string] {
  const { p50Ms, p90Ms, p99Ms } = row;
  return [
    toNumber(p50Ms),
    ...(hasOneTime(row) ? (["–", "–"] as const) : ([toNumber(p90Ms), toNumber(p99Ms)] as const)),
  ];
}
export const hasOneTime = ({ p50Ms, p90Ms, p99Ms }: Row): boolean => p50Ms === p90Ms && p90Ms === p99Ms;

export function toNumber(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(value >= 1 ? 3 : 2)));
}
export const toShare = (ratio: number | null): string => (ratio === null ? "–" : `${Number(ratio.toPrecision(2))}×`);
