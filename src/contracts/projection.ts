import { fits, isRecord, isSchema, listOf, resolve } from "./json-schema.ts";
import type { JsonSchema } from "./schema.ts";

/** What a schema declares of a value, and where the value said more (JSON Pointers). */
export interface Projected {
  readonly value: unknown;
  readonly findUndeclared: () => readonly string[];
}
export type Projection = (value: unknown) => Projected;

/**
 * Compiles a JSON Schema into a function that keeps only the declared fields of a value.
 * Schema libraries differ in what they do with unknown fields (drop, keep, refuse); through this they all behave alike:
 * in-process callers may pass a wider value, and the gateway refuses what `undeclared` names.
 */
export function toProjection(schema: JsonSchema): Projection {
  const project = new Compiler(schema).compile(schema);
  return (value) => {
    const undeclared: string[] = [];
    const projected = project(value, undefined, undeclared);
    if (undeclared.length === 0) return { value: projected, findUndeclared: none };
    // Mostly nothing is undeclared, and mostly nobody asks what: the places are found out by walking once more.
    const places = (): readonly string[] => {
      const places: string[] = [];
      project(value, "", places);
      return places;
    };
    return { value: projected, findUndeclared: places };
  };
}

const none = (): readonly string[] => [];

/** Without a `path` what is undeclared is counted, and its place is left empty. */
type Step = (value: unknown, path: string | undefined, undeclared: string[]) => unknown;
const keep: Step = (value) => value;
const below = (path: string | undefined, name: string | number): string | undefined =>
  path === undefined
    ? undefined
    : `${path}/${typeof name === "number" ? name : name.replaceAll("~", "~0").replaceAll("/", "~1")}`;

class Compiler {
  readonly #root: JsonSchema;
  readonly #refs = new Map<string, Step>();
  constructor(root: JsonSchema) {
    this.#root = root;
  }

  compile(schema: unknown): Step {
    if (!isSchema(schema)) return keep;
    const steps = [
      typeof schema.$ref === "string" ? this.#reference(schema.$ref) : keep,
      this.#oneOf(listOf(schema.anyOf)),
      this.#oneOf(listOf(schema.oneOf)),
      ...listOf(schema.allOf).map((part) => this.compile(part)),
      this.#own(schema),
    ].filter((step) => step !== keep); // a part that says nothing of fields takes none away either
    return steps.length === 0 ? keep : steps.reduce(both);
  }

  #own(schema: JsonSchema): Step {
    if (schema.type === "array" || schema.items !== undefined || schema.prefixItems !== undefined)
      return this.#array(schema);
    return schema.type === "object" || schema.properties !== undefined ? this.#object(schema) : keep;
  }

  // A recursive schema meets itself while it is being compiled, so a reference is looked up when it is used.
  #reference(ref: string): Step {
    return (value, path, undeclared) => {
      let step = this.#refs.get(ref);
      if (!step) {
        step = this.compile(resolve(this.#root, ref));
        this.#refs.set(ref, step);
      }
      return step(value, path, undeclared);
    };
  }

  /** Of the branches that a value fits, the one that declares most of it; the first of those. */
  #oneOf(branches: readonly unknown[]): Step {
    const steps = branches.map((branch) => ({ branch, step: this.compile(branch) }));
    if (steps.every(({ step }) => step === keep)) return keep;
    return (value, path, undeclared) => {
      let fitting = steps.filter(({ branch }) => fits(this.#root, branch, value, "outside"));
      // Only where it is needed: a union that contains itself would be walked again at each of its levels.
      if (fitting.length > 1) {
        const whole = fitting.filter(({ branch }) => fits(this.#root, branch, value, "whole"));
        if (whole.length > 0) fitting = whole;
      }
      let best: { readonly value: unknown; readonly extra: string[] } | undefined;
      for (const { step } of fitting) {
        const extra: string[] = [];
        const projected = step(value, path, extra);
        if (!best || extra.length < best.extra.length) best = { value: projected, extra };
        if (extra.length === 0) break;
      }
      if (!best) return value;
      undeclared.push(...best.extra);
      return best.value;
    };
  }

  #array(schema: JsonSchema): Step {
    const first = listOf(schema.prefixItems).map((item) => this.compile(item));
    const rest = this.compile(schema.items);
    return (value, path, undeclared) =>
      Array.isArray(value) ? value.map((item, at) => (first[at] ?? rest)(item, below(path, at), undeclared)) : value;
  }

  #object(schema: JsonSchema): Step {
    const properties = new Map(
      Object.entries(isSchema(schema.properties) ? schema.properties : {}).map(([name, part]) => [
        name,
        this.compile(part),
      ]),
    );
    const patterns = Object.entries(isSchema(schema.patternProperties) ? schema.patternProperties : {}).map(
      ([pattern, part]) => ({ pattern: new RegExp(pattern, "u"), step: this.compile(part) }),
    );
    const { additionalProperties } = schema;
    const others =
      additionalProperties === true || isSchema(additionalProperties) ? this.compile(additionalProperties) : undefined;
    return (value, path, undeclared) => {
      if (!isRecord(value)) return value;
      const kept: { [name: string]: unknown } = {};
      for (const name of Object.keys(value)) {
        const field = value[name];
        const step = properties.get(name) ?? patterns.find(({ pattern }) => pattern.test(name))?.step ?? others;
        if (step === keep) {
          set(kept, name, field); // most fields are text or numbers, and nobody asks for their places
          continue;
        }
        const at = below(path, name);
        if (step) set(kept, name, step(field, at, undeclared));
        else undeclared.push(at ?? "");
      }
      return kept;
    };
  }
}

/** A field called __proto__ must not reach a prototype. */
function set(object: { [name: string]: unknown }, name: string, value: unknown): void {
  if (name === "__proto__")
    Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
  else object[name] = value;
}

/** A value that two schemas describe together: declared is what either of them declares. */
function both(one: Step, other: Step): Step {
  return (value, path = "", undeclared) => {
    const [ofOne, ofOther]: [string[], string[]] = [[], []];
    const [left, right] = [one(value, path, ofOne), other(value, path, ofOther)];
    const covers = (outer: string, inner: string): boolean => inner === outer || inner.startsWith(`${outer}/`);
    const inBoth = [
      ...ofOne.filter((at) => ofOther.some((outer) => covers(outer, at))),
      ...ofOther.filter((at) => ofOne.some((outer) => covers(outer, at))),
    ];
    undeclared.push(...new Set(inBoth));
    return joined(value, left, right);
  };
}

function joined(whole: unknown, left: unknown, right: unknown): unknown {
  if (Array.isArray(left) && Array.isArray(right) && Array.isArray(whole))
    return whole.map((item, at) => joined(item, left[at], right[at]));
  if (!isRecord(left) || !isRecord(right) || !isRecord(whole)) return left;
  return Object.fromEntries(
    Object.entries(whole)
      .filter(([name]) => Object.hasOwn(left, name) || Object.hasOwn(right, name))
      .map(([name, field]) => {
        if (!Object.hasOwn(left, name)) return [name, right[name]];
        return [name, Object.hasOwn(right, name) ? joined(field, left[name], right[name]) : left[name]];
      }),
  );
}
