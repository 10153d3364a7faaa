import type { Compared } from "../baseline.ts";
import type { Report } from "../check.ts";
import type { Finding } from "../finding.ts";
import { isAdvice, rules } from "../rules/catalogue.ts";
import { placeOf } from "./place.ts";

/** A report for programs. Fields are added to it, and never change their meaning under one `version`. */
export function toJson(report: Report, { fresh, advised, known, gone }: Compared, ms: number): string {
  const told = (finding: Finding) => ({
    rule: finding.rule,
    level: !report.strict && isAdvice(finding.rule) ? "advice" : "error",
    file: finding.file,
    ...placeOf(report, finding),
    ...(finding.about !== undefined && { about: finding.about }),
    message: finding.message,
    wayOut: finding.wayOut ?? rules[finding.rule].wayOut,
  });
  const whole = {
    version: 1,
    ok: fresh.length === 0 && gone.length === 0,
    files: report.files,
    ms: Math.round(ms),
    findings: [...fresh, ...advised].map(told),
    known: known.map(told),
    gone,
    allowed: report.allowed.map(({ finding, reason, where }) => ({ ...told(finding), reason, where })),
    notes: report.notes,
  };
  return JSON.stringify(whole, null, 2);
}
