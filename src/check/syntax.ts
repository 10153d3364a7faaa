/** A node of a syntax tree (ESTree with TypeScript's nodes). What each type has is known to the code that asks for it. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [part: string]: any; // each type of node has its own parts
}

const isNode = (part: unknown): part is Node =>
  typeof part === "object" && part !== null && typeof (part as Node).type === "string";

/** The nodes directly inside a node, in the order of the text. */
export function childrenOf(node: Node): Node[] {
  const children: Node[] = [];
  for (const name in node) {
    const part: unknown = node[name]; // no list of values is made: this is asked of every node
    if (Array.isArray(part)) for (const item of part) isNode(item) && children.push(item);
    else if (isNode(part)) children.push(part);
  }
  return children;
}

/** Visits a node and everything inside it; what answers false is not entered. */
export function walk(node: Node, visit: (node: Node) => boolean | void): void {
  if (visit(node) === false) return;
  for (const child of childrenOf(node)) walk(child, visit);
}

/** Whether a node only says something about types, and is gone at run time. */
export function isType(node: Node): boolean {
  return typeOnly.test(node.type) && !wrappers.has(node.type) && !atRunTime.has(node.type);
}
const typeOnly = /^TS/;
const atRunTime = new Set([
  "TSEnumDeclaration",
  "TSEnumBody",
  "TSEnumMember",
  "TSModuleDeclaration",
  "TSModuleBlock",
  "TSExportAssignment",
  "TSParameterProperty",
]);
const wrappers = new Set([
  "TSAsExpression",
  "TSSatisfiesExpression",
  "TSNonNullExpression",
  "TSTypeAssertion",
  "TSInstantiationExpression",
]);

/** The expression inside parentheses, assertions and `?.` chains. */
export function unwrap(node: Node): Node {
  let inner = node;
  while (wrappers.has(inner.type) || inner.type === "ParenthesizedExpression" || inner.type === "ChainExpression")
    inner = inner.expression;
  return inner;
}

export const isFunction = (node: Node): boolean =>
  node.type === "ArrowFunctionExpression" || node.type === "FunctionExpression" || node.type === "FunctionDeclaration";

/** The text of a string literal, or of a template without gaps. */
export function textOf(node: Node | null | undefined): string | undefined {
  if (!node) return undefined;
  const inner = unwrap(node);
  if (inner.type === "Literal" && typeof inner.value === "string") return inner.value;
  if (inner.type === "TemplateLiteral" && inner.expressions.length === 0) return inner.quasis[0].value.cooked;
  return undefined;
}

/** The name of a property, of a member or a key, where the text tells it. */
export function keyOf(node: Node): string | undefined {
  const key: Node = node.type === "MemberExpression" ? node.property : node.key;
  if (!node.computed && (key.type === "Identifier" || key.type === "PrivateIdentifier")) return key.name;
  return textOf(key);
}

/** The value of a property in an object literal. */
export function propertyOf(object: Node, name: string): Node | undefined {
  const property = object.properties.find((part: Node) => part.type === "Property" && keyOf(part) === name);
  return property?.value;
}
