import { pathToFileURL } from "node:url";
import { type Compared, printOf } from "../baseline.ts";
import type { Report } from "../check.ts";
import type { Finding } from "../finding.ts";
import { isAdvice, ruleIds, rules } from "../rules/catalogue.ts";
import { placeOf } from "./place.ts";

/** A report as SARIF 2.1.0 (OASIS), which code hosts show beside the lines. What is known or allowed is there as suppressed. */
export function toSarif(report: Report, { fresh, advised, known }: Compared, version: string): string {
  const results = [
    ...[...fresh, ...advised].map((finding) => resultOf(report, finding)),
    ...known.map((finding) => ({
      ...resultOf(report, finding),
      suppressions: [{ kind: "external", justification: "It is in the baseline." }],
    })),
    ...report.allowed.map(({ finding, reason, where }) => ({
      ...resultOf(report, finding),
      suppressions: [{ kind: where === "comment" ? "inSource" : "external", justification: reason }],
    })),
  ];
  const described = ruleIds.map((id) => ({
    id,
    shortDescription: { text: rules[id].what },
    fullDescription: { text: rules[id].why },
    help: { text: rules[id].wayOut },
    defaultConfiguration: { level: isAdvice(id) ? "note" : "error" },
  }));
  const run = {
    tool: { driver: { name: "trilith check", semanticVersion: version, rules: described } },
    columnKind: "utf16CodeUnits",
    originalUriBaseIds: { PROJECT: { uri: `${pathToFileURL(report.root).href.replace(/\/$/, "")}/` } },
    invocations: [{ executionSuccessful: true }],
    results,
  };
  const log = { $schema: "https://json.schemastore.org/sarif-2.1.0.json", version: "2.1.0", runs: [run] };
  return JSON.stringify(log, null, 2);
}

function resultOf(report: Report, finding: Finding) {
  const place = placeOf(report, finding);
  const region = place && {
    startLine: place.line,
    startColumn: place.column,
    endLine: place.endLine,
    endColumn: place.endColumn,
  };
  const uri = finding.file.split("/").map(encodeURIComponent).join("/");
  return {
    ruleId: finding.rule,
    ruleIndex: ruleIds.indexOf(finding.rule),
    level: !report.strict && isAdvice(finding.rule) ? "note" : "error",
    message: { text: `${finding.message} ${finding.wayOut ?? rules[finding.rule].wayOut}` },
    locations: [{ physicalLocation: { artifactLocation: { uri, uriBaseId: "PROJECT" }, ...(region && { region }) } }],
    partialFingerprints: { "trilithCheck/v1": printOf(report, finding) },
  };
}
