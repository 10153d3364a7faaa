import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { starOf } from "./package-targets.ts";

interface Settings {
  readonly paths: { readonly [pattern: string]: readonly string[] };
  /** What `paths` are relative to. */
  readonly base: string;
  /** Where bare names are looked for besides. */
  readonly baseUrl?: string;
}

/** The files that the nearest tsconfig.json may mean by a specifier, in the order in which it would try them. */
export function toCompilerPaths(root: string): (folder: string, specifier: string) => readonly string[] {
  const known = new Map<string, Settings | undefined>();
  const above = (folder: string): Settings | undefined => {
    if (known.has(folder)) return known.get(folder);
    const settings =
      read(join(folder, "tsconfig.json")) ?? (folder.length > root.length ? above(dirname(folder)) : undefined);
    known.set(folder, settings);
    return settings;
  };
  return (folder, specifier) => {
    const settings = above(folder);
    if (!settings) return [];
    const { paths, base, baseUrl } = settings;
    const pattern = Object.keys(paths)
      .filter((name) => name === specifier || starOf(name, specifier) !== undefined)
      .sort((a, b) => Number(b === specifier) - Number(a === specifier) || b.indexOf("*") - a.indexOf("*"))[0];
    const targets = pattern === undefined ? [] : (paths[pattern] ?? []);
    const star = pattern === undefined ? "" : (starOf(pattern, specifier) ?? "");
    return [
      ...targets.map((target) => resolve(base, target.replaceAll("*", star))),
      ...(baseUrl !== undefined ? [resolve(baseUrl, specifier)] : []),
    ];
  };
}

/** What a tsconfig says of paths, with what it extends. Undefined where there is none. */
function read(file: string, seen: ReadonlySet<string> = new Set()): Settings | undefined {
  const config = readJsonc(file);
  if (!config || seen.has(file)) return undefined;
  const { extends: bases = [], compilerOptions = {} } = config;
  let settings: Settings = { paths: {}, base: dirname(file) };
  for (const base of [bases].flat()) {
    const inherited = read(locate(base, file), new Set([...seen, file]));
    if (inherited) settings = inherited;
  }
  const { paths, baseUrl } = compilerOptions;
  if (baseUrl !== undefined) {
    const folder = resolve(dirname(file), baseUrl);
    settings = { ...settings, baseUrl: folder, base: paths ? folder : settings.base };
  }
  return paths ? { ...settings, paths, base: settings.baseUrl ?? dirname(file) } : settings;
}

function locate(base: string, from: string): string {
  const ending = base.endsWith(".json") ? "" : ".json";
  if (/^\.{0,2}\//.test(base)) return resolve(dirname(from), base + ending);
  const require = createRequire(from);
  for (const name of [base, base + ending, `${base}/tsconfig.json`]) {
    try {
      return require.resolve(name);
    } catch {} // the next name, or a package that is not installed and that the compiler will miss
  }
  return resolve(dirname(from), base);
}

interface Tsconfig {
  readonly extends?: string | readonly string[];
  readonly compilerOptions?: {
    readonly baseUrl?: string;
    readonly paths?: { readonly [pattern: string]: readonly string[] };
  };
}

/** A tsconfig may have comments and trailing commas; strings are stepped over. */
function readJsonc(file: string): Tsconfig | undefined {
  try {
    const text = readFileSync(file, "utf8")
      .replace(/"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (part) => (part.startsWith('"') ? part : ""))
      .replace(/"(?:[^"\\]|\\.)*"|,(?=\s*[}\]])/g, (part) => (part.startsWith('"') ? part : ""));
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    return undefined; // none, or none that the compiler could read either
  }
}
