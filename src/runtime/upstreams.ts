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
