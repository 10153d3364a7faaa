import type { Project } from "../project.ts";
import type { Binding } from "../scopes.ts";
import type { SourceFile } from "../source-file.ts";
import { keyOf, type Node, textOf, unwrap } from "../syntax.ts";

/** A declaration somewhere in the project. */
export interface Declared {
  readonly file: SourceFile;
  readonly node: Node;
}

/**
 * What an expression names, where the text tells: a global or something of a module, as `Date.now`, `node:fs.readFile`
 * or `trilith/storage.entity`. Follows constants, destructuring, `require` and re-exports; a name that is declared
 * nearer is no global.
 */
export function meaningOf(project: Project, file: SourceFile, given: Node, depth = 0): string | undefined {
  const node = unwrap(given);
  if (depth > 20) return undefined; // a circle of constants
  if (node.type === "Identifier") {
    const binding = file.scopes().bindingOf(node);
    if (binding) return ofBinding(project, file, binding, depth);
    return file.scopes().isGlobal(node) ? normal(node.name) : undefined;
  }
  if (node.type === "MemberExpression") {
    const name = keyOf(node);
    const object = name === undefined ? undefined : meaningOf(project, file, node.object, depth + 1);
    return object === undefined ? undefined : normal(`${object}.${name}`);
  }
  if (node.type === "AwaitExpression" && unwrap(node.argument).type === "ImportExpression")
    return meaningOf(project, file, node.argument, depth + 1);
  const isRequire = node.type === "CallExpression" && node.callee.name === "require";
  const required = textOf(node.type === "ImportExpression" ? node.source : isRequire ? node.arguments[0] : undefined);
  return required === undefined ? undefined : ofModule(project, file, { specifier: required, name: "*" }, depth);
}

function ofBinding(project: Project, file: SourceFile, binding: Binding, depth: number): string | undefined {
  if (binding.from) return ofModule(project, file, binding.from, depth);
  if (binding.kind !== "constant" || !binding.node || !binding.path) return undefined;
  const origin = meaningOf(project, file, binding.node, depth + 1);
  return origin === undefined ? undefined : normal([origin, ...binding.path].join("."));
}

type From = NonNullable<Binding["from"]>;

function ofModule(project: Project, file: SourceFile, { specifier, name }: From, depth: number): string | undefined {
  const [target] = project.resolve(file.path, specifier);
  const member = name === "*" || name === "default" ? "" : `.${name}`;
  if (target?.kind === "builtin") return normal(`${target.name}${member}`);
  if (target?.kind === "package")
    return `${target.name}${target.entry.slice(1)}${member || (name === "default" ? ".default" : "")}`;
  if (target?.kind !== "file" || name === "*") return undefined;
  const exported = exportOf(project, target.path, name, depth + 1);
  if (exported === undefined || typeof exported === "string") return exported;
  return meaningOf(project, exported.file, exported.node, depth + 1);
}

/** Where a module's export is declared; or what it means, where that is nothing of the project. */
export function exportOf(project: Project, path: string, name: string, depth = 0): Declared | string | undefined {
  const file = project.files.get(path);
  if (!file || depth > 20) return undefined;
  const stars: string[] = [];
  for (const statement of file.tree().body as readonly Node[]) {
    if (statement.type === "ExportDefaultDeclaration" && name === "default")
      return { file, node: statement.declaration };
    if (statement.type === "ExportAllDeclaration" && statement.source) {
      if (!statement.exported) stars.push(statement.source.value);
    } else if (statement.type === "ExportNamedDeclaration") {
      const found = named(project, file, statement, name, depth);
      if (found !== undefined) return found;
    }
  }
  for (const specifier of stars) {
    const [target] = project.resolve(path, specifier);
    const found = target?.kind === "file" ? exportOf(project, target.path, name, depth + 1) : undefined;
    if (found !== undefined) return found;
    if (target?.kind === "package") return `${target.name}${target.entry.slice(1)}.${name}`;
  }
  return undefined;
}

function named(
  project: Project,
  file: SourceFile,
  { declaration, source, specifiers }: Node,
  name: string,
  depth: number,
): Declared | string | undefined {
  const binding = declaration && file.scopes().ofModule(name);
  if (binding && declares(declaration, name)) return declaredBy(file, binding);
  const specifier = specifiers.find(({ exported }: Node) => (exported.name ?? exported.value) === name);
  if (!specifier) return undefined;
  const local: string = specifier.local.name ?? specifier.local.value;
  const from = source ? { specifier: source.value, name: local } : file.scopes().ofModule(local)?.from;
  if (!from) {
    const own = file.scopes().ofModule(local);
    return own && declaredBy(file, own);
  }
  const [target] = project.resolve(file.path, from.specifier);
  if (target?.kind === "file") return exportOf(project, target.path, from.name, depth + 1);
  return ofModule(project, file, from, depth + 1);
}

const declares = (declaration: Node, name: string): boolean =>
  declaration.type !== "VariableDeclaration" ||
  JSON.stringify(declaration.declarations.map(({ id }: Node) => id)).includes(`"name":"${name}"`);

/** A name's declaration, if the text of it says what it is: a function, a class, the value of a constant. */
export function declaredBy(file: SourceFile, { node, path = [], kind }: Binding): Declared | undefined {
  if (!node || kind === "import") return undefined;
  let at: Node = node;
  for (const key of path) {
    const inner = unwrap(at);
    const property =
      inner.type === "ObjectExpression"
        ? inner.properties.find((part: Node) => part.type === "Property" && keyOf(part) === key)
        : undefined;
    if (!property) return { file, node };
    at = property.value;
  }
  return { file, node: at };
}

/** One spelling for what has several: `globalThis.fetch`, `import process from "node:process"`. */
function normal(path: string): string {
  let text = path.replace(/^(?:(?:globalThis|global|window|self)\.)+(?=.)/, "");
  text = text.replace(/^(node:[\w/]+)\.default(?=\.|$)/, "$1");
  for (const [module, name] of sameAs) {
    if (text === module) return name;
    if (text.startsWith(`${module}.`))
      return name === "" ? text.slice(module.length + 1) : name + text.slice(module.length);
  }
  return text;
}
const sameAs: readonly (readonly [string, string])[] = [
  ["node:process", "process"],
  ["node:console", "console"],
  ["node:timers", ""],
  ["node:perf_hooks.performance", "performance"],
  ["node:crypto.webcrypto", "crypto"],
];
