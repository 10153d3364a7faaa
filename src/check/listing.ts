import { readdirSync, realpathSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { toMatcher } from "./globs.ts";

/** The source files of a project, and the links in it that lead elsewhere. Paths are relative to the root, with slashes. */
export interface Listing {
  /** As the file system calls it, free of links. */
  readonly root: string;
  readonly files: readonly string[];
  /** Links to files, with what they lead to; folders that are links are followed by imports, and not listed. */
  readonly links: ReadonlyMap<string, string>;
  readonly hasLinks: boolean;
}

export const isSource = (path: string): boolean => /\.[cm]?[jt]sx?$/.test(path);

const skipped = new Set(["node_modules", "dist", "build", "out", "coverage"]);

export function listFiles(folder: string, ignore: readonly string[]): Listing {
  const root = realpathSync(folder);
  const isIgnored = toMatcher(ignore);
  const files: string[] = [];
  const links = new Map<string, string>();
  let hasLinks = false;
  const list = (below: string): void => {
    for (const entry of readdirSync(join(root, below), { withFileTypes: true })) {
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (entry.name.startsWith(".") || skipped.has(entry.name)) continue;
      if (isIgnored(path)) continue;
      if (entry.isSymbolicLink()) {
        hasLinks = true;
        const target = targetOf(join(root, path));
        if (target?.isFile && isSource(path)) links.set(path, toRelative(root, target.path));
      } else if (entry.isDirectory()) {
        if (!isIgnored(`${path}/`)) list(path);
      } else if (isSource(path)) files.push(path);
    }
  };
  list("");
  return { root, files: files.sort(), links, hasLinks };
}

/** A path as the project calls it; one that begins with `../` is outside. */
export const toRelative = (root: string, path: string): string => relative(root, path).split(sep).join("/");

function targetOf(link: string): { readonly path: string; readonly isFile: boolean } | undefined {
  try {
    const path = realpathSync(link);
    return { path, isFile: statSync(path).isFile() };
  } catch {
    return undefined; // a link into nothing
  }
}
