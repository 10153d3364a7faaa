import type { Project } from "../project.ts";
import type { SourceFile } from "../source-file.ts";
import { keyOf, type Node, propertyOf, unwrap, walk } from "../syntax.ts";
import { declaredBy, meaningOf } from "./meaning.ts";

/** A function that is acted out again, or an object of such functions, and what to call it. */
export interface Entry {
  readonly node: Node;
  readonly what: string;
}

/** Where functions that are acted out again are handed over: by which call, and at which place of it. */
const places: {
  readonly [callee: string]: readonly { readonly argument: number; readonly key?: string; readonly what: string }[];
} = {
  "trilith/orchestration.workflow": [{ argument: 2, what: "a workflow" }],
  "trilith/storage.entity": [
    { argument: 1, key: "evolve", what: "evolve" },
    { argument: 1, key: "initial", what: "an initial state" },
  ],
  "trilith/storage.readModel": [{ argument: 1, key: "on", what: "a read model" }],
  "trilith/aggregation.source": [{ argument: 1, key: "shape", what: "a source's shape" }],
  "trilith/contracts.upcast": [
    { argument: 1, what: "an upcaster" },
    { argument: 2, what: "the way down from a version" },
  ],
};

/** The functions of a file that must be pure. */
export function entriesOf(project: Project, file: SourceFile, layer: string): readonly Entry[] {
  const entries: Entry[] = [];
  walk(file.tree(), (node) => {
    if (node.type !== "CallExpression") return;
    const callee = unwrap(node.callee);
    const decision = layer === "storage" && callee.type === "MemberExpression" && keyOf(callee) === "decide";
    if (decision && node.arguments[0]) entries.push({ node: node.arguments[0], what: "a decision" });
    const meaning = meaningOf(project, file, callee);
    for (const { argument, key, what } of (meaning && places[meaning]) || []) {
      const given = node.arguments[argument];
      const entry = given && key !== undefined ? partOf(file, given, key) : given;
      if (entry) entries.push({ node: entry, what });
    }
  });
  return entries;
}

/** A part of an object that is written where it is handed over, or as a constant. */
function partOf(file: SourceFile, given: Node, key: string): Node | undefined {
  const node = unwrap(given);
  if (node.type === "ObjectExpression") return propertyOf(node, key);
  const binding = node.type === "Identifier" ? file.scopes().bindingOf(node) : undefined;
  const declared = binding && declaredBy(file, binding);
  const object = declared && unwrap(declared.node);
  return object?.type === "ObjectExpression" ? propertyOf(object, key) : undefined;
}
