import type { Finding, Verdict } from "../evolution/index.ts";

/** A verdict as a person reads it: what it comes to, then what changed, then what is missing. */
export function verdictInWords({ contract, published, version, change, findings, missing }: Verdict): string {
  const versions = published === undefined ? version : published === version ? version : `${published} → ${version}`;
  const lines = [
    `${missing.length === 0 ? "✓" : "✗"} ${contract} ${versions}: ${change === "none" ? "no change" : change}`,
  ];
  lines.push(...findings.flatMap(findingInWords));
  lines.push(...missing.map((sentence) => `  ! ${sentence}`));
  return lines.join("\n");
}

export function findingInWords({ rule, level, sentence, counterexample }: Finding): readonly string[] {
  const lines = [`  ${level.padEnd(5)} ${rule}`, `        ${sentence}`];
  if (counterexample)
    lines.push(
      `        e.g. ${JSON.stringify(counterexample.value)}`,
      `             from ${counterexample.from}, to ${counterexample.to}`,
    );
  return lines;
}
