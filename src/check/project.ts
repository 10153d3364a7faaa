import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "./config.ts";
import { type Layer, type Layers, toLayers } from "./layers.ts";
import { type Listing, listFiles } from "./listing.ts";
import { type Resolve, type Target, toResolve } from "./resolution.ts";
import { type ModuleRequest, parse, type SourceFile } from "./source-file.ts";

/** A project, read: its files, their layers, and what they import. */
export interface Project {
  readonly config: Config;
  readonly listing: Listing;
  readonly layers: Layers;
  readonly files: ReadonlyMap<string, SourceFile>;
  readonly resolve: Resolve;
  layerOf(path: string): Layer | undefined;
  /** What a file imports, each request with one of the things that it leads to. */
  importsOf(path: string): readonly Import[];
}
export interface Import {
  readonly request: ModuleRequest;
  readonly target: Target;
}

export function openProject(folder: string, config: Config): Project {
  const listing = listFiles(folder, config.ignore);
  const layers = toLayers(withPackages(config));
  const files = new Map(
    listing.files.map((path) => [path, parse(path, readFileSync(join(listing.root, path), "utf8"))]),
  );
  const resolve = toResolve(listing);
  const imports = new Map<string, readonly Import[]>();
  const layersOf = new Map<string, Layer | undefined>();
  return {
    config,
    listing,
    layers,
    files,
    resolve,
    layerOf(path) {
      if (!layersOf.has(path)) layersOf.set(path, layers.of(path));
      return layersOf.get(path);
    },
    importsOf(path) {
      const known = imports.get(path);
      if (known) return known;
      const found = (files.get(path)?.requests ?? []).flatMap((request) =>
        resolve(path, request.specifier).map((target) => ({ request, target })),
      );
      imports.set(path, found);
      return found;
    },
  };
}

/** The packages that a configuration adds to those of the contracts. */
function withPackages({ layers, schemaLibraries }: Config): Config["layers"] {
  if (schemaLibraries.length === 0) return layers;
  const packages = [...(layers.contracts?.packages ?? []), ...schemaLibraries];
  return { ...layers, contracts: { ...layers.contracts, packages } };
}
