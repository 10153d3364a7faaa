import type { RunRow } from "../orchestration/host.ts";
import type { Engine } from "../storage/host.ts";
import { runRows } from "./run-collections.ts";

/** The first workflow with its version within these that any run is of: one look, however many runs it has. */
export async function nextWorkflow(
  engine: Pick<Engine, "find">,
  range: { readonly from: string; readonly to?: string },
): Promise<string | undefined> {
  const orderBy = { column: "workflow", descending: false, ties: "any" } as const;
  const [row] = await engine.find(runRows.name, { where: { workflow: range }, orderBy, limit: 1 });
  return row && (row.data as RunRow).workflow; // only this folder writes the collection
}

/** Where to go on: names end in a version, whose digits come after an exclamation mark. */
export const behind = (workflow: string): string => `${workflow}!`;
