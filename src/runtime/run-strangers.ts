import type { RunRow } from "../orchestration/host.ts";
import type { Engine } from "../storage/host.ts";
import { runRows } from "./run-collections.ts";

/** Strangers beyond this many are not named. */
const mostStrangers = 100;

/**
 * The workflows that waiting runs are of and that are not among the known ones. Looked for between the known names, at the
 * index that begins with the workflow: where there are none, which is the rule, nothing is read, however many runs there are.
 */
export async function strangersTo(engine: Engine, knows: readonly string[]): Promise<readonly string[]> {
  const strangers: string[] = [];
  let from = "";
  for (const known of [...knows.toSorted(byBytes), undefined]) {
    for (;;) {
      const where = { workflow: { from, ...(known !== undefined && { to: before(known) }) } };
      const orderBy = { column: "workflow", descending: false };
      const [row] = await engine.find(runRows.name, { where, orderBy, limit: 1 });
      if (!row) break;
      const { workflow } = row.data as RunRow; // only this folder writes the collection
      const waiting = { workflow: { equals: workflow }, state: { equals: "waiting" } };
      if ((await engine.count(runRows.name, { where: waiting, limit: 1 })) > 0) strangers.push(workflow);
      if (strangers.length === mostStrangers) return strangers;
      from = behind(workflow);
    }
    if (known !== undefined) from = behind(known);
  }
  return strangers;
}

/** Names end in a version, whose digits come after an exclamation mark. */
const behind = (workflow: string): string => `${workflow}!`;
/** No name lies between this and the workflow's. */
const before = (workflow: string): string =>
  `${workflow.slice(0, -1)}${String.fromCharCode(workflow.charCodeAt(workflow.length - 1) - 1)}\u{10ffff}`;

const byBytes = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other));
