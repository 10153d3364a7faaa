import { styleText } from "node:util";
import type { BaselineEntry, Compared } from "../baseline.ts";
import type { Report } from "../check.ts";
import type { Finding } from "../finding.ts";
import { isAdvice, type RuleId, rules } from "../rules/catalogue.ts";
import { type Place, placeOf } from "./place.ts";

/** A report for a person: each finding with its line and the way out, then a summary. */
export function toText(report: Report, compared: Compared, ms: number): string {
  const { fresh, advised, gone } = compared;
  const parts = [
    ...fresh.map((finding) => findingText(report, finding)),
    ...(advised.length > 0 ? [adviceText(report, advised)] : []),
    ...(gone.length > 0 ? [goneText(gone)] : []),
    ...report.notes.map((note) => styleText("yellow", `Note: ${note}`)),
    summary(report, compared, ms),
  ];
  return parts.join("\n\n");
}

function findingText(report: Report, finding: Finding): string {
  const place = placeOf(report, finding);
  const where = place ? `${finding.file}:${place.line}:${place.column}` : finding.file;
  const lines = [
    `${styleText("bold", where)}  ${styleText("red", finding.rule)}`,
    `  ${finding.message}`,
    ...(place ? frame(report.textOf(finding.file) ?? "", place) : []),
    `  ${styleText("green", "Way out:")} ${finding.wayOut ?? rules[finding.rule].wayOut}`,
  ];
  return lines.join("\n");
}

/** The offending line between its neighbours, underlined where it offends. */
function frame(text: string, { line, column, endLine, endColumn }: Place): readonly string[] {
  const lines = text.split("\n");
  const width = String(line + 1).length;
  const shown = [line - 1, line, line + 1].filter((number) => number >= 1 && number <= lines.length);
  return shown.flatMap((number) => {
    const code = (lines[number - 1] ?? "").replaceAll("\t", " ").trimEnd();
    const short = code.length > 110 ? `${code.slice(0, 109)}…` : code;
    const margin = (mark: string, label: string): string => `  ${mark} ${label.padStart(width)} │ `;
    if (number !== line) return [styleText("dim", `${margin(" ", String(number))}${short}`.trimEnd())];
    const until = endLine === line ? endColumn : code.length + 1;
    const length = Math.max(1, Math.min(until, short.length + 1) - column);
    const under = `${" ".repeat(column - 1)}${styleText("red", "^".repeat(length))}`;
    return [`${margin(">", String(number))}${short}`, `${margin(" ", "")}${under}`];
  });
}

/** A line for each: what is advised is read once, and is not to hide what fails. */
function adviceText(report: Report, advised: readonly Finding[]): string {
  const lines = advised.map((finding) => {
    const line = placeOf(report, finding)?.line;
    return `  ${finding.file}${line === undefined ? "" : `:${line}`}  ${styleText("yellow", finding.rule)}  ${finding.message}`;
  });
  return ["Advised, for whoever reads the contracts (with --strict it fails the check):", ...lines].join("\n");
}

function goneText(gone: readonly BaselineEntry[]): string {
  const lines = gone.map(({ file, rule, message }) => `  ${file}  ${rule}  ${message}`);
  const what = gone.length === 1 ? "An entry of the baseline does" : `${gone.length} entries of the baseline do`;
  return [`${what} not occur any more. Take them out with trilith check --update-baseline.`, ...lines].join("\n");
}

function summary({ files, allowed }: Report, { fresh, advised, known, gone }: Compared, ms: number): string {
  const rest = [
    ...(advised.length > 0 ? [`${advised.length} advised`] : []),
    ...(known.length > 0 ? [`${known.length} known from the baseline`] : []),
    ...(allowed.length > 0 ? [`${allowed.length} allowed with a reason`] : []),
  ];
  const time = `${files} ${files === 1 ? "file" : "files"} in ${(ms / 1_000).toFixed(1)} s`;
  const tail = rest.length > 0 ? ` (${rest.join(", ")})` : "";
  if (fresh.length === 0 && gone.length === 0) return `${time}, and nothing breaks a rule${tail}.`;
  const [first] = fresh;
  const count = `${fresh.length} ${fresh.length === 1 ? "finding" : "findings"}`;
  return `${time}: ${count}${tail}.${first ? ` More about a rule: trilith check --explain ${first.rule}` : ""}`;
}

/** What a rule asks for, why, and how it looks. */
export function explain(id: RuleId): string {
  const { what, why, wayOut, wrong, right } = rules[id];
  const code = (text: string): string =>
    text
      .split("\n")
      .map((line) => `  ${line}`)
      .join("\n");
  return [
    `${styleText("bold", id)}\n${what}${isAdvice(id) ? "\nIt is advised: only a strict check fails for it." : ""}`,
    `${styleText("bold", "Why")}\n${why}`,
    `${styleText("bold", "Way out")}\n${wayOut}`,
    `${styleText("bold", "Not so")}\n${code(wrong)}`,
    `${styleText("bold", "But so")}\n${code(right)}`,
  ].join("\n\n");
}
