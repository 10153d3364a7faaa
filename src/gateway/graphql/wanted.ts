import {
  type FragmentDefinitionNode,
  GraphQLIncludeDirective,
  type GraphQLResolveInfo,
  GraphQLSkipDirective,
  type GraphQLType,
  getDirectiveValues,
  getNamedType,
  isObjectType,
  type SelectionNode,
} from "graphql";
import type { Selection } from "../../contracts/index.ts";

interface Tree extends Map<string, Tree> {}

/**
 * What is asked for below a field, in the contract's own names, at every depth and through fragments; what is skipped is
 * not among it. Empty where it is everything.
 */
export function toWanted(info: GraphQLResolveInfo): Selection {
  const wanted: Tree = new Map();
  for (const { selectionSet } of info.fieldNodes)
    collect(selectionSet?.selections ?? [], info.returnType, wanted, info);
  return toPlain(wanted);
}

/** The name of a field in its contract, where GraphQL spells it otherwise. */
const propertyOf = (extensions: { readonly property?: unknown }): string | undefined =>
  typeof extensions.property === "string" ? extensions.property : undefined;

function collect(selections: readonly SelectionNode[], of: GraphQLType, into: Tree, info: GraphQLResolveInfo): void {
  const type = getNamedType(of);
  // Of what may be one thing or another, everything is wanted: what it is is told by all of its fields.
  if (!isObjectType(type)) return;
  const fields = type.getFields();
  for (const node of selections) {
    if (isSkipped(node, info)) continue;
    if (node.kind === "InlineFragment") collect(node.selectionSet.selections, type, into, info);
    else if (node.kind === "FragmentSpread") {
      const fragment = info.fragments[node.name.value] as FragmentDefinitionNode; // validation has found it
      collect(fragment.selectionSet.selections, type, into, info);
    } else {
      const field = fields[node.name.value];
      if (!field) continue; // __typename
      const name = propertyOf(field.extensions) ?? field.name;
      const inside: Tree = into.get(name) ?? new Map();
      into.set(name, inside);
      collect(node.selectionSet?.selections ?? [], field.type, inside, info);
    }
  }
}

const toPlain = (tree: Tree): Selection =>
  Object.fromEntries([...tree].map(([name, inside]) => [name, toPlain(inside)]));

function isSkipped(node: SelectionNode, { variableValues }: GraphQLResolveInfo): boolean {
  const skip = getDirectiveValues(GraphQLSkipDirective, node, variableValues);
  const include = getDirectiveValues(GraphQLIncludeDirective, node, variableValues);
  return skip?.if === true || include?.if === false;
}
