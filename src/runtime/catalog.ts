import { readFileSync } from "node:fs";
import { operationsOf } from "../contracts/index.ts";
import { type Catalog, LockError, type Published, publishedIn, readLock, toCatalog } from "../evolution/index.ts";
import { type Composition, toServed, toUsed } from "./composition.ts";

/** What is known of the contracts of a backend. `lock` is the text of its lock file, where there is one: it knows what was. */
export function catalogOf(
  { name, composition }: { readonly name: string; readonly composition: Composition },
  lock?: string,
): Catalog {
  const layers = layersOf(composition);
  return toCatalog({
    name,
    serves: toServed(composition),
    uses: toUsed(composition),
    older: composition.older,
    layerOf: (operation) => layers.get(operation),
    consumers: consumersOf(composition),
    published: historyIn(lock),
  });
}

/** The lock file beside which a backend was started. One that cannot be read tells nothing; the check says why. */
export function lockBeside(folder: string): string | undefined {
  try {
    return readFileSync(`${folder}/contracts.lock.json`, "utf8");
  } catch {
    return undefined;
  }
}

function historyIn(lock: string | undefined): ReadonlyMap<string, Published> {
  if (lock === undefined) return new Map();
  try {
    return publishedIn(readLock(lock, "contracts.lock.json"));
  } catch (error) {
    if (error instanceof LockError) return new Map();
    throw error;
  }
}

function layersOf({ storage, orchestration, aggregation }: Composition): ReadonlyMap<string, string> {
  const stores = storage.filter((part) => part.kind === "store");
  return new Map<string, string>([
    ...stores.flatMap(({ contract }) => operationsOf(contract).map(({ id }) => [id, "storage"] as const)),
    ...orchestration.map(({ id }) => [id as string, "orchestration"] as const),
    ...aggregation.map(({ id }) => [id as string, "aggregation"] as const),
  ]);
}

function consumersOf({ orchestration, aggregation }: Composition): ReadonlyMap<string, readonly string[]> {
  const calls = [
    ...orchestration.flatMap(({ id, version, uses }) =>
      uses.map((contract) => [contract["~contract"].name, `the workflow of ${id}, version ${version}`] as const),
    ),
    ...aggregation.flatMap(({ id, sources }) =>
      sources.flatMap(({ name, fetch }) =>
        fetch.via === "call" ? [[fetch.operation.split(".")[0] ?? "", `the source "${name}" of ${id}`] as const] : [],
      ),
    ),
  ];
  return new Map([...Map.groupBy(calls, ([name]) => name)].map(([name, found]) => [name, found.map(([, who]) => who)]));
}
