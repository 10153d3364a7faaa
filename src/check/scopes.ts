import { childrenOf, isFunction, isType, keyOf, type Node } from "./syntax.ts";

/** What a name stands for where it is declared. */
export interface Binding {
  readonly name: string;
  readonly kind: "import" | "parameter" | "constant" | "variable" | "function" | "class";
  /** The function, the class, or the import's specifier; for a constant, where its value comes from. */
  readonly node?: Node;
  /** How a destructured constant is reached in that value; missing where the text does not tell. */
  readonly path?: readonly string[];
  readonly isOfModule: boolean;
  /** For imports: the module, and the name there; `*` for all of it. */
  readonly from?: { readonly specifier: string; readonly name: string };
}

/** The names of one file. */
export interface Scopes {
  /** What an identifier in an expression stands for; nothing for a global. */
  bindingOf(identifier: Node): Binding | undefined;
  /** Whether an identifier is a use of a name that nothing in the file declares; keys and labels are none. */
  isGlobal(identifier: Node): boolean;
  /** A name of the module itself. */
  ofModule(name: string): Binding | undefined;
}

/** Finds out for every identifier of a program which declaration it means, as the language does: shadowing, hoisting and all. */
export function toScopes(program: Node): Scopes {
  const resolved = new Map<Node, Binding | undefined>();
  const module = new Scope(undefined, true);
  new Resolver(resolved).program(program, module);
  return {
    bindingOf: (identifier) => resolved.get(identifier),
    isGlobal: (identifier) => resolved.has(identifier) && resolved.get(identifier) === undefined,
    ofModule: (name) => module.names.get(name),
  };
}

class Scope {
  readonly names = new Map<string, Binding>();
  readonly parent: Scope | undefined;
  readonly isModule: boolean;
  constructor(parent: Scope | undefined, isModule = false) {
    this.parent = parent;
    this.isModule = isModule;
  }
  find(name: string): Binding | undefined {
    return this.names.get(name) ?? this.parent?.find(name);
  }
  declare(binding: Omit<Binding, "isOfModule">): void {
    this.names.set(binding.name, { ...binding, isOfModule: this.isModule });
  }
}

type Origin = Pick<Binding, "kind" | "node" | "path">;

class Resolver {
  readonly #resolved: Map<Node, Binding | undefined>;
  constructor(resolved: Map<Node, Binding | undefined>) {
    this.#resolved = resolved;
  }

  program(program: Node, scope: Scope): void {
    this.#hoistVariables(program, scope);
    this.#hoist(program.body, scope);
    for (const statement of program.body) this.#visit(statement, scope);
  }

  /** Declares what a list of statements declares for all of itself. */
  #hoist(statements: readonly Node[], scope: Scope): void {
    for (const given of statements) {
      const statement: Node = (/^Export(Named|Default)Declaration$/.test(given.type) && given.declaration) || given;
      if (statement.type === "ImportDeclaration") this.#import(statement, scope);
      else if (statement.type === "VariableDeclaration" && statement.kind !== "var") this.#declare(statement, scope);
      else if (statement.type === "FunctionDeclaration" && statement.id)
        scope.declare({ name: statement.id.name, kind: "function", node: statement });
      else if (statement.type === "ClassDeclaration" && statement.id)
        scope.declare({ name: statement.id.name, kind: "class", node: statement });
      else if (/^TS(Enum|Module)Declaration$/.test(statement.type) && statement.id.type === "Identifier")
        scope.declare({ name: statement.id.name, kind: "class", node: statement });
      else if (statement.type === "TSImportEqualsDeclaration") this.#importEquals(statement, scope);
    }
  }

  #import({ specifiers, source }: Node, scope: Scope): void {
    for (const specifier of specifiers as readonly Node[]) {
      const { imported } = specifier;
      const name =
        specifier.type === "ImportSpecifier"
          ? (imported.name ?? imported.value)
          : specifier.type === "ImportNamespaceSpecifier"
            ? "*"
            : "default";
      const from = { specifier: source.value, name };
      scope.declare({ name: specifier.local.name, kind: "import", node: specifier, from });
    }
  }

  #importEquals({ id, moduleReference }: Node, scope: Scope): void {
    if (moduleReference.type !== "TSExternalModuleReference") return;
    const from = { specifier: moduleReference.expression.value, name: "*" };
    scope.declare({ name: id.name, kind: "import", from });
  }

  /** `var` belongs to the function, however deep it stands. */
  #hoistVariables(node: Node, scope: Scope): void {
    if (node.type === "VariableDeclaration" && node.kind === "var") this.#declare(node, scope);
    for (const child of childrenOf(node))
      if (!isFunction(child) && !isType(child) && !child.type.startsWith("Class")) this.#hoistVariables(child, scope);
  }

  #declare({ kind, declarations }: Node, scope: Scope): void {
    for (const { id, init } of declarations as readonly Node[]) {
      const origin: Origin =
        kind === "const" && init ? { kind: "constant", node: init, path: [] } : { kind: "variable" };
      this.#pattern(id, scope, origin);
    }
  }

  #pattern(pattern: Node, scope: Scope, origin: Origin): void {
    const { path, ...opaque } = origin;
    switch (pattern.type) {
      case "Identifier":
        scope.declare({ name: pattern.name, ...origin });
        return;
      case "AssignmentPattern":
        this.#pattern(pattern.left, scope, origin);
        return;
      case "TSParameterProperty":
        this.#pattern(pattern.parameter, scope, origin);
        return;
      case "RestElement":
        this.#pattern(pattern.argument, scope, opaque);
        return;
      case "ArrayPattern":
        for (const item of pattern.elements) if (item) this.#pattern(item, scope, opaque);
        return;
      case "ObjectPattern":
        for (const property of pattern.properties as readonly Node[]) {
          if (property.type === "RestElement") this.#pattern(property, scope, opaque);
          else {
            const key = keyOf(property);
            const known = path && key !== undefined;
            this.#pattern(property.value, scope, known ? { ...origin, path: [...path, key] } : opaque);
          }
        }
    }
  }

  #visit(node: Node, scope: Scope): void {
    if (isType(node)) return;
    if (isFunction(node)) {
      this.#function(node, scope);
      return;
    }
    switch (node.type) {
      case "Identifier":
        this.#resolved.set(node, scope.find(node.name));
        return;
      case "MemberExpression":
        this.#visit(node.object, scope);
        if (node.computed) this.#visit(node.property, scope);
        return;
      case "Property":
      case "MethodDefinition":
      case "PropertyDefinition":
      case "AccessorProperty":
        if (node.computed) this.#visit(node.key, scope);
        if (node.value) this.#visit(node.value, scope);
        for (const decorator of node.decorators ?? []) this.#visit(decorator, scope);
        return;
      case "ClassDeclaration":
      case "ClassExpression": {
        const inner = new Scope(scope);
        if (node.id) inner.declare({ name: node.id.name, kind: "class", node });
        if (node.superClass) this.#visit(node.superClass, inner);
        for (const member of node.body.body) this.#visit(member, inner);
        return;
      }
      case "BlockStatement":
      case "StaticBlock":
      case "TSModuleBlock":
        this.#block(node.body, node.body, new Scope(scope));
        return;
      case "SwitchStatement":
        this.#visit(node.discriminant, scope);
        this.#block(
          node.cases.flatMap((one: Node) => one.consequent),
          node.cases,
          new Scope(scope),
        );
        return;
      case "ForStatement":
      case "ForInStatement":
      case "ForOfStatement": {
        const inner = new Scope(scope);
        const head: Node | null = node.type === "ForStatement" ? node.init : node.left;
        if (head) this.#hoist([head], inner);
        this.#inside(node, inner);
        return;
      }
      case "CatchClause": {
        const inner = new Scope(scope);
        if (node.param) this.#pattern(node.param, inner, { kind: "variable" });
        this.#inside(node, inner);
        return;
      }
      case "ImportDeclaration":
      case "ExportAllDeclaration":
      case "MetaProperty":
      case "BreakStatement":
      case "ContinueStatement":
        return;
      case "LabeledStatement":
        this.#visit(node.body, scope);
        return;
      case "ExportSpecifier":
        return;
      case "TSEnumMember":
        if (node.initializer) this.#visit(node.initializer, scope);
        return;
      default:
        this.#inside(node, scope);
    }
  }

  #inside(node: Node, scope: Scope): void {
    for (const child of childrenOf(node)) this.#visit(child, scope);
  }

  #block(declaring: readonly Node[], nodes: readonly Node[], scope: Scope): void {
    this.#hoist(declaring, scope);
    for (const node of nodes) this.#visit(node, scope);
  }

  #function(node: Node, outer: Scope): void {
    const scope = new Scope(outer);
    if (node.type === "FunctionExpression" && node.id) scope.declare({ name: node.id.name, kind: "function", node });
    for (const parameter of node.params) this.#pattern(parameter, scope, { kind: "parameter" });
    for (const parameter of node.params) this.#visit(parameter, scope);
    if (!node.body) return;
    if (node.body.type !== "BlockStatement") {
      this.#visit(node.body, scope);
      return;
    }
    this.#hoistVariables(node.body, scope);
    this.#block(node.body.body, node.body.body, scope);
  }
}
