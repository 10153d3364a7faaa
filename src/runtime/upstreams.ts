import type { Composition } from "./composition.ts";
import { type Settings, upstreamName } from "./settings.ts";

interface ByName {
  readonly remotes: Settings["remotes"];
  readonly sources: {
    readonly urls: { readonly [source: string]: string };
    /** As they stand in the header `authorization`. */
    readonly credentials: { readonly [source: string]: string };
    /** Those whose names may lead to inner addresses. */
    readonly inner: readonly string[];
  };
}
/** Settings know upstreams in capitals; the layers know them by their own names. */
export function byName({ aggregation, orchestration }: Composition, settings: Settings): ByName {
  const contracts = orchestration.flatMap(({ uses }) => uses).map((contract) => contract["~contract"].name);
  const remotes = named(contracts, settings.remotes, "TRILITH_REMOTE");
  const found = named(
    aggregation.flatMap(({ sources }) => sources).map((source) => source.name),
    settings.sources,
    "TRILITH_SOURCE",
  );
  const urls: Record<string, string> = {};
  const credentials: Record<string, string> = {};
  const inner: string[] = [];
  for (const [source, { url, token, inner: mayBeInner }] of Object.entries(found)) {
    if (mayBeInner) inner.push(source);
    if (url !== undefined) urls[source] = url;
    if (token) credentials[source] = `Bearer ${token.reveal()}`;
  }
  return { remotes, sources: { urls, credentials, inner } };
}

/** What others than sources may have to one origin: remote contracts, and whoever a redirect leads there. */
const usual = 64;

/**
 * How many connections there are to an origin: as many as all of its sources may use at once. A pool must not queue what a
 * bulkhead let through, or a source that hangs would hold up another one behind the same address.
 */
export function toConnections(composition: Composition, settings: Settings): (origin: string) => number {
  const { remotes, sources } = byName(composition, settings);
  const sums = new Map<string, number>();
  const add = (address: string, more: number): void => {
    if (!URL.canParse(address)) return; // whoever uses it says what is wrong with it
    const { origin } = new URL(address);
    sums.set(origin, (sums.get(origin) ?? 0) + more);
  };
  const asked = new Set(composition.aggregation.flatMap((view) => view.sources).map((source) => source.base ?? source));
  for (const { name, fetch, concurrency } of asked)
    if (fetch.via === "http") add(sources.urls[name] ?? fetch.url.origin, concurrency);
  const addresses = {
    ...composition.remote,
    ...Object.fromEntries(
      Object.entries(remotes).map(([name, { url }]) => [name, url ?? composition.remote[name] ?? ""]),
    ),
  };
  for (const address of Object.values(addresses)) add(address, usual);
  return (origin) => sums.get(origin) ?? usual;
}

function named(names: readonly string[], upstreams: Settings["remotes"], prefix: string): Settings["remotes"] {
  const known = new Map(names.map((name) => [upstreamName(name), name]));
  return Object.fromEntries(
    Object.entries(upstreams).map(([capitals, upstream]) => {
      const name = known.get(capitals);
      if (name === undefined)
        throw new TypeError(
          `${prefix}_${capitals}_…: this backend has no such upstream. It has: ${[...known.keys()].join(", ") || "none"}.`,
        );
      return [name, upstream];
    }),
  );
}
