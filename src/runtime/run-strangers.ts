import type { Engine } from "../storage/host.ts";
import { runRows } from "./run-collections.ts";
import { behind, nextWorkflow } from "./run-workflows.ts";

/** Strangers beyond this many are not named. */
const mostStrangers = 100;

/**
 * The workflows that waiting runs are of and that are not among the known ones. Looked for between the known names: where
 * there are none, which is the rule, nothing is read, and a stranger costs two looks, however many runs it ever had.
 */
export async function strangersTo(
  engine: Pick<Engine, "find" | "count">,
  knows: readonly string[],
): Promise<readonly string[]> {
  const strangers: string[] = [];
  let from = "";
  for (const known of [...knows.toSorted(byBytes), undefined]) {
    for (;;) {
      const workflow = await nextWorkflow(engine, { from, ...(known !== undefined && { to: before(known) }) });
      if (workflow === undefined) break;
      const waiting = { workflow: { equals: workflow }, state: { equals: "waiting" } };
      if ((await engine.count(runRows.name, { where: waiting, limit: 1 })) > 0) strangers.push(workflow);
      if (strangers.length === mostStrangers) return strangers;
      from = behind(workflow);
    }
    if (known !== undefined) from = behind(known);
  }
  return strangers;
}

/** No name lies between this and the workflow's. */
const before = (workflow: string): string =>
  `${workflow.slice(0, -1)}${String.fromCharCode(workflow.charCodeAt(workflow.length - 1) - 1)}\u{10ffff}`;

const byBytes = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other));
