import { parseSync } from "oxc-parser";
import type { Span } from "./finding.ts";
import { type Scopes, toScopes } from "./scopes.ts";
import { keyOf, type Node, textOf, unwrap, walk } from "./syntax.ts";

/** A place where a file names another module, in whatever form. */
export interface ModuleRequest extends Span {
  readonly specifier: string;
  /** Whether it stands in a `declare module`, which names a package without importing it. */
  readonly isDeclared?: true;
}

/** One file, parsed. The tree and its scopes are made when they are first asked for: most files need neither. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly requests: readonly ModuleRequest[];
  /** Imports of something that only a running program knows. */
  readonly undecided: readonly Span[];
  readonly comments: readonly (Span & { readonly value: string })[];
  readonly syntaxError?: { readonly message: string; readonly at: Span };
  tree(): Node;
  scopes(): Scopes;
}

export function parse(path: string, text: string): SourceFile {
  const result = parseSync(path, text);
  const [error] = result.errors.filter(({ severity }) => String(severity) === "Error");
  const label = error?.labels[0];
  const { requests, undecided } = requestsOf(path, result, text);
  let tree: Node | undefined;
  let scopes: Scopes | undefined;
  const file: SourceFile = {
    path,
    text,
    requests,
    undecided,
    comments: /trilith-allow/.test(text) ? result.comments : [],
    ...(error && {
      syntaxError: { message: error.message, at: { start: label?.start ?? 0, end: label?.end ?? 0 } },
    }),
    tree: () => (tree ??= result.program as unknown as Node), // the parser's own node types, read by their parts
    scopes: () => (scopes ??= toScopes(file.tree())),
  };
  return file;
}

type Parsed = ReturnType<typeof parseSync>;
interface Requests {
  readonly requests: ModuleRequest[];
  readonly undecided: Span[];
}

function requestsOf(path: string, result: Parsed, text: string): Requests {
  const { staticImports, staticExports, dynamicImports, importMetas } = result.module;
  const requests: ModuleRequest[] = [];
  const add = ({ value, start, end }: { readonly value: string; readonly start: number; readonly end: number }) =>
    requests.push({ specifier: value, start, end });
  for (const { moduleRequest } of staticImports) add(moduleRequest);
  for (const { entries } of staticExports) {
    const from = entries.find(({ moduleRequest }) => moduleRequest)?.moduleRequest;
    if (from) add(from);
  }
  if (text.includes("/// <reference")) requests.push(...references(result));
  // Imports in types, import = and require are in the tree alone; making it is most of the work, so it is made where
  // the text has an "import" that is not accounted for, in code or in a comment.
  const words = text.match(/\bimport\b/g)?.length ?? 0;
  const isPlain =
    dynamicImports.length === 0 &&
    importMetas.length === 0 &&
    words === staticImports.length &&
    !inTreeAlone.test(text);
  if (isPlain) return { requests, undecided: [] };
  if (/\.[cm]?jsx?$/.test(path)) requests.push(...inComments(result));
  return inTree(path, result.program as unknown as Node, requests); // as above
}
const inTreeAlone =
  /\brequire\b|\bcreateRequire\b|\bgetBuiltinModule\b|\bWorker\b|\bmodule\s*["']|\bexport\s*\{\s*\}\s*from/;

/** The types that a JavaScript file takes from others, which it names in comments. */
function inComments({ comments }: Parsed): ModuleRequest[] {
  const named = /\bimport\(\s*(["'][^"'\n]+["'])\s*\)|@import\s[^"']*?\bfrom\s+(["'][^"'\n]+["'])/dg;
  return comments.flatMap(({ type, value, start }) =>
    type !== "Block" || !value.startsWith("*")
      ? []
      : [...value.matchAll(named)].map(({ indices }) => {
          const [from, to] = indices?.[1] ?? indices?.[2] ?? [0, 0];
          return { specifier: value.slice(from + 1, to - 1), start: start + 2 + from, end: start + 2 + to };
        }),
  );
}

function references({ comments }: Parsed): ModuleRequest[] {
  return comments.flatMap(({ value, start, end }) => {
    const [, kind, specifier] = /^\/\s*<reference\s+(path|types)\s*=\s*["']([^"']+)["']/.exec(value) ?? [];
    if (!specifier) return [];
    return [{ specifier: kind === "path" && !specifier.startsWith(".") ? `./${specifier}` : specifier, start, end }];
  });
}

/**
 * Adds what only the tree tells: `import()`, `import("…")` in types, `import =`, `declare module`, `require` under
 * whatever name, `process.getBuiltinModule`, the files of workers, and files named by URL.
 */
function inTree(path: string, program: Node, found: ModuleRequest[]): Requests {
  const { isRequire, isWorker } = loadersOf(program);
  const known = new Set(found.map(({ start }) => start));
  const requests = [...found];
  const undecided: Span[] = [];
  const add = (source: Node | null | undefined): void => {
    const specifier = textOf(source);
    if (!source || known.has(source.start)) return;
    if (specifier === undefined) undecided.push({ start: source.start, end: source.end });
    else requests.push({ specifier, start: source.start, end: source.end });
  };
  walk(program, (node) => {
    if (node.type === "ImportExpression" || node.type === "TSImportType") add(node.source);
    else if (node.type === "TSExternalModuleReference") add(node.expression);
    else if (node.type === "ExportNamedDeclaration" && node.source) add(node.source);
    else if (node.type === "CallExpression" && isRequire(node.callee)) add(node.arguments[0]);
    else if (node.type === "NewExpression" && node.callee.name === "URL" && isImportMeta(node.arguments[1], "url")) {
      const name = textOf(node.arguments[0]);
      if (name && /\.[cm]?[jt]sx?$/.test(name))
        requests.push({ specifier: name.startsWith(".") ? name : `./${name}`, ...spanOf(node.arguments[0]) });
    } else if (node.type === "NewExpression" && isWorker(node.callee)) {
      const source = node.arguments[0] && unwrap(node.arguments[0]);
      const name = textOf(source);
      // A worker's path begins where the program was started, which is the project's folder.
      if (source && name !== undefined && /^\.{1,2}\//.test(name))
        requests.push({ specifier: "../".repeat(path.split("/").length - 1) + name, ...spanOf(source) });
      else if (source?.type !== "NewExpression") add(source);
    } else if (node.type === "TSModuleDeclaration" && node.id.type === "Literal" && !node.id.value.includes("*"))
      requests.push({ specifier: node.id.value, ...spanOf(node.id), isDeclared: true });
  });
  return { requests, undecided };
}

const spanOf = ({ start, end }: Node): Span => ({ start, end });

/** How a program can ask for other files, under the names that it gives to that. */
function loadersOf(program: Node): { isRequire(callee: Node): boolean; isWorker(callee: Node): boolean } {
  const makers = new Set<string>();
  const requires = new Set(["require"]);
  const workers = new Set(["Worker", "SharedWorker"]);
  for (const { type, specifiers, source } of program.body as readonly Node[]) {
    for (const { imported, local } of type === "ImportDeclaration" ? (specifiers as readonly Node[]) : []) {
      const name = imported?.name;
      if (name === "createRequire" && /^(node:)?module$/.test(source.value)) makers.add(local.name);
      if (name === "Worker" && /^(node:)?worker_threads$/.test(source.value)) workers.add(local.name);
      else workers.delete(local.name);
    }
  }
  const isMaker = (given: Node | null): boolean => {
    const made = given && unwrap(given);
    if (made?.type !== "CallExpression") return false;
    const maker = unwrap(made.callee);
    return maker.type === "MemberExpression" ? keyOf(maker) === "createRequire" : makers.has(maker.name);
  };
  walk(program, (node) => {
    if (node.type === "VariableDeclarator" && isMaker(node.init)) requires.add(node.id.name);
    if (node.type === "ClassDeclaration") workers.delete(node.id?.name);
  });
  const isOne = (node: Node): boolean =>
    node.type === "Identifier" ? requires.has(node.name) : node.type === "MetaProperty" || isMaker(node);
  return {
    /** `require`, `require.resolve`, `import.meta.resolve`, and what `createRequire` made; Node's own door to its modules. */
    isRequire(given) {
      const callee = unwrap(given);
      if (callee.type !== "MemberExpression") return isOne(callee);
      const name = keyOf(callee);
      return name === "getBuiltinModule" || (name === "resolve" && isOne(unwrap(callee.object)));
    },
    isWorker(given) {
      const callee = unwrap(given);
      return callee.type === "MemberExpression" ? keyOf(callee) === "Worker" : workers.has(callee.name);
    },
  };
}

const isImportMeta = (node: Node | undefined, property: string): boolean =>
  node?.type === "MemberExpression" && node.object.type === "MetaProperty" && node.property.name === property;
