import type { Finding, Verdict } from "../evolution/index.ts";

/** A verdict as a person reads it: what it comes to, then what changed, then what is missing. */
export function verdictInWords(verdict: Verdict): string {
  const { contract, published, version, findings, missing } = verdict;
  const versions = published === undefined ? version : published === version ? version : `${published} → ${version}`;
  const lines = [`${missing.length === 0 ? "✓" : "✗"} ${contract} ${versions}: ${changeInWords(verdict)}`];
  lines.push(...findings.flatMap(findingInWords));
  lines.push(...missing.map((sentence) => `  ! ${sentence}`));
  return lines.join("\n");
}

/** What is wrong without having changed, an upcaster that fails, is no change and still not well. */
function changeInWords({ change, findings, missing }: Verdict): string {
  const isWrong = missing.length > 0 && (change === "none" || findings.some(({ level }) => level === "major"));
  if (!isWrong || change === "major") return change === "none" ? "no change" : change;
  return change === "none" ? "to be mended" : `${change}, and to be mended`;
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
