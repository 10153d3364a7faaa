import { type Figure, type Goal, type Judged, judge, type RowName } from "../frame/goals.ts";
import type { Finding } from "../frame/rows.ts";
import { toNumber, toShare } from "../frame/table.ts";
import { toClients } from "./told-by.ts";

/** What was to be reached, what was measured, and a paragraph on each goal that was missed or only has to be stated. */
export function toGoalTable(
  goals: readonly Goal[],
  { usual, grown }: { readonly usual: readonly Finding[]; readonly grown: readonly Finding[] },
): readonly string[] {
  if (goals.length === 0) return ["No goals are set for this suite.", ""];
  const judged = goals.map((goal) => judge(goal, goal.scale ? grown : usual));
  return [
    "### Goals",
    "",
    "| work | clients | system | goal | measured | |",
    "|---|--:|---|---|--:|---|",
    ...judged.map((one) => {
      const { work, clients, system } = one.goal.row;
      const scale = one.goal.scale ? ", `--scale`" : "";
      const outcome = one.outcome === "missed" ? "**missed**" : one.outcome;
      return `| ${work}${scale} | ${clients} | ${system} | ${toAim(one.goal)} | ${toMeasured(one)} | ${outcome} |`;
    }),
    "",
    ...paragraphs(judged),
  ];
}

function paragraphs(judged: readonly Judged[]): readonly string[] {
  const told = new Map<string, string[]>();
  for (const one of judged.filter(({ outcome }) => outcome === "missed" || outcome === "stated")) {
    const { row, why } = one.goal;
    const aim = one.outcome === "missed" ? `, and the goal is ${toAim(one.goal)}` : "";
    const beside = one.beside ? ` ${toName(one.beside, row)}` : "";
    const said = `\`${row.work}\` of ${row.system} with ${toClients(row.clients)}: ${toMeasured(one)}${beside}${aim}`;
    told.set(why, [...(told.get(why) ?? []), said]);
  }
  return [...told].flatMap(([why, said]) => [`**${said.join("; ")}.** ${why}`, ""]);
}

/** "at least 0.28× limit-sqlite (100,000 a second where bare inserts give 356,000)", "p99 below 270 ms" */
function toAim({ row, figure, times, reach, from }: Goal): string {
  const others = times?.map((other) => toName(other, row)).join(", ") ?? "";
  const best = (times?.length ?? 0) > 1 ? `the best of ${others}` : others;
  const { name, unit } = figureOf(figure);
  const worked = from === undefined ? "" : ` (${from})`;
  if (!reach) return `stated: ${name}${best && ` beside ${best}`}${worked}`;
  const value = times ? `${toShare(reach.value)} ${best}` : `${toNumber(reach.value)}${unit}`;
  return `${figure === "opsPerSecond" ? "" : `${name}: `}${reach.is} ${value}${worked}`;
}

function toMeasured({ goal: { figure, times }, measured }: Judged): string {
  if (measured === undefined) return "–";
  // Three digits: "above 1×" is reached by 1.03.
  return times ? `${Number(measured.toPrecision(3))}×` : `${toNumber(measured)}${figureOf(figure).unit}`;
}

function figureOf(figure: Figure): { readonly name: string; readonly unit: string } {
  if (typeof figure !== "string") return { name: figure.called ?? figure.note, unit: "" };
  return {
    opsPerSecond: { name: "operations a second", unit: "/s" },
    p50Ms: { name: "p50", unit: " ms" },
    p99Ms: { name: "p99", unit: " ms" },
    errors: { name: "errors", unit: "" },
    peakMemoryMb: { name: "memory at the most", unit: " MB" },
  }[figure];
}

/** A row, by what tells it from another. */
function toName({ work, system, clients }: RowName, than: RowName): string {
  if (work === than.work && clients === than.clients) return system;
  const who = system === than.system ? "" : ` of ${system}`;
  const many = clients === than.clients ? "" : ` with ${toClients(clients)}`;
  return `\`${work}\`${who}${many}`;
}
