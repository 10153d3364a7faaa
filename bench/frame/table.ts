import type { Finding } from "./rows.ts";

const columns: readonly (readonly [title: string, of: (finding: Finding) => string])[] = [
  ["work", ({ row }) => row.work],
  ["clients", ({ row }) => String(row.clients)],
  ["system", ({ row }) => row.system],
  ["ops/s", ({ row }) => toNumber(row.opsPerSecond)],
  ["±", ({ spread }) => `${Math.round(spread * 50)}%`],
  ["p50 ms", ({ row }) => toNumber(row.p50Ms)],
  ["p90 ms", ({ row }) => toNumber(row.p90Ms)],
  ["p99 ms", ({ row }) => toNumber(row.p99Ms)],
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

export function toNumber(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(value >= 1 ? 3 : 2)));
}
export const toShare = (ratio: number | null): string => (ratio === null ? "–" : `${Number(ratio.toPrecision(2))}×`);
