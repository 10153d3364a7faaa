import { type AnyContract, operationsOf, plainName } from "../contracts/index.ts";
import { type Description, describe } from "./description.ts";
import { changesBetween } from "./diff.ts";
import { compareVersions, type Level } from "./level.ts";
import type { Published } from "./lock.ts";

/** Every contract of a backend with what is known of it: as JSON for programs, and for a page. */
export interface Catalog {
  readonly backend: string;
  readonly contracts: readonly CatalogEntry[];
}
export interface CatalogEntry {
  readonly name: string;
  /** `here`: this backend implements it. `elsewhere`: it calls it. */
  readonly provided: "here" | "elsewhere";
  /** As it is now: its operations, failures, signals and events, with their schemas. */
  readonly contract: Description;
  /** By operation: which layer implements it. */
  readonly providers: { readonly [operation: string]: string };
  /** Who calls it from inside, in words: "the workflow of trips.book, version 1". */
  readonly consumers: readonly string[];
  /** Every version that was published or is served, the newest first. */
  readonly versions: readonly CatalogVersion[];
  readonly deprecations: readonly Deprecation[];
}
export interface CatalogVersion {
  readonly version: string;
  /** `present`, `older` (served beside it), `past` (published once). */
  readonly is: "present" | "older" | "past";
  /** Nothing where nothing was published, or nobody knows. */
  readonly published?: boolean;
  /** What changed since the version before. */
  readonly changes: readonly { readonly level: Level; readonly rule: string; readonly sentence: string }[];
}
interface Deprecation {
  readonly what: string;
  readonly since: string;
  readonly sunset?: string;
  readonly instead?: string;
}

export interface CatalogParts {
  readonly name: string;
  readonly serves: readonly AnyContract[];
  readonly uses: readonly AnyContract[];
  /** Older versions that are served, as they were published, with their announcement. */
  readonly older: readonly { readonly published: AnyContract; readonly deprecated: Omit<Deprecation, "what"> }[];
  readonly layerOf: (operation: string) => string | undefined;
  /** By contract: who calls it. */
  readonly consumers: ReadonlyMap<string, readonly string[]>;
  readonly published: ReadonlyMap<string, Published>;
}

export function toCatalog({ name, serves, uses, older, layerOf, consumers, published }: CatalogParts): Catalog {
  const here = new Set(serves.map((contract) => contract["~contract"].name));
  const all = [...serves, ...uses.filter((contract) => !here.has(contract["~contract"].name))];
  return {
    backend: name,
    contracts: all.map((contract): CatalogEntry => {
      const own = contract["~contract"].name;
      const beside = older.filter(({ published }) => published["~contract"].name === own);
      const providers = operationsOf(contract).flatMap(({ id }) => {
        const layer = layerOf(id);
        return layer === undefined ? [] : [[id.slice(own.length + 1), layer] as const];
      });
      const going = operationsOf(contract).flatMap(({ id, deprecated }) =>
        deprecated ? [{ what: id, ...deprecated }] : [],
      );
      return {
        ...{ name: own, provided: here.has(own) ? "here" : "elsewhere", contract: describe(contract) },
        providers: Object.fromEntries(providers),
        consumers: consumers.get(own) ?? [],
        versions: versionsOf(
          describe(contract),
          beside.map(({ published }) => describe(published)),
          published.get(plainName(own)),
        ),
        deprecations: [
          ...beside.map(({ published, deprecated }) => ({
            what: `${own} ${published["~contract"].version}`,
            ...deprecated,
          })),
          ...going,
        ],
      };
    }),
  };
}

function versionsOf(
  present: Description,
  older: readonly Description[],
  published: Published | undefined,
): readonly CatalogVersion[] {
  const isPublished = (version: string): boolean => published?.versions.some((one) => one.version === version) === true;
  const known = new Map([...(published?.versions ?? []), ...older, present].map((one) => [one.version, one]));
  const sorted = [...known.values()].sort((a, b) => compareVersions(a.version, b.version));
  return sorted
    .map((description, at): CatalogVersion => {
      const before = sorted[at - 1];
      const { version } = description;
      const changes = before ? changesBetween(before, description) : [];
      return {
        version,
        is: version === present.version ? "present" : older.some((one) => one.version === version) ? "older" : "past",
        ...(published && { published: isPublished(version) }),
        changes: changes.map(({ level, rule, sentence }) => ({ level, rule, sentence })),
      };
    })
    .reverse();
}
