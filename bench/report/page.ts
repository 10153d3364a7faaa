import type { Goal } from "../frame/goals.ts";
import type { Results } from "../frame/results.ts";
import type { Finding } from "../frame/rows.ts";
import type { Suite } from "../frame/suite.ts";
import { toNumber, toRemarks, toShare, toSpread, toTimes } from "../frame/table.ts";
import { toAhead } from "./ahead.ts";
import { toGoalTable } from "./goal-table.ts";
import { toGrownTable } from "./grown-table.ts";
import { saysNothingBySpeed } from "./told-by.ts";

/** A suite as it stands in the report. Pictures are told by their files, relative to the page. */
export interface Chapter {
  readonly suite: Pick<Suite, "systems" | "reasons">;
  readonly goals: readonly Goal[];
  readonly results: Results;
  readonly bars: string;
  /** The run with --scale, which is another one, often of another day. */
  readonly grown?: {
    readonly results: Results;
    readonly pictures: readonly { readonly title: string; readonly file: string }[];
  };
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
    "repeat it, is in [bench/README.md](../bench/README.md). Each suite was run by itself, and says when and at which commit.",
    "",
    ...machine(first.results),
    ...chapters.flatMap((one) => chapter(one, first.results)),
  ]
    .join("\n")
    .replace(/\n{3,}/g, "\n\n");
}

function machine({ machine, postgres }: Results): readonly string[] {
  const { node, folderInMemory } = machine;
  return [
    "| | |",
    "|---|---|",
    `| machine | ${toMachine(machine)} |`,
    `| Node | ${node} |`,
    `| PostgreSQL | ${postgres ?? "see below"}, \`fsync=on\`, \`synchronous_commit=on\`, the same server for everybody |`,
    `| files | ${folderInMemory ? "in memory: a flush costs nothing here" : "on a disk"} |`,
    "",
    "**of limit** is the share of what the machine does with nothing around it; **of peer** is how many times as fast as the",
    "best of what one would pick instead; where somebody else sets the pace, or a time is what counts, neither is told. (What",
    "one would pick instead brings a server: rows on SQLite, which needs none, stand beside peers on PostgreSQL.) **±** is half",
    "the distance between the best and the worst round, as a share of the median. Work of a given size has one time,",
    "the whole of it. CPU seconds and memory are those of the system's own processes, without the shared PostgreSQL.",
    "",
  ];
}

const toMachine = ({ processor, cores, memoryGb, system }: Results["machine"]): string =>
  `${processor}, ${cores} cores, ${memoryGb} GB, ${system}`;

function chapter({ suite, goals, results, bars, grown }: Chapter, first: Results): readonly string[] {
  const { suite: name, findings } = results;
  return [
    `## ${name[0]?.toUpperCase()}${name.slice(1)}`,
    "",
    toHead(results, first),
    "",
    ...legend(findings),
    "",
    ...table(findings),
    "",
    `![${name}, operations a second](${bars})`,
    "",
    ...toRemarks(findings).map((remark) => `- ${remark}`),
    "",
    ...toGoalTable(goals, { usual: findings, grown: grown?.results.findings ?? [] }),
    ...toAhead(findings, suite),
    ...(grown ? growth(grown, first) : []),
  ];
}

function growth({ results, pictures }: NonNullable<Chapter["grown"]>, first: Results): readonly string[] {
  return [
    "### How cost grows",
    "",
    toHead(results, first),
    "",
    ...pictures.flatMap(({ title, file }) => [`![${title}](${file})`, ""]),
    ...toGrownTable(results.findings),
    ...toRemarks(results.findings).map((remark) => `- ${remark}`),
    "",
  ];
}

/** When a run was, at which commit, on what if that was another machine, how busy it was, and who took part. */
function toHead({ scope, date, findings, machine }: Results, first: Results): string {
  const { load, cores, commit, uncommitted, node } = machine;
  const changed = uncommitted ? ", with changes that were not committed" : "";
  const others = `${toMachine(machine)}, Node ${node}`;
  const busy =
    load > cores / 2
      ? `The machine was busy with something else as well (load ${load.toFixed(1)}).`
      : `The machine had little else to do (load ${load.toFixed(1)}).`;
  const versions = new Set(findings.map(({ row }) => `${row.system} ${row.version}`));
  return [
    `Measured on ${date.slice(0, 10)}${commit ? ` at commit ${commit}${changed}` : ""}.`,
    ...(scope === "quick" ? ["With `--quick`: an impression, no more."] : []),
    ...(others === `${toMachine(first.machine)}, Node ${first.machine.node}` ? [] : [`On another machine: ${others}.`]),
    busy,
    `Versions: ${[...versions].join(", ")}.`,
  ].join(" ");
}

const legend = (findings: readonly Finding[]): readonly string[] =>
  [...new Map(findings.map(({ row, what }) => [row.work, what]))].map(([work, what]) => `- \`${work}\`: ${what}`);

function table(findings: readonly Finding[]): readonly string[] {
  return [
    "| work | clients | system | ops/s | ± | p50 ms | p90 ms | p99 ms | errors | CPU s | MB | of limit | of peer |",
    "|---|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ...findings.map((finding) => {
      const { row } = finding;
      const { work, clients, system, opsPerSecond, errors, cpuSeconds, peakMemoryMb } = row;
      const name = system.startsWith("trilith") ? `**${system}**` : system;
      const times = toTimes(row).join(" | ");
      const used = `${errors} | ${toNumber(cpuSeconds)} | ${toNumber(peakMemoryMb)}`;
      const ratios = saysNothingBySpeed(row) ? [null, null] : [row.ratioToLimit, row.ratioToBestPeer];
      const shares = ratios.map(toShare).join(" | ");
      return `| ${work} | ${clients} | ${name} | ${toNumber(opsPerSecond)} | ${toSpread(finding)} | ${times} | ${used} | ${shares} |`;
    }),
  ];
}
