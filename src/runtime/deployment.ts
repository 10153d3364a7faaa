import { type Deployment, describe } from "../evolution/index.ts";
import { type After, type Engine, toAfter } from "../storage/host.ts";
import { type Composition, toServed, toUsed } from "./composition.ts";

const page = 500;
const underWay = ["running", "waiting", "undoing", "paused"];

/** What this backend is, for another that may take its place: read anew each time, for runs come and go. */
export function toDeployment(name: string, composition: Composition, engine: Engine): () => Promise<Deployment> {
  const serves = toServed(composition).map(describe);
  const older = composition.older.map(({ published }) => describe(published));
  const uses = toUsed(composition).map(describe);
  const workflows = composition.orchestration.map(({ id, version }) => `${id}@${version}`);
  return async () => ({
    name,
    serves,
    older,
    uses,
    workflows,
    storedEvents: await engine.types("main"),
    runs: await countRuns(engine),
  });
}

async function countRuns(engine: Engine): Promise<Deployment["runs"]> {
  const counts = new Map<string, number>();
  let after: After | undefined;
  for (;;) {
    const rows = await engine.find("run", {
      where: { state: { in: underWay } },
      limit: page,
      ...(after !== undefined && { after }),
    });
    for (const { data } of rows) {
      const { workflow } = data as { readonly workflow: string };
      counts.set(workflow, (counts.get(workflow) ?? 0) + 1);
    }
    const last = rows.at(-1);
    after = last && toAfter(last, undefined);
    if (rows.length < page) return [...counts].map(([workflow, count]) => ({ workflow, underWay: count }));
  }
}
