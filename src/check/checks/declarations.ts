import type { Span } from "../finding.ts";
import type { Project } from "../project.ts";
import type { SourceFile } from "../source-file.ts";
import { keyOf, type Node, textOf, unwrap, walk } from "../syntax.ts";
import { meaningOf } from "./meaning.ts";

/** Where something with a name is declared: a contract, an entity, a read model. */
export interface Declaration {
  readonly kind: "contract" | "entity" | "readModel";
  readonly name: string;
  readonly file: SourceFile;
  readonly call: Node;
  /** Of the name itself. */
  readonly at: Span;
}

const kinds: { readonly [callee: string]: Declaration["kind"] } = {
  "trilith/contracts.contract": "contract",
  "trilith/storage.entity": "entity",
  "trilith/storage.readModel": "readModel",
};

/** The contracts, entities and read models of a project, tests and tools aside, where their text names them. */
export function declarationsOf(project: Project): readonly Declaration[] {
  const declarations: Declaration[] = [];
  for (const file of project.files.values()) {
    const layer = project.layerOf(file.path)?.name;
    if (layer === "tests" || layer === "tools" || !/\b(contract|entity|readModel)\b/.test(file.text)) continue;
    if (!file.requests.some(({ specifier }) => /^[#.@~]|^trilith\//.test(specifier))) continue;
    walk(file.tree(), (node) => {
      if (node.type !== "CallExpression") return;
      const meaning = meaningOf(project, file, node.callee);
      const kind = meaning === undefined ? undefined : kinds[meaning];
      const name = textOf(node.arguments[0]);
      if (kind && name !== undefined)
        declarations.push({ kind, name, file, call: node, at: spanOf(node.arguments[0]) });
    });
  }
  return declarations;
}

/** Where a contract declares a member. */
export function memberOf({ call }: Declaration, member: string): Node | undefined {
  const members = call.arguments[2] && unwrap(call.arguments[2]);
  if (members?.type !== "ObjectExpression") return undefined;
  return members.properties.find((part: Node) => part.type === "Property" && keyOf(part) === member);
}

/** Where a field may be declared: inside of a node first, and otherwise anywhere in its file. */
export function fieldIn(file: SourceFile, near: Node, field: string): Span | undefined {
  return keyIn(near, field) ?? keyIn(file.tree(), field);
}

function keyIn(node: Node, field: string): Span | undefined {
  let found: Span | undefined;
  walk(node, (inner) => {
    if (found) return false;
    const isIt = inner.type === "Property" && keyOf(inner) === field && inner.value.type !== "Identifier";
    // `pick({ email: true })` names a field of another schema.
    if (isIt && inner.value.type !== "Literal") found = spanOf(inner.key);
    return found === undefined;
  });
  return found;
}

export const spanOf = ({ start, end }: Node): Span => ({ start, end });
