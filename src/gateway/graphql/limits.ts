import {
  type ASTVisitor,
  type GraphQLCompositeType,
  GraphQLError,
  getNamedType,
  getNullableType,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  type SelectionSetNode,
  type ValidationContext,
  type ValidationRule,
} from "graphql";

export interface Limits {
  /** How many fields may stand inside each other. */
  readonly depth: number;
  /** What a request may cost: 10 for each operation, 1 for each field, and what is below a list ten times. */
  readonly cost: number;
}
interface Measure {
  readonly depth: number;
  readonly cost: number;
}

const operationCost = 10;
const listFactor = 10;

/**
 * Refuses a request that is too deep or too expensive before any of it is done. A fragment is measured once, however
 * often it is used, so that measuring is not what makes a request expensive.
 */
export const toLimitRule =
  (limits: Limits): ValidationRule =>
  (context: ValidationContext): ASTVisitor => {
    const measure = createMeasure(context);
    return {
      OperationDefinition(node) {
        const root = context.getSchema().getRootType(node.operation);
        if (!root) return;
        const { depth, cost } = measure(node.selectionSet, root);
        if (depth > limits.depth)
          refuse(context, "TooDeep", `The request is ${depth} levels deep, and ${limits.depth} are allowed.`);
        if (cost > limits.cost)
          refuse(
            context,
            "TooExpensive",
            `The request costs ${cost}, and ${limits.cost} is allowed: ${operationCost} for each operation, 1 for each field, ten times that in a list.`,
          );
      },
    };
  };

function refuse(context: ValidationContext, code: string, message: string): void {
  context.reportError(new GraphQLError(message, { extensions: { code, retry: "never" } }));
}

function createMeasure(context: ValidationContext): (set: SelectionSetNode, parent: GraphQLCompositeType) => Measure {
  const schema = context.getSchema();
  const roots = [schema.getQueryType(), schema.getMutationType()];
  const fragments = new Map<string, Measure>();
  const measure = (set: SelectionSetNode, parent: GraphQLCompositeType): Measure => {
    let [depth, cost] = [0, 0];
    for (const node of set.selections) {
      let inside: Measure = { depth: 0, cost: 0 };
      if (node.kind === "Field") inside = measureField(node.name.value, node.selectionSet, parent);
      else if (node.kind === "InlineFragment")
        inside = measure(node.selectionSet, typed(node.typeCondition?.name.value) ?? parent);
      else inside = measureFragment(node.name.value);
      depth = Math.max(depth, inside.depth);
      cost += inside.cost;
    }
    return { depth, cost };
  };
  const measureField = (name: string, set: SelectionSetNode | undefined, parent: GraphQLCompositeType): Measure => {
    // How deep introspection goes is another rule's business, and whether there is any.
    if (name.startsWith("__")) return { depth: 0, cost: 1 };
    const own = roots.includes(parent as (typeof roots)[number]) ? operationCost : 1;
    const field = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
    if (!field || !set) return { depth: 1, cost: own };
    const type = getNamedType(field.type);
    if (!isCompositeType(type)) return { depth: 1, cost: own };
    const below = measure(set, type);
    const factor = isListType(getNullableType(field.type)) ? listFactor : 1;
    return { depth: below.depth + 1, cost: own + below.cost * factor };
  };
  const measureFragment = (name: string): Measure => {
    const known = fragments.get(name);
    if (known) return known;
    fragments.set(name, { depth: 0, cost: 0 }); // one that contains itself is refused elsewhere
    const fragment = context.getFragment(name);
    const type = fragment && typed(fragment.typeCondition.name.value);
    const measured = fragment && type ? measure(fragment.selectionSet, type) : { depth: 0, cost: 0 };
    fragments.set(name, measured);
    return measured;
  };
  const typed = (name: string | undefined): GraphQLCompositeType | undefined => {
    const type = name === undefined ? undefined : schema.getType(name);
    return isCompositeType(type) ? type : undefined;
  };
  return measure;
}
