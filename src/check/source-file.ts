import { parseSync } from "oxc-parser";
import type { Span } from "./finding.ts";
import { type Scopes, toScopes } from "./scopes.ts";
import { type Node, textOf, unwrap, walk } from "./syntax.ts";

/** A place where a file names another module, in whatever form. */
export interface ModuleRequest extends Span {
  readonly specifier: string;
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
  const { requests, undecided } = requestsOf(result, text);
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

function requestsOf(result: Parsed, text: string): Requests {
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
    !/\brequire\b|\bexport\s*\{\s*\}\s*from/.test(text);
  return isPlain ? { requests, undecided: [] } : inTree(result.program as unknown as Node, requests); // as above
}

function references({ comments }: Parsed): ModuleRequest[] {
  return comments.flatMap(({ value, start, end }) => {
    const [, kind, specifier] = /^\/\s*<reference\s+(path|types)\s*=\s*["']([^"']+)["']/.exec(value) ?? [];
    if (!specifier) return [];
    return [{ specifier: kind === "path" && !specifier.startsWith(".") ? `./${specifier}` : specifier, start, end }];
  });
}

/** Adds what only the tree tells: `import()`, `import("…")` in types, `import =`, `require`, and files named by URL. */
function inTree(program: Node, found: ModuleRequest[]): Requests {
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
    }
  });
  return { requests, undecided };
}

const spanOf = ({ start, end }: Node): Span => ({ start, end });

/** `require`, `require.resolve` and `import.meta.resolve`. */
function isRequire(given: Node): boolean {
  const callee = unwrap(given);
  if (callee.type === "Identifier") return callee.name === "require";
  if (callee.type !== "MemberExpression" || callee.property.name !== "resolve") return false;
  return callee.object.name === "require" || callee.object.type === "MetaProperty";
}

const isImportMeta = (node: Node | undefined, property: string): boolean =>
  node?.type === "MemberExpression" && node.object.type === "MetaProperty" && node.property.name === property;
