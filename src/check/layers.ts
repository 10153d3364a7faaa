import { toMatcher } from "./globs.ts";
import { schemaLibraries } from "./known-packages.ts";

export type Capability = "network" | "drivers";

/** A part of a project with permissions of its own. */
export interface Layer {
  readonly name: string;
  /** The layers whose files it may import besides its own. */
  readonly imports: "anything" | readonly string[];
  readonly may: readonly Capability[];
  /** The only packages that it may import; any without it. */
  readonly packages?: readonly string[];
}

/** What a configuration says of a layer, of its own or one of ours. */
export interface LayerSettings {
  readonly files?: readonly string[];
  readonly imports?: "anything" | readonly string[];
  readonly may?: readonly Capability[];
  readonly packages?: readonly string[];
}

export interface Layers {
  /** The layer of a file, by its path in the project. */
  of(path: string): Layer | undefined;
  /** Whether the files of one layer may import those of another. */
  allows(from: Layer, to: Layer): boolean;
}

/** Whether a layer may import whatever it likes. */
export const isFree = ({ imports, may, packages }: Layer): boolean =>
  imports === "anything" && may.includes("network") && may.includes("drivers") && packages === undefined;

/** The layers of a project: those that the folders' names tell, and those that its configuration adds or changes. */
export function toLayers(settings: { readonly [name: string]: LayerSettings }): Layers {
  const layers = new Map(conventional.map((layer) => [layer.name, layer]));
  for (const [name, { files: _files, packages, ...said }] of Object.entries(settings)) {
    const base = layers.get(name) ?? { name, imports: "anything", may: ["network", "drivers"] };
    const allowed = packages && [...(base.packages ?? []), ...packages];
    layers.set(name, { ...base, ...said, ...(allowed && { packages: allowed }) });
  }
  const named = Object.entries(settings).flatMap(
    ([name, { files }]) => (files ? [{ layer: layers.get(name) as Layer, matches: toMatcher(files) }] : []), // it was set above
  );
  const byFolder = new Set(conventional.map(({ name }) => name).filter((name) => !settings[name]?.files));
  const isTest = toMatcher(testFiles);
  return {
    of(path) {
      if (byFolder.has("tests") && isTest(path)) return layers.get("tests");
      const found = named.find(({ matches }) => matches(path));
      if (found) return found.layer;
      const name = nameOf(path);
      return name !== undefined && byFolder.has(name) ? layers.get(name) : undefined;
    },
    allows: (from, to) => from.name === to.name || from.imports === "anything" || from.imports.includes(to.name),
  };
}

const conventional: readonly Layer[] = [
  { name: "contracts", imports: [], may: [], packages: schemaLibraries },
  { name: "orchestration", imports: ["contracts"], may: [] },
  { name: "aggregation", imports: ["contracts"], may: ["network"] },
  { name: "storage", imports: ["contracts"], may: [] },
  { name: "backend", imports: "anything", may: ["network", "drivers"] },
  { name: "tests", imports: "anything", may: ["network", "drivers"] },
  { name: "tools", imports: "anything", may: ["network", "drivers"] },
];

const testFiles = ["**/*.{test,spec,test-d}.{ts,tsx,mts,cts,js,jsx,mjs,cjs}", "**/{test,tests,__tests__}/**"];

/** The outermost folder that is called like a layer tells; after that, the file's own name. */
function nameOf(path: string): string | undefined {
  const folders = path.split("/");
  const file = folders.pop() ?? "";
  if (["scripts", "tools", "bin"].includes(folders[0] ?? "")) return "tools";
  const folder = folders.find((name) => ["contracts", "orchestration", "aggregation", "storage"].includes(name));
  if (folder) return folder;
  if (/(^|\.)contracts?\.[cm]?[jt]sx?$/.test(file)) return "contracts";
  if (/(^|\.)backend\.[cm]?[jt]sx?$/.test(file)) return "backend";
  return /\.config\.[cm]?[jt]s$/.test(file) ? "tools" : undefined;
}
