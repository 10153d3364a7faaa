import {
  type FragmentDefinitionNode,
  GraphQLIncludeDirective,
  type GraphQLResolveInfo,
  GraphQLSkipDirective,
  getDirectiveValues,
  type SelectionNode,
} from "graphql";

/** The names of the fields that are asked for below a field, through fragments; what is skipped is not among them. */
export function wantedNames(info: GraphQLResolveInfo): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (selections: readonly SelectionNode[]): void => {
    for (const node of selections) {
      if (isSkipped(node, info)) continue;
      if (node.kind === "Field") names.add(node.name.value);
      else if (node.kind === "InlineFragment") visit(node.selectionSet.selections);
      else visit((info.fragments[node.name.value] as FragmentDefinitionNode).selectionSet.selections); // validation has found it
    }
  };
  for (const { selectionSet } of info.fieldNodes) visit(selectionSet?.selections ?? []);
  names.delete("__typename");
  return names;
}

function isSkipped(node: SelectionNode, { variableValues }: GraphQLResolveInfo): boolean {
  const skip = getDirectiveValues(GraphQLSkipDirective, node, variableValues);
  const include = getDirectiveValues(GraphQLIncludeDirective, node, variableValues);
  return skip?.if === true || include?.if === false;
}
