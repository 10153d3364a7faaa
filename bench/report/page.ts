import type { Results } from "../frame/results.ts";
import type { Finding } from "../frame/rows.ts";
import type { Reasons } from "../frame/suite.ts";
import { toNumber, toRemarks, toShare } from "../frame/table.ts";

/** A suite as it stands in the report. Pictures are told by their files, relative to the page. */
export interface Chapter {
  readonly results: Results;
  readonly reasons: Reasons;
  readonly bars: string;
  readonly grown: readonly { readonly title: string; readonly file: string }[];
}

/** docs/benchmarks.md, from what was measured and nothing else. */
export function toPage(chapters: readonly Chapter[]): string {
  const [first] = chapters;
  if (!first) throw new Error("Nothing was measured yet. Run npm run bench -- all.");
  return [
    "# Benchmarks",
    "",
    "Written by `npm run bench -- report` from the last runs; nobody edits it by hand. Figures of one run stand beside each",
    "other and are worth something as ratios: the same machine on another day gives others. How it is measured, and how to",
    "repeat it, is in [bench/README.md](../bench/README.md).",
    "",
    ...machine(first.results),
    ...chapters.flatMap(chapter),
  ]
    .join("\n")
    .replace(/\n{3,}/g, "\n\n");
}

function machine({ machine, postgres }: Results): readonly string[] {
  const { processor, cores, memoryGb, system, node, folderInMemory, commit } = machine;
  return [
    "| | |",
    "|---|---|",
    `| machine | ${processor}, ${cores} cores, ${memoryGb} GB, ${system} |`,
    `| Node | ${node} |`,
    `| PostgreSQL | ${postgres ?? "see below"}, \`fsync=on\`, \`synchronous_commit=on\`, the same server for everybody |`,
    `| files | ${folderInMemory ? "in memory: a flush costs nothing here" : "on a disk"} |`,
    ...(commit ? [`| commit | ${commit} |`] : []),
    "",
    "**of limit** is the share of what the machine does with nothing around it; **of peer** is how many times as fast as the",
    "best of what one would pick instead. **±** is half the distance between the best and the worst round, as a share of the",
    "median. CPU seconds and memory are those of the system's own processes, without the shared PostgreSQL.",
    "",
  ];
}

function chapter({ results, reasons, bars, grown }: Chapter): readonly string[] {
  const { suite, scope, date, findings, machine } = results;
  const impression = scope === "quick" ? " With `--quick`: an impression, no more." : "";
  const { load, cores } = machine;
  const busy = load > cores / 2 ? ` The machine was busy with something else as well (load ${load.toFixed(1)}).` : "";
  const remarks = toRemarks(findings);
  return [
    `## ${suite[0]?.toUpperCase()}${suite.slice(1)}`,
    "",
    `Measured on ${date.slice(0, 10)}.${impression}${busy} Versions: ${versions(findings).join(", ")}.`,
    "",
    ...legend(findings),
    "",
    ...table(findings),
    "",
    `![${suite}, operations a second](${bars})`,
    "",
    ...remarks.map((remark) => `- ${remark}`),
    "",
    ...grown.flatMap(({ title, file }) => [`![${title}](${file})`, ""]),
    ...ahead(findings, reasons),
  ];
}

const versions = (findings: readonly Finding[]): readonly string[] => [
  ...new Set(findings.map(({ row }) => `${row.system} ${row.version}`)),
];

const legend = (findings: readonly Finding[]): readonly string[] =>
  [...new Map(findings.map(({ row, what }) => [row.work, what]))].map(([work, what]) => `- \`${work}\`: ${what}`);

function table(findings: readonly Finding[]): readonly string[] {
  return [
    "| work | clients | system | ops/s | ± | p50 ms | p90 ms | p99 ms | errors | CPU s | MB | of limit | of peer |",
    "|---|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ...findings.map(({ row, spread }) => {
      const { work, clients, system, opsPerSecond, p50Ms, p90Ms, p99Ms, errors, cpuSeconds, peakMemoryMb } = row;
      const name = system.startsWith("trilith") ? `**${system}**` : system;
      const times = [p50Ms, p90Ms, p99Ms].map(toNumber).join(" | ");
      const used = `${errors} | ${toNumber(cpuSeconds)} | ${toNumber(peakMemoryMb)}`;
      const shares = `${toShare(row.ratioToLimit)} | ${toShare(row.ratioToBestPeer)}`;
      return `| ${work} | ${clients} | ${name} | ${toNumber(opsPerSecond)} | ${Math.round(spread * 50)}% | ${times} | ${used} | ${shares} |`;
    }),
  ];
}

/** A paragraph on the rows of ours that something else is ahead of; rows of one work that have one reason share it. */
function ahead(findings: readonly Finding[], reasons: Reasons): readonly string[] {
  const behind = new Map<string, string[]>();
  const add = ({ work, clients, system }: Finding["row"], who: "limit" | "peer", ratio: number | null): void => {
    if (ratio === null || ratio >= asFast) return;
    const reason = reasons[work]?.[who] ?? "Nobody has written down yet why.";
    const paragraph = JSON.stringify([work, who, reason]);
    const rows = behind.get(paragraph) ?? [];
    behind.set(paragraph, [
      ...rows,
      `${system} with ${clients === 1 ? "1 client" : `${clients} clients`} ${toShare(ratio)}`,
    ]);
  };
  for (const { row } of findings.filter(({ row }) => row.system.startsWith("trilith"))) {
    add(row, "limit", row.ratioToLimit);
    add(row, "peer", row.ratioToBestPeer);
  }
  const paragraphs = [...behind].map(([paragraph, rows]) => {
    const [work, who, reason] = JSON.parse(paragraph) as readonly [string, "limit" | "peer", string]; // as put together above
    const of = who === "limit" ? "the limit" : "the best peer";
    return `**\`${work}\`: ${rows.join(", ")} of ${of}.** ${reason}\n`;
  });
  return paragraphs.length === 0 ? [] : ["### Where something else is ahead", "", ...paragraphs];
}

/** Nearer than this, nobody is ahead. */
const asFast = 0.995;
