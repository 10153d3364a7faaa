// The thread in which a project's own files are loaded: what they do to it ends with it.
import { readFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parentPort, workerData } from "node:worker_threads";
import type { AnyContract } from "../../contracts/index.ts";
import { type InspectedBackend, isBackend, isContract } from "./backend-shape.ts";
import { wrongExamplesOf } from "./examples.ts";
import type { Assignment } from "./inspect.ts";
import type {
  InspectedComposition,
  InspectedContract,
  Inspection,
  LockJudge,
  LockRemark,
  Unloadable,
} from "./inspection.ts";
import { suspectsIn, suspectsOf } from "./suspects.ts";

parentPort?.postMessage(await inspect(workerData as Assignment));

async function inspect({ contractFiles, backend, lock }: Assignment): Promise<Inspection> {
  const unloadable: Unloadable[] = [];
  const found = new Map<AnyContract, string>();
  for (const file of contractFiles) {
    const module = await load(file, unloadable);
    for (const value of Object.values(module ?? {})) if (isContract(value) && !found.has(value)) found.set(value, file);
  }
  // A backend whose contracts cannot be loaded fails for their reason, which was told.
  const module = backend && unloadable.length === 0 ? await load(backend, unloadable) : undefined;
  const composed = module?.default;
  if (module && !isBackend(composed))
    unloadable.push({ file: backend as string, reason: "It exports no backend by default." }); // it was loaded
  // A small backend declares its contracts beside what implements them.
  for (const contract of isBackend(composed) ? contractsIn(composed) : [])
    if (!found.has(contract)) found.set(contract, backend as string); // it was loaded
  const whole = [...found.keys()];
  // A workflow or a view names an operation only; its contract is known by what the backend serves, as far as it serves it.
  const known = new Set(whole.map((contract) => contract["~contract"].name));
  for (const contract of isBackend(composed) ? composed.serves : [])
    if (!known.has(contract["~contract"].name)) found.set(contract, backend as string); // it was loaded
  const names = [...found.keys()].map((contract) => contract["~contract"].name);
  const contracts = await Promise.all(
    [...found].map(([contract, file]) =>
      describe(contract, file, names.filter((name) => name === contract["~contract"].name).length > 1),
    ),
  );
  const stores = isBackend(composed) ? composed.composition.storage : [];
  return {
    unloadable,
    contracts,
    ...(isBackend(composed) && { composition: compositionOf(composed) }),
    suspects: [...[...found.keys()].flatMap(suspectsOf), ...stores.flatMap(suspectsIn)],
    lock: lock && unloadable.length === 0 ? await judged(lock, whole, composed) : [],
  };
}

async function load(file: string, unloadable: Unloadable[]): Promise<{ readonly [name: string]: unknown } | undefined> {
  try {
    return await import(pathToFileURL(file).href);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const own = (error instanceof Error ? (error.stack ?? "") : "").match(/file:\/\/[^\s()]+?:\d+/g) ?? [];
    const place = own.find((one) => !one.includes("/node_modules/") && !one.startsWith(import.meta.url));
    const [, url = "", line] = /^(.*):(\d+)$/.exec(place ?? "") ?? [];
    unloadable.push({ file, reason, ...(url && { from: { file: fileURLToPath(url), line: Number(line) } }) });
    return undefined;
  }
}

async function describe(contract: AnyContract, file: string, isDouble: boolean): Promise<InspectedContract> {
  const { name, version, owner, summary } = contract["~contract"];
  const operations = await wrongExamplesOf(contract);
  return { name, version, file, operations, isDouble, ...(owner && { owner }), ...(summary && { summary }) };
}

function compositionOf({ composition }: InspectedBackend): InspectedComposition {
  const { storage, orchestration, aggregation, remote } = composition;
  const ofStores = storage.flatMap(({ contract }) =>
    Object.entries(contract as object)
      .filter(([name, member]) => name !== "~contract" && member.kind !== "event")
      .map(([, { id }]) => ({ operation: id as string, by: `the store of "${contract["~contract"].name}"` })),
  );
  const ofWorkflows = orchestration.map(({ operation }) => ({ operation: operation.id, by: "a workflow" }));
  const ofViews = aggregation.map(({ operation }) => ({ operation: operation.id, by: "a view" }));
  const used = orchestration.flatMap(({ operation, uses }) =>
    uses.map((contract) => ({ contract: contract["~contract"].name, by: `the workflow of ${operation.id}` })),
  );
  const called = aggregation.flatMap(({ operation, sources }) =>
    sources.flatMap(({ name, fetch }) =>
      fetch.via === "call" && fetch.operation !== undefined
        ? [
            {
              contract: fetch.operation.replace(/\..*$/, ""),
              operation: fetch.operation,
              by: `the source "${name}" of ${operation.id}`,
            },
          ]
        : [],
    ),
  );
  return {
    implemented: [...ofStores, ...ofWorkflows, ...ofViews],
    needs: [...used, ...called],
    remote: Object.keys(remote),
  };
}

function contractsIn({ composition }: InspectedBackend): readonly AnyContract[] {
  const { storage, orchestration } = composition;
  return [...storage.map(({ contract }) => contract), ...orchestration.flatMap(({ uses }) => uses)];
}

async function judged(
  { file, judge }: NonNullable<Assignment["lock"]>,
  contracts: readonly AnyContract[],
  backend: unknown,
): Promise<readonly LockRemark[]> {
  // Without a lock file only older shapes can be judged, and where there are none, nothing is loaded for that.
  if (file === undefined && !contracts.some(hasOlderShapes)) return [];
  const { judgeLock } = (await import(judge)) as { readonly judgeLock: LockJudge };
  return judgeLock({ contracts, backend, ...(file !== undefined && { text: readFileSync(file, "utf8") }) });
}

function hasOlderShapes(contract: AnyContract): boolean {
  return Object.values(contract as object).some(({ from = [], earlier = [] }) => from.length + earlier.length > 0);
}
