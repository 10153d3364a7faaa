import type { Finding } from "./finding.ts";
import { toMatcher } from "./globs.ts";
import type { Project } from "./project.ts";
import { isRuleId, needsLoading, type RuleId } from "./rules/catalogue.ts";
import type { SourceFile } from "./source-file.ts";
import { lineOf } from "./text-lines.ts";

/** A finding that somebody allowed, with the reason. */
export interface AllowedFinding {
  readonly finding: Finding;
  readonly reason: string;
  readonly where: "comment" | "configuration";
}

/**
 * Takes out what comments and the configuration allow. A comment `// trilith-allow rule: reason` stands at the end of
 * the line or above it. What is wrong with an allowance, and what allows nothing, becomes a finding.
 */
export function applyAllowances(
  project: Project,
  findings: readonly Finding[],
  loaded: boolean,
): { readonly left: readonly Finding[]; readonly allowed: readonly AllowedFinding[] } {
  const comments = [...project.files.values()].flatMap(commentsOf);
  const configured = project.config.allow.map((one) => ({ ...one, matches: toMatcher([one.at]), used: false }));
  const left: Finding[] = [];
  const allowed: AllowedFinding[] = [];
  for (const finding of findings) {
    const file = project.files.get(finding.file);
    const line = file && finding.at ? lineOf(file.text, finding.at.start) : 1;
    const comment = comments.find(
      (one) => one.rule === finding.rule && one.file === finding.file && one.lines.includes(line),
    );
    const entry = configured.find(
      ({ rule, at, matches }) => rule === finding.rule && (at === finding.about || matches(finding.file)),
    );
    if (comment) comment.used = true;
    if (entry) entry.used = true;
    if (comment && comment.reason !== "") allowed.push({ finding, reason: comment.reason, where: "comment" });
    else if (entry) allowed.push({ finding, reason: entry.reason, where: "configuration" });
    else if (!comment) left.push(finding);
  }
  const configFindings = configured
    .filter(({ used, rule }) => !used && isChecked(project, rule, loaded))
    .map(
      ({ rule, at }): Finding => ({
        rule: "allow/unused",
        file: "trilith.check.json",
        about: at,
        message: `The configuration allows ${rule} at "${at}", where it does not occur.`,
      }),
    );
  return {
    left: [...left, ...comments.flatMap((comment) => wrongWith(project, comment, loaded)), ...configFindings],
    allowed,
  };
}

interface Comment {
  readonly file: string;
  readonly at: { readonly start: number; readonly end: number };
  readonly rule: string;
  readonly reason: string;
  readonly lines: readonly number[];
  used: boolean;
}

function commentsOf(file: SourceFile): Comment[] {
  return file.comments.flatMap(({ value, start, end }) => {
    const [, rule, reason = ""] = /^\s*trilith-allow\s+([\w/-]+)\s*(?::\s*([\s\S]*?))?\s*$/.exec(value) ?? [];
    if (rule === undefined) return [];
    const line = lineOf(file.text, end);
    // A comment on a line of its own speaks of the next line of code.
    const before = file.text.slice(file.text.lastIndexOf("\n", start - 1) + 1, start);
    const lines = before.trim() === "" ? [line, lineBelow(file.text, end)] : [line];
    return [{ file: file.path, at: { start, end }, rule, reason, lines, used: false }];
  });
}

function lineBelow(text: string, end: number): number {
  const rest = text.slice(end);
  const blank = /^(?:[^\S\n]*(?:\/\/[^\n]*)?\n)+/.exec(rest.slice(rest.indexOf("\n") + 1))?.[0].split("\n").length ?? 1;
  return lineOf(text, end) + blank;
}

function wrongWith(project: Project, { file, at, rule, reason, used }: Comment, loaded: boolean): readonly Finding[] {
  const here = (id: RuleId, message: string): Finding[] => [{ rule: id, file, at, message }];
  if (!isRuleId(rule)) return here("allow/unknown-rule", `There is no rule ${rule}.`);
  if (!used)
    return isChecked(project, rule, loaded) ? here("allow/unused", `${rule} is allowed here, and does not occur.`) : [];
  return reason === "" ? here("allow/reason", `${rule} is allowed here without a reason.`) : [];
}

/** Whether a rule that found nothing was looked at. */
const isChecked = ({ config }: Project, rule: RuleId, loaded: boolean): boolean =>
  config.off[rule] === undefined && (loaded || !needsLoading(rule));
