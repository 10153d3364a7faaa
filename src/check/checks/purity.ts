import type { Finding } from "../finding.ts";
import type { Project } from "../project.ts";
import type { Binding } from "../scopes.ts";
import type { SourceFile } from "../source-file.ts";
import { childrenOf, isFunction, isType, keyOf, type Node, unwrap } from "../syntax.ts";
import { clockWhenBare, type Effect, effectOf } from "./effects.ts";
import { type Entry, entriesOf } from "./entries.ts";
import { type Declared, declaredBy, exportOf, meaningOf } from "./meaning.ts";

/**
 * Clocks, randomness, timers, the environment and I/O inside functions that are acted out again, and inside what they
 * call: helpers of the same file and of others, as far as the text tells. What they are handed is theirs to use.
 */
export function checkPurity(project: Project): readonly Finding[] {
  const findings = new Map<string, Finding>();
  for (const file of project.files.values()) {
    const layer = project.layerOf(file.path);
    if (!layer || layer.name === "tests" || layer.name === "tools" || !mayHaveEntries(file)) continue;
    for (const entry of entriesOf(project, file, layer.name)) new Walk(project, entry, findings).from(file);
  }
  return [...findings.values()];
}

/** Making a tree is most of the work of a check, so it is made where there is a reason. */
const mayHaveEntries = ({ text }: SourceFile): boolean =>
  /\b(workflow|entity|readModel|source|upcast|decide)\b/.test(text);

interface Where {
  readonly file: SourceFile;
  /** The names of the helpers that lead here. */
  readonly by: readonly string[];
  /** The function or value that is being read: what is declared inside it is read anyway. */
  readonly root: Node;
}

class Walk {
  readonly #project: Project;
  readonly #entry: Entry;
  readonly #findings: Map<string, Finding>;
  readonly #seen = new Set<Node>();
  readonly #given = new Set<Binding>();
  constructor(project: Project, entry: Entry, findings: Map<string, Finding>) {
    this.#project = project;
    this.#entry = entry;
    this.#findings = findings;
  }

  from(file: SourceFile): void {
    this.#read(this.#entry.node, { file, by: [], root: this.#entry.node });
  }

  #read(node: Node, where: Where): void {
    if (isType(node)) return;
    switch (node.type) {
      case "Identifier":
        this.#named(node, where);
        return;
      case "MemberExpression":
        if (this.#named(node, where) || this.#member(node, where)) return;
        this.#read(node.object, where);
        if (node.computed) this.#read(node.property, where);
        return;
      case "NewExpression":
      case "CallExpression":
        this.#call(node, where);
        return;
      case "ImportExpression": {
        const meaning = meaningOf(this.#project, where.file, node);
        const effect = meaning === undefined ? undefined : effectOf(meaning);
        if (effect) this.#report(effect, node, meaning ?? "", where);
        return;
      }
      case "AssignmentExpression":
        this.#written(node.left, where);
        break;
      case "UpdateExpression":
        this.#written(node.argument, where);
        break;
      case "UnaryExpression":
        if (node.operator === "delete") this.#written(node.argument, where);
        break;
      // What is declared is read where it is used: what steps alone use is done once, as they are.
      case "FunctionDeclaration":
        if (node !== where.root) return;
        break;
      case "VariableDeclarator":
        if (isNamedFunction(node, where)) return;
        break;
      case "Property":
      case "MethodDefinition":
      case "PropertyDefinition":
        if (node.computed) this.#read(node.key, where);
        if (node.value) this.#read(node.value, where);
        return;
      case "LabeledStatement":
        this.#read(node.body, where);
        return;
      case "MetaProperty":
      case "BreakStatement":
      case "ContinueStatement":
        return;
    }
    for (const child of childrenOf(node)) this.#read(child, where);
  }

  #call(node: Node, where: Where): void {
    const callee = unwrap(node.callee);
    const meaning = meaningOf(this.#project, where.file, callee);
    const isBare = node.arguments.length === 0 || (meaning === "Date" && node.type === "CallExpression");
    if (meaning !== undefined && isBare && clockWhenBare.has(meaning)) this.#report("pure/clock", node, meaning, where);
    if (isBare && isFormatOfNow(this.#project, where.file, callee))
      this.#report("pure/clock", node, "Intl.DateTimeFormat without a date", where);
    if (callee.type === "MemberExpression" && changing.has(keyOf(callee) ?? ""))
      this.#written(callee, where, /^(Array|New)Expression$/);
    this.#read(node.callee, where);
    // What is done in a step is done once: its result is in the journal.
    const [name, ...rest] = node.arguments as readonly Node[];
    for (const argument of this.#isStep(callee, where) && name ? [name, ...rest.slice(1)] : node.arguments)
      this.#read(argument, where);
  }

  /** A variable of a module, or a list, map or set of one, that is changed from in here. */
  #written(given: Node, where: Where, holder = /^(Array|Object|New)Expression$/): void {
    let target = unwrap(given);
    const isMember = target.type === "MemberExpression";
    while (target.type === "MemberExpression") target = unwrap(target.object);
    const binding = target.type === "Identifier" ? where.file.scopes().bindingOf(target) : undefined;
    if (!binding?.isOfModule) return;
    const declared = binding.from ? this.#imported(where.file, binding.from) : declaredBy(where.file, binding);
    const isKept = declared ? isMember && isHolder(unwrap(declared.node), holder) : binding.kind === "variable";
    if (isKept) this.#report("pure/state", given, `${binding.name}, which is the module's,`, where);
  }

  /** `run.step(…)`, on a run that was handed over. */
  #isStep(callee: Node, { file }: Where): boolean {
    if (callee.type !== "MemberExpression" || keyOf(callee) !== "step") return false;
    let object = unwrap(callee.object);
    while (object.type === "MemberExpression") object = unwrap(object.object);
    const binding = object.type === "Identifier" ? file.scopes().bindingOf(object) : undefined;
    return binding !== undefined && !binding.isOfModule;
  }

  /** Whether a name stands for something that is outside of the project; it is reported where it has an effect. */
  #named(node: Node, where: Where): boolean {
    if (node.type === "Identifier" && this.#isSaidAlready(node, where)) return true;
    const meaning = meaningOf(this.#project, where.file, node);
    if (meaning !== undefined) {
      const effect = effectOf(meaning);
      if (effect) this.#report(effect, node, meaning, where);
      return effect !== undefined;
    }
    if (node.type === "Identifier") this.#follow(node, where);
    return false;
  }

  /** Whether a name is another one's, given inside of what is being read: it is said there. */
  #isSaidAlready(node: Node, { file, root }: Where): boolean {
    const binding = file.scopes().bindingOf(node);
    if (binding?.kind !== "constant" || !binding.node || !contains(root, binding.node)) return false;
    if (binding.path?.length === 0 && isFunction(unwrap(binding.node))) return false;
    if (binding.path?.length === 0 || this.#given.has(binding)) return true;
    this.#given.add(binding);
    return false;
  }

  /** `helpers.now` of an imported module or of an object in full view: that one alone is followed. */
  #member(node: Node, where: Where): boolean {
    const name = keyOf(node);
    const object = unwrap(node.object);
    const binding = object.type === "Identifier" ? where.file.scopes().bindingOf(object) : undefined;
    if (name === undefined || !binding) return false;
    if (binding.from?.name === "*") {
      const [target] = this.#project.resolve(where.file.path, binding.from.specifier);
      const exported = target?.kind === "file" ? exportOf(this.#project, target.path, name) : undefined;
      if (typeof exported === "string" || !exported) return target?.kind === "file";
      this.#enter(exported, name, where);
      return true;
    }
    if (!binding.isOfModule || binding.kind !== "constant" || !binding.node) return false;
    const value = unwrap(binding.node);
    if (value.type !== "ObjectExpression" || binding.path?.length !== 0) return false;
    const property = value.properties.find((part: Node) => part.type === "Property" && keyOf(part) === name);
    if (!property) return false;
    this.#enter({ file: where.file, node: property.value }, `${binding.name}.${name}`, where);
    return true;
  }

  #follow(node: Node, where: Where): void {
    const binding = where.file.scopes().bindingOf(node);
    if (!binding) return;
    const declared = binding.from ? this.#imported(where.file, binding.from) : ownOf(where.file, binding);
    if (!declared) return;
    const isInside = declared.file === where.file && contains(where.root, declared.node);
    if (!isInside) this.#enter(declared, binding.name, where);
    else if (isFunction(unwrap(declared.node))) this.#readOnce(declared.node, where);
  }

  #imported(file: SourceFile, { specifier, name }: NonNullable<Binding["from"]>): Declared | undefined {
    const [target] = this.#project.resolve(file.path, specifier);
    const exported = target?.kind === "file" && name !== "*" ? exportOf(this.#project, target.path, name) : undefined;
    return typeof exported === "string" ? undefined : exported;
  }

  /** A function that is declared inside of what is being read, where it is used. */
  #readOnce(node: Node, where: Where): void {
    if (this.#seen.has(node)) return;
    this.#seen.add(node);
    for (const child of childrenOf(unwrap(node))) if (child !== unwrap(node).id) this.#read(child, where);
  }

  #enter({ file, node }: Declared, name: string, where: Where): void {
    if (this.#seen.has(node)) return;
    this.#seen.add(node);
    this.#read(node, { file, root: node, by: [...where.by, name] });
  }

  #report(rule: Effect, { start, end }: Node, meaning: string, { file, by }: Where): void {
    const key = `${file.path}:${start}`;
    if (this.#findings.has(key)) return;
    const way = by.length === 0 ? "" : `, which ${this.#entry.what} reaches through ${by.join(" → ")}`;
    const place = by.length === 0 ? ` inside ${this.#entry.what}` : way;
    this.#findings.set(key, { rule, file: file.path, at: { start, end }, message: `${meaning} is used${place}.` });
  }
}

const isNamedFunction = ({ id, init }: Node, { file, root }: Where): boolean => {
  const binding = id.type === "Identifier" ? file.scopes().bindingOf(id) : undefined;
  return init && init !== root && binding?.kind === "constant" && isFunction(unwrap(init));
};

/** What changes a list, a map or a set. */
const changing: ReadonlySet<string> = new Set(
  "set add delete clear push pop shift unshift splice sort reverse fill copyWithin".split(" "),
);
const isHolder = (value: Node, types: RegExp): boolean =>
  types.test(value.type) &&
  (value.type !== "NewExpression" || /^(Weak)?(Map|Set)$|Array$/.test(String(value.callee.name)));

/** `new Intl.DateTimeFormat(…).format` and its like, which take the time themselves where they are given none. */
function isFormatOfNow(project: Project, file: SourceFile, callee: Node): boolean {
  if (callee.type !== "MemberExpression" || !/^format(ToParts)?$/.test(keyOf(callee) ?? "")) return false;
  const object = unwrap(callee.object);
  const binding = object.type === "Identifier" ? file.scopes().bindingOf(object) : undefined;
  const made = binding?.path?.length === 0 && binding.node ? unwrap(binding.node) : object;
  if (made.type !== "NewExpression" && made.type !== "CallExpression") return false;
  return meaningOf(project, file, made.callee) === "Intl.DateTimeFormat";
}

const contains = (outer: Node, inner: Node): boolean => inner.start >= outer.start && inner.end <= outer.end;

/** A declaration that a use of its name leads into. What an enclosing function has worked out before is handed over. */
function ownOf(file: SourceFile, binding: Binding): Declared | undefined {
  const declared = declaredBy(file, binding);
  if (!declared || binding.isOfModule) return declared;
  const value = unwrap(declared.node);
  return isFunction(value) || binding.kind === "class" ? declared : undefined;
}
