import type { Finding } from "../frame/rows.ts";
import { hasOneTime, toNumber } from "../frame/table.ts";
import { saysNothingBySpeed } from "./told-by.ts";

/** Every row of a run with --scale: a line for each work and number of clients, a column for each system. */
export function toGrownTable(findings: readonly Finding[]): readonly string[] {
  const systems = [...new Set(findings.map(({ row }) => row.system))];
  const lines: { readonly name: string; readonly cells: Map<string, string> }[] = [];
  for (const finding of findings) {
    const { work, clients, system } = finding.row;
    const name = `${work} | ${clients}`;
    // Several works may give a row of one name, as `loop-delay` beside appends of each size: each has a line.
    const last = lines.findLast((line) => line.name === name);
    if (last && !last.cells.has(system)) last.cells.set(system, toCell(finding));
    else lines.push({ name, cells: new Map([[system, toCell(finding)]]) });
  }
  return [
    "Operations a second; p50 and p99, or the one time that work of a given size took; the most memory; and errors, where",
    "there are any. `loop-delay` stands below the work beside which it was measured.",
    "",
    `| work | clients | ${systems.join(" | ")} |`,
    `|---|--:|${systems.map(() => "---|").join("")}`,
    ...lines.map(({ name, cells }) => `| ${name} | ${systems.map((system) => cells.get(system) ?? "–").join(" | ")} |`),
    "",
  ];
}

function toCell({ row }: Finding): string {
  const { opsPerSecond, p50Ms, p99Ms, errors, peakMemoryMb } = row;
  const speed = saysNothingBySpeed(row) ? [] : [`**${toNumber(opsPerSecond)}**/s`];
  const times = hasOneTime(row) ? `${toNumber(p50Ms)} ms` : `${toNumber(p50Ms)} / ${toNumber(p99Ms)} ms`;
  const failed = errors > 0 ? [`${errors} errors`] : [];
  return [...speed, times, `${toNumber(peakMemoryMb)} MB`, ...failed].join(", ");
}
