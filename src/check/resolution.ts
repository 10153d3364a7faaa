import { readFileSync, realpathSync, statSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { toCompilerPaths } from "./compiler-paths.ts";
import { type Listing, toRelative } from "./listing.ts";
import { targetsIn } from "./package-targets.ts";

/** What a specifier leads to. */
export type Target =
  | { readonly kind: "file"; readonly path: string; readonly through?: string }
  | { readonly kind: "package"; readonly name: string; readonly entry: string }
  | { readonly kind: "builtin"; readonly name: string }
  | { readonly kind: "nothing" };
/** All that a specifier may lead to: conditions of a package and fallbacks of an alias are not guessed at. */
export type Resolve = (importer: string, specifier: string) => readonly Target[];

const builtins = new Set(builtinModules);

/**
 * Resolves specifiers as Node and the compiler do together: relative paths with and without extensions, the `paths` of
 * a tsconfig, the `imports` and the own name of a package, links. Packages are named and not opened.
 */
export function toResolve(listing: Listing): Resolve {
  const { root } = listing;
  const files = new Set(listing.files);
  const compilerPaths = toCompilerPaths(root);
  const manifests = new Map<string, Manifest | undefined>();
  const known = new Map<string, readonly Target[]>();

  /** A file at a path, or at what the path means without its ending. */
  function at(path: string): Target | undefined {
    for (const candidate of candidatesOf(path)) {
      const local = toRelative(root, candidate);
      if (files.has(local)) return { kind: "file", path: local };
      if (!listing.hasLinks && isListable(local)) continue;
      const real = fileAt(candidate);
      if (real === undefined) continue;
      const path = toRelative(root, real);
      return { kind: "file", path, ...(path !== local && { through: local }) };
    }
    const other = fileAt(path); // no source: data, a style sheet
    return other === undefined ? undefined : { kind: "file", path: toRelative(root, other) };
  }

  function manifestAbove(importer: string): Manifest | undefined {
    for (let folder = dirname(join(root, importer)); ; folder = dirname(folder)) {
      if (!manifests.has(folder)) manifests.set(folder, readManifest(folder));
      const manifest = manifests.get(folder);
      if (manifest || folder === dirname(folder)) return manifest;
    }
  }

  function withoutMemory(importer: string, specifier: string): readonly Target[] {
    const from = dirname(join(root, importer));
    const files = (paths: readonly string[]): Target[] => paths.flatMap((path) => at(path) ?? []);
    if (specifier.startsWith("file:")) return orNothing(files([fileURLToPath(specifier)]));
    if (/^\.{0,2}\//.test(specifier) || specifier === "." || specifier === ".." || isAbsolute(specifier))
      return orNothing(files([resolve(from, specifier.replace(/[?#].*$/, ""))]));
    const name = specifier.replace(/^node:/, "");
    if (specifier.startsWith("node:") || specifier.startsWith("bun:") || builtins.has(name))
      return [{ kind: "builtin", name: specifier.startsWith("bun:") ? specifier : `node:${name}` }];
    const aliased = files(compilerPaths(from, specifier));
    if (aliased.length > 0) return aliased.slice(0, 1);
    const manifest = manifestAbove(importer);
    if (specifier.startsWith("#")) {
      const targets = targetsIn(manifest?.imports, specifier);
      const inside = targets.filter((target) => target.startsWith("."));
      const outside = targets.filter((target) => !target.startsWith(".") && !target.startsWith("#"));
      return orNothing([
        ...files(inside.map((target) => join(manifest?.folder ?? root, target))),
        ...outside.flatMap((target) => withoutMemory(importer, target)),
      ]);
    }
    const packageName = packageOf(specifier);
    const entry = `.${specifier.slice(packageName.length)}`;
    const linked = manifest?.name === packageName ? manifest : readLinked(packageName, from);
    if (linked) {
      const targets = linked.exports === undefined ? [entry] : targetsIn(linked.exports, entry);
      const own = files(targets.map((target) => join(linked.folder, target))).filter(
        (target) => target.kind === "file" && !isBuilt(target.path) && !target.path.startsWith("../"),
      );
      if (own.length > 0) return own;
    }
    return [{ kind: "package", name: packageName, entry }];
  }

  /** A package that is a link into this very project, as workspaces are. */
  function readLinked(name: string, from: string): Manifest | undefined {
    for (let folder = from; folder.length >= root.length; folder = dirname(folder)) {
      const real = folderAt(join(folder, "node_modules", name));
      if (real === undefined) continue;
      const local = toRelative(root, real);
      return local.startsWith("../") || local.includes("node_modules/") ? undefined : readManifest(real);
    }
    return undefined;
  }

  return (importer, specifier) => {
    const key = `${dirname(importer)}\n${specifier}`;
    const found = known.get(key) ?? withoutMemory(importer, specifier);
    known.set(key, found);
    return found;
  };
}

const orNothing = (targets: readonly Target[]): readonly Target[] =>
  targets.length > 0 ? targets : [{ kind: "nothing" }];

/** Whether a path is one that the listing would have named, so that its absence says that there is no file. */
const isListable = (local: string): boolean =>
  /\.[cm]?[jt]sx?$/.test(local) && !/(^|\/)(\.|node_modules\/|dist\/|build\/|out\/|coverage\/)/.test(local);

const isBuilt = (path: string): boolean => /(^|\/)dist\//.test(path);

const endings = [".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".d.ts"];

function candidatesOf(path: string): readonly string[] {
  const [, stem, letter, kind] = /^(.*)\.([cm]?)(jsx?)$/.exec(path) ?? [];
  const sources = stem === undefined ? [] : [`${stem}.${letter}${kind?.replace("js", "ts")}`, `${stem}.tsx`];
  const plain = /\.[cm]?[jt]sx?$/.test(path) ? [path] : [];
  return [
    ...plain,
    ...sources,
    ...endings.map((ending) => path + ending),
    ...endings.map((ending) => `${path}/index${ending}`),
  ];
}

export interface Manifest {
  readonly folder: string;
  readonly name?: string;
  readonly imports?: unknown;
  readonly exports?: unknown;
}

function readManifest(folder: string): Manifest | undefined {
  try {
    return { ...JSON.parse(readFileSync(join(folder, "package.json"), "utf8")), folder };
  } catch {
    return undefined; // there is none here, or none that can be read: npm will say so
  }
}

const packageOf = (specifier: string): string =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");

function fileAt(path: string): string | undefined {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ? realpathSync(path) : undefined;
}

function folderAt(path: string): string | undefined {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ? realpathSync(path) : undefined;
}
