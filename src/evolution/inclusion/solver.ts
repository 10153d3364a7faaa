import { isRecord, resolve, Unsupported } from "../plain.ts";
import { accepts, isOfType } from "./accepts.ts";
import { type Atom, type Choice, type Formula, type JsonType, jsonTypes, ofKind, toFormula } from "./formula.ts";
import { solveList } from "./lists.ts";
import { type Literal, Names, opposite } from "./literal.ts";
import { solveNumber } from "./numbers.ts";
import { Asked, solveObject, toTest } from "./objects.ts";
import { firstOf, found, none, type Outcome, unknown } from "./outcome.ts";
import { solveText } from "./texts.ts";

const mostSteps = 200_000;

/**
 * Looks for a value that meets some schemas and breaks others, or shows that there is none. A tableau: what is asked is
 * taken apart by type until only atoms are left (after Attouche, Baazizi, Colazzo, Ghelli, Sartiani and Scherzinger,
 * "Witness Generation for JSON Schema", VLDB 2022). A question that comes up again inside itself has no answer there:
 * the smallest value that answers it contains no smaller one that does.
 */
export class Solver {
  readonly #names = new Names();
  readonly #known = new Map<string, Outcome>();
  /** Questions under way, with how deep each began. */
  readonly #open = new Map<string, number>();
  /** How far up the questions reach on which the present answer leans. */
  #leansOn = Number.POSITIVE_INFINITY;
  #steps = 0;

  /** A question of its own, with all the patience that a question gets. */
  ask(literals: readonly Literal[]): Outcome {
    this.#steps = 0;
    return this.solve(literals);
  }

  solve(literals: readonly Literal[]): Outcome {
    const asked = new Map<string, Literal>();
    for (const literal of literals) {
      const says = typeof literal.schema === "boolean" ? literal.schema === literal.met : undefined;
      if (says === false) return none;
      if (says === undefined) asked.set(`${literal.met ? "+" : "-"}${this.#names.of(literal)}`, literal);
    }
    for (const name of asked.keys()) if (name.startsWith("+") && asked.has(`-${name.slice(1)}`)) return none;
    const key = [...asked.keys()].sort().join();
    const known = this.#known.get(key);
    if (known) return known;
    const depth = this.#open.get(key);
    if (depth !== undefined) {
      this.#leansOn = Math.min(this.#leansOn, depth);
      return none;
    }
    if (this.#steps > mostSteps || this.#open.size > 200) return unknown("its schemas are too large to be compared");
    const before = this.#leansOn;
    this.#leansOn = Number.POSITIVE_INFINITY;
    const level = this.#open.size;
    this.#open.set(key, level);
    const outcome = this.#attempt([...asked.values()]);
    this.#open.delete(key);
    // What leaned on a question that is still open may be answered otherwise from elsewhere.
    const isFinal = outcome.kind === "none" ? this.#leansOn >= level : this.#steps <= mostSteps;
    if (isFinal) this.#known.set(key, outcome);
    this.#leansOn = Math.min(before, this.#leansOn >= level ? Number.POSITIVE_INFINITY : this.#leansOn);
    return outcome;
  }

  #attempt(literals: readonly Literal[]): Outcome {
    try {
      const values = finite(literals);
      if (values) return this.#oneOf(values, literals);
      const wanted = literals.flatMap((literal) => (literal.met ? preferredTypes(literal) : []));
      const types = [...new Set([...wanted, ...jsonTypes])];
      return firstOf(types.map((type) => () => this.#ofType(type, literals)));
    } catch (error) {
      if (error instanceof Unsupported) return unknown(error.message);
      throw error;
    }
  }

  #oneOf(values: readonly unknown[], literals: readonly Literal[]): Outcome {
    const value = values.find((one) =>
      literals.every(({ schema, document, met }) => accepts(schema, document, one) === met),
    );
    return value === undefined ? none : found(value);
  }

  #ofType(type: JsonType, literals: readonly Literal[]): Outcome {
    try {
      return this.#search(
        type,
        literals.map((literal) => toFormula(literal, type)),
        [],
        literals,
      );
    } catch (error) {
      if (error instanceof Unsupported) return unknown(error.message);
      throw error;
    }
  }

  /** Takes formulas apart until only atoms are left: a choice is made as late as can be, and the smallest first. */
  #search(
    type: JsonType,
    formulas: readonly Formula[],
    before: readonly Atom[],
    literals: readonly Literal[],
  ): Outcome {
    this.#steps += 1;
    if (this.#steps > mostSteps) return unknown("its schemas are too large to be compared");
    const atoms = [...before];
    let choices: Choice[] = [];
    const queue = [...formulas];
    for (let formula = queue.pop(); formula !== undefined; formula = queue.pop()) {
      if (formula === false) return none;
      if (formula === true) continue;
      if (formula.kind === "and") queue.push(...formula.parts);
      else if (formula.kind === "or") choices.push(formula);
      else if (contradicts(formula.atom, atoms, type)) return none;
      else atoms.push(formula.atom);
    }
    for (let changed = true; changed && choices.length > 0; ) {
      changed = false;
      const left: Choice[] = [];
      for (const choice of choices) {
        const open = choice.parts.filter((part) => !this.#isRuledOut(part, atoms, type));
        if (open.length === 0) return none;
        if (open.some((part) => this.#isImplied(part, atoms, type))) continue;
        if (open.length > 1) left.push(open.length === choice.parts.length ? choice : { kind: "or", parts: open });
        else
          return this.#search(
            type,
            [open[0] as Formula, ...left, ...choices.slice(choices.indexOf(choice) + 1)],
            atoms,
            literals,
          );
      }
      choices = left;
    }
    const [smallest, ...others] = choices.sort((a, b) => a.parts.length - b.parts.length);
    if (!smallest) return this.#leaf(type, atoms, literals);
    return firstOf(smallest.parts.map((part) => () => this.#search(type, [part, ...others], atoms, literals)));
  }

  /** Whether a part cannot hold beside what is asked already: seen early, it need not be tried with everything else. */
  #isRuledOut(part: Formula, atoms: readonly Atom[], type: JsonType): boolean {
    if (typeof part === "boolean") return !part;
    if (part.kind === "and") return part.parts.some((one) => this.#isRuledOut(one, atoms, type));
    if (part.kind === "or") return part.parts.every((one) => this.#isRuledOut(one, atoms, type));
    if (contradicts(part.atom, atoms, type)) return true;
    const { atom } = part;
    if (atom.kind !== "has") return false;
    return this.solve([...new Asked(atoms).of(atom.name), atom.value]).kind === "none";
  }

  /** Whether a part holds anyway, so that nothing has to be chosen. */
  #isImplied(part: Formula, atoms: readonly Atom[], type: JsonType): boolean {
    if (typeof part === "boolean") return part;
    if (part.kind === "and") return part.parts.every((one) => this.#isImplied(one, atoms, type));
    if (part.kind === "or") return part.parts.some((one) => this.#isImplied(one, atoms, type));
    const { atom } = part;
    if (type !== "object") return false;
    const asked = new Asked(atoms);
    if (atom.kind === "present") return asked.present.has(atom.name);
    if (atom.kind === "absent") return asked.absent.has(atom.name);
    if (atom.kind === "has")
      return asked.present.has(atom.name) && this.solve([...asked.of(atom.name), opposite(atom.value)]).kind === "none";
    if (atom.kind !== "has one" || atom.name || !atom.value) return false;
    const { value, which } = atom;
    return [...asked.present].some(
      (name) => toTest(which)(name) && this.solve([...asked.of(name), opposite(value)]).kind === "none",
    );
  }

  #leaf(type: JsonType, atoms: readonly Atom[], literals: readonly Literal[]): Outcome {
    const listed = ofKind(atoms, "one of").map(({ values }) => values)[0];
    if (listed)
      return this.#oneOf(
        listed.filter((value) => isOfType(type, value)),
        literals,
      );
    const solve = (inner: readonly Literal[]): Outcome => this.solve(inner);
    const excluded = ofKind(atoms, "none of").flatMap(({ values }) => values);
    switch (type) {
      case "null":
        return this.#oneOf([null], literals);
      case "boolean":
        return this.#oneOf([true, false], literals);
      case "number":
        return solveNumber(atoms);
      case "string":
        return solveText(atoms);
      case "array":
      case "object": {
        const outcome = type === "array" ? solveList(atoms, solve) : solveObject(atoms, solve);
        if (outcome.kind !== "found" || excluded.length === 0) return outcome;
        return literals.every(({ schema, document, met }) => accepts(schema, document, outcome.value) === met)
          ? outcome
          : this.#besides(type, atoms, excluded, solve);
      }
    }
  }

  /** Another list or object than those that are excluded: a longer one will do where longer ones are allowed. */
  #besides(
    type: "array" | "object",
    atoms: readonly Atom[],
    excluded: readonly unknown[],
    solve: (inner: readonly Literal[]) => Outcome,
  ): Outcome {
    for (let size = 0; size <= excluded.length + 1; size += 1) {
      const larger: readonly Atom[] = [...atoms, { kind: "least", size }];
      const outcome = type === "array" ? solveList(larger, solve) : solveObject(larger, solve);
      if (
        outcome.kind === "found" &&
        !excluded.some((other) => JSON.stringify(other) === JSON.stringify(outcome.value))
      )
        return outcome;
    }
    return unknown("single lists or objects are excluded");
  }
}

/** The values that a literal lists, where one does: whatever else is asked, it is one of these. */
function finite(literals: readonly Literal[]): readonly unknown[] | undefined {
  for (const { schema, document, met } of literals) {
    if (!met || !isRecord(schema)) continue;
    const own = isRecord(schema) && typeof schema.$ref === "string" ? resolve(document, schema.$ref) : schema;
    if (!isRecord(own)) continue;
    if ("const" in own) return [own.const];
    if (Array.isArray(own.enum)) return own.enum;
  }
  return undefined;
}

function preferredTypes({ schema, document }: Literal): readonly JsonType[] {
  if (!isRecord(schema)) return [];
  const own = typeof schema.$ref === "string" ? resolve(document, schema.$ref) : schema;
  if (!isRecord(own)) return [];
  return [own.type]
    .flat()
    .flatMap((type) => (type === "integer" ? ["number" as const] : jsonTypes.filter((known) => known === type)));
}

function contradicts(atom: Atom, atoms: readonly Atom[], type: JsonType): boolean {
  if (type === "object") {
    if (atom.kind === "absent")
      return atoms.some((other) => (other.kind === "present" || other.kind === "has") && other.name === atom.name);
    if (atom.kind === "present" || atom.kind === "has")
      return atoms.some((other) => other.kind === "absent" && other.name === atom.name);
  }
  if (atom.kind === "least") return atoms.some((other) => other.kind === "most" && other.size < atom.size);
  if (atom.kind === "most")
    return atom.size < 0 || atoms.some((other) => other.kind === "least" && other.size > atom.size);
  return false;
}
