import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Report } from "./check.ts";
import type { Finding } from "./finding.ts";
import { isAdvice, isRuleId, needsLoading, type RuleId } from "./rules/catalogue.ts";

/** A finding that was there when the baseline was made. It is known by its line's text, so that lines may move. */
export interface BaselineEntry {
  readonly rule: RuleId;
  readonly file: string;
  readonly print: string;
  /** For people; not compared. */
  readonly message: string;
}

/** What a baseline makes of a report: what is new, what was known, and which entries do not occur any more. */
export interface Compared {
  /** What is new and fails the check. */
  readonly fresh: readonly Finding[];
  /** What is new and only advised; none where the report is strict. */
  readonly advised: readonly Finding[];
  readonly known: readonly Finding[];
  readonly gone: readonly BaselineEntry[];
  /** The entries that still occur: all that a baseline may become. */
  readonly kept: readonly BaselineEntry[];
}

export const baselineFile = "trilith.check.baseline.json";

/** The baseline cannot be read. */
export class BaselineError extends Error {}

export function compare(report: Report, baseline: readonly BaselineEntry[]): Compared {
  const open = [...baseline];
  const [unknown, known, kept]: [Finding[], Finding[], BaselineEntry[]] = [[], [], []];
  for (const finding of report.findings) {
    const print = printOf(report, finding);
    const at = open.findIndex(
      (entry) => entry.rule === finding.rule && entry.file === finding.file && entry.print === print,
    );
    const [entry] = at < 0 ? [] : open.splice(at, 1);
    if (entry) kept.push(entry);
    (entry ? known : unknown).push(finding);
  }
  const isMild = ({ rule }: Finding): boolean => !report.strict && isAdvice(rule);
  // What was not looked at, and what is only advised, is neither there nor gone.
  const unseen = open.filter(
    ({ rule }) => (!report.loaded && needsLoading(rule)) || (!report.strict && isAdvice(rule)),
  );
  return {
    fresh: unknown.filter((finding) => !isMild(finding)),
    advised: unknown.filter(isMild),
    known,
    gone: open.filter((entry) => !unseen.includes(entry)),
    kept: [...kept, ...unseen],
  };
}

/** The entries of a first baseline. Later ones are a part of it. */
export function toBaseline(report: Report): readonly BaselineEntry[] {
  const failing = report.findings.filter(({ rule }) => report.strict || !isAdvice(rule));
  return failing.map((finding) => ({
    rule: finding.rule,
    file: finding.file,
    print: printOf(report, finding),
    message: finding.message,
  }));
}

export function writtenBaseline(entries: readonly BaselineEntry[]): string {
  return `${JSON.stringify({ version: 1, findings: entries }, null, 2)}\n`;
}

/** Nothing where there is no such file. */
export function readBaseline(file: string): readonly BaselineEntry[] | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
  try {
    const { version, findings } = JSON.parse(text) as { version?: unknown; findings?: unknown };
    if (version === 1 && Array.isArray(findings) && findings.every(isEntry)) return findings;
  } catch {} // said below, with what to do
  throw new BaselineError(
    `${file} is not a baseline. Restore it from the repository's history, or delete it and make a new one.`,
  );
}

const isEntry = (value: unknown): value is BaselineEntry => {
  const { rule, file, print } = (value ?? {}) as Partial<BaselineEntry>;
  return isRuleId(rule) && typeof file === "string" && typeof print === "string";
};

/** What a finding is recognised by: its line without the space around it, or what it is about. */
export function printOf({ textOf }: Report, { rule, file, at, about }: Finding): string {
  const text = textOf(file);
  const line = at && text !== undefined ? lineAround(text, at.start) : "";
  return createHash("sha256")
    .update(JSON.stringify([rule, file, about ?? "", line]))
    .digest("hex")
    .slice(0, 16);
}

function lineAround(text: string, at: number): string {
  const end = text.indexOf("\n", at);
  return text.slice(text.lastIndexOf("\n", at - 1) + 1, end < 0 ? text.length : end).trim();
}
