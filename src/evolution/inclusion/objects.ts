import { type Atom, type AtomOf, ofKind, type Which } from "./formula.ts";
import type { Solve } from "./lists.ts";
import { type Literal, meet } from "./literal.ts";
import { found, none, type Outcome, unknown } from "./outcome.ts";

const mostTries = 2_000;
const mostPatterns = 6;

/** What is asked of one object, gathered by field. */
export class Asked {
  readonly #atoms: readonly Atom[];
  readonly present: ReadonlySet<string>;
  readonly absent: ReadonlySet<string>;
  readonly #fields: ReadonlyMap<string, readonly Literal[]>;
  readonly #matching: readonly {
    readonly which: Which;
    readonly value: Literal;
    readonly test: (name: string) => boolean;
  }[];

  constructor(atoms: readonly Atom[]) {
    this.#atoms = atoms;
    const named = (kind: "present" | "absent") => atoms.flatMap((atom) => (atom.kind === kind ? [atom.name] : []));
    const has = ofKind(atoms, "has");
    this.present = new Set([...named("present"), ...has.map(({ name }) => name)]);
    this.absent = new Set(named("absent"));
    const fields = new Map<string, Literal[]>();
    for (const atom of atoms)
      if (atom.kind === "field" || atom.kind === "has")
        fields.set(atom.name, [...(fields.get(atom.name) ?? []), atom.value]);
    this.#fields = fields;
    this.#matching = atoms.flatMap((atom) => (atom.kind === "fields" ? [{ ...atom, test: toTest(atom.which) }] : []));
  }

  /** What is asked of a field's value, if it is there. */
  of(name: string): readonly Literal[] {
    if (this.absent.has(name)) return [meet(false)];
    return [
      ...(this.#fields.get(name) ?? []),
      ...this.#matching.flatMap(({ test, value }) => (test(name) ? [value] : [])),
    ];
  }

  get atoms(): readonly Atom[] {
    return this.#atoms;
  }
  get names(): readonly Literal[] {
    return ofKind(this.#atoms, "names").map(({ name }) => name);
  }
  /** Every name that is spoken of. */
  get mentioned(): ReadonlySet<string> {
    const names = new Set([...this.present, ...this.absent, ...this.#fields.keys()]);
    for (const atom of this.#atoms)
      if (atom.kind === "fields" || atom.kind === "has one") for (const name of atom.which.notNames) names.add(name);
    return names;
  }
  get patterns(): readonly string[] {
    const all = this.#atoms.flatMap((atom) =>
      atom.kind === "fields" || atom.kind === "has one"
        ? [...(atom.which.pattern === undefined ? [] : [atom.which.pattern]), ...atom.which.notPatterns]
        : [],
    );
    return [...new Set(all)];
  }
}

export function toTest({ pattern, notNames, notPatterns }: Which): (name: string) => boolean {
  const wanted = pattern === undefined ? undefined : new RegExp(pattern, "u");
  const unwanted = notPatterns.map((one) => new RegExp(one, "u"));
  return (name) =>
    (!wanted || wanted.test(name)) && !notNames.includes(name) && !unwanted.some((one) => one.test(name));
}

/** An object that meets all atoms, with as few fields as will do. */
export function solveObject(atoms: readonly Atom[], solve: Solve): Outcome {
  const asked = new Asked(atoms);
  const min = Math.max(0, ...ofKind(atoms, "least").map(({ size }) => size));
  const max = Math.min(Number.POSITIVE_INFINITY, ...ofKind(atoms, "most").map(({ size }) => size));
  if (min > max || asked.present.size > max || [...asked.present].some((name) => asked.absent.has(name))) return none;
  if (asked.patterns.length > mostPatterns) return unknown("it speaks of fields by too many patterns");
  const object = new Filling(asked, solve);
  for (const name of asked.present) {
    const outcome = object.put(name, []);
    if (outcome) return outcome;
  }
  const wanted = ofKind(atoms, "has one");
  return object.complete(wanted, min, max);
}

/** An object while it is being filled. */
class Filling {
  readonly #asked: Asked;
  readonly #solve: Solve;
  readonly #values = new Map<string, unknown>();
  #doubt: Outcome | undefined;
  #tries = 0;

  constructor(asked: Asked, solve: Solve) {
    this.#asked = asked;
    this.#solve = solve;
  }

  /** Gives a field a value; what comes back is why there is none. */
  put(name: string, more: readonly Literal[]): Outcome | undefined {
    const fit = this.#nameFits(name, []);
    if (fit.kind !== "found") return fit;
    const outcome = this.#solve([...this.#asked.of(name), ...more]);
    if (outcome.kind !== "found") return outcome;
    this.#values.set(name, outcome.value);
    return undefined;
  }

  complete(wanted: readonly AtomOf<"has one">[], min: number, max: number): Outcome {
    const done = this.#choose(wanted, new Map(), min, max);
    return done.kind === "none" ? (this.#doubt ?? none) : done;
  }

  /** Finds a field for everything that wants one, trying what there is before something new. */
  #choose(
    wanted: readonly AtomOf<"has one">[],
    extra: ReadonlyMap<string, readonly Literal[]>,
    min: number,
    max: number,
  ): Outcome {
    const [first, ...rest] = wanted;
    if (!first) return this.#build(extra, min, max);
    const test = toTest(first.which);
    const names = first.name ? [first.name] : [];
    const tried = new Set([...this.#asked.mentioned, ...extra.keys()]);
    for (const name of [...tried].filter(test)) {
      this.#tries += 1;
      if (this.#tries > mostTries) return unknown("there are too many ways to fill its objects");
      const fit = this.#nameFits(name, names);
      if (fit.kind === "unknown") this.#doubt ??= fit;
      if (fit.kind !== "found") continue;
      const outcome = this.#choose(rest, joined(extra, name, first.value ? [first.value] : []), min, max);
      if (outcome.kind === "found") return outcome;
      if (outcome.kind === "unknown") this.#doubt ??= outcome;
    }
    for (const name of this.#fresh(first.which, names, tried)) {
      const outcome = this.#choose(rest, joined(extra, name, first.value ? [first.value] : []), min, max);
      if (outcome.kind === "found") return outcome;
      if (outcome.kind === "unknown") this.#doubt ??= outcome;
    }
    return none;
  }

  #build(extra: ReadonlyMap<string, readonly Literal[]>, min: number, max: number): Outcome {
    const values = new Map(this.#values);
    for (const [name, more] of extra) {
      const outcome = this.#solve([...this.#asked.of(name), ...more]);
      if (outcome.kind !== "found") return outcome;
      values.set(name, outcome.value);
    }
    if (values.size > max) return none;
    if (values.size < min) {
      const pad = (name: string): void => {
        if (values.size >= min || values.has(name) || this.#nameFits(name, []).kind === "none") return;
        const outcome = this.#solve(this.#asked.of(name));
        if (outcome.kind === "found") values.set(name, outcome.value);
        else if (outcome.kind === "unknown") this.#doubt ??= outcome;
      };
      for (const name of this.#asked.mentioned) pad(name);
      const anything = { notNames: [], notPatterns: [] };
      while (values.size < min) {
        const size = values.size;
        for (const name of this.#fresh(anything, [], new Set([...this.#asked.mentioned, ...values.keys()]))) pad(name);
        if (values.size === size) return none;
        if (values.size > mostTries) return unknown(`an object of more than ${mostTries} fields would have to be made`);
      }
    }
    return found(Object.fromEntries(values));
  }

  #nameFits(name: string, more: readonly Literal[]): Outcome {
    const asked = [...this.#asked.names, ...more];
    return asked.length === 0 ? found(name) : this.#solve([meet({ const: name }), ...asked]);
  }

  /** A name of its own for each kind of field: which patterns it matches is all that tells new names apart. */
  *#fresh(which: Which, names: readonly Literal[], taken: ReadonlySet<string>): Iterable<string> {
    const { patterns } = this.#asked;
    const test = toTest(which);
    for (let signs = 0; signs < 2 ** patterns.length; signs += 1) {
      const outcome = this.#solve([
        meet({ type: "string", not: { enum: [...taken] } }),
        ...patterns.map((pattern, at) => meet((signs >> at) & 1 ? { pattern } : { not: { pattern } })),
        ...this.#asked.names,
        ...names,
      ]);
      if (outcome.kind === "unknown") this.#doubt ??= outcome;
      if (outcome.kind === "found" && test(String(outcome.value))) yield String(outcome.value);
    }
  }
}

function joined(
  extra: ReadonlyMap<string, readonly Literal[]>,
  name: string,
  more: readonly Literal[],
): ReadonlyMap<string, readonly Literal[]> {
  const had = extra.get(name) ?? [];
  return new Map(extra).set(name, [
    ...had,
    ...more.filter((one) => !had.some((other) => other.schema === one.schema && other.met === one.met)),
  ]);
}
