import type { JsonSchema } from "./schema.ts";

/** What a schema declares of a value, and where the value said more (JSON Pointers). */
export interface Projected {
  readonly value: unknown;
  readonly undeclared: readonly string[];
}
export type Projection = (value: unknown) => Projected;

/**
 * Compiles a JSON Schema into a function that keeps only the declared fields of a value.
 * Schema libraries differ in what they do with unknown fields (drop, keep, refuse); through this they all behave alike:
 * in-process callers may pass a wider value, and the gateway refuses what `undeclared` names.
 */
export function toProjection(schema: JsonSchema): Projection {
  const compiler = new Compiler(schema);
  const project = compiler.compile(schema);
  return (value) => {
    const undeclared: string[] = [];
    return { value: project(value, "", undeclared), undeclared };
  };
}

type Step = (value: unknown, path: string, undeclared: string[]) => unknown;
const keep: Step = (value) => value;
const isSchema = (part: unknown): part is JsonSchema =>
  typeof part === "object" && part !== null && !Array.isArray(part);
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

class Compiler {
  readonly #root: JsonSchema;
  readonly #refs = new Map<string, Step>();
  constructor(root: JsonSchema) {
    this.#root = root;
  }

  compile(schema: unknown): Step {
    if (!isSchema(schema)) return keep;
    if (typeof schema.$ref === "string") return this.#reference(schema.$ref);
    const branches = schema.anyOf ?? schema.oneOf;
    if (Array.isArray(branches)) return this.#oneOf(branches);
    if (Array.isArray(schema.allOf)) return this.compile(merged(schema, schema.allOf));
    if (schema.type === "array" || schema.items !== undefined || schema.prefixItems !== undefined)
      return this.#array(schema);
    if (schema.type === "object" || schema.properties !== undefined) return this.#object(schema);
    return keep;
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

  #oneOf(branches: readonly unknown[]): Step {
    const steps = branches.map((branch) => ({ branch, step: this.compile(branch) }));
    return (value, path, undeclared) => {
      const fitting = steps.filter(({ branch }) => this.#fits(branch, value));
      let best: { readonly value: unknown; readonly extra: string[] } | undefined;
      for (const { step } of fitting) {
        const extra: string[] = [];
        const projected = step(value, path, extra);
        if (!best || extra.length < best.extra.length) best = { value: projected, extra };
      }
      if (!best) return value;
      undeclared.push(...best.extra);
      return best.value;
    };
  }

  #array(schema: JsonSchema): Step {
    const first = Array.isArray(schema.prefixItems) ? schema.prefixItems.map((item) => this.compile(item)) : [];
    const rest = this.compile(schema.items);
    return (value, path, undeclared) =>
      Array.isArray(value) ? value.map((item, at) => (first[at] ?? rest)(item, `${path}/${at}`, undeclared)) : value;
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
      const kept: [string, unknown][] = [];
      for (const [name, field] of Object.entries(value)) {
        const at = `${path}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
        const step = properties.get(name) ?? patterns.find(({ pattern }) => pattern.test(name))?.step ?? others;
        if (step) kept.push([name, step(field, at, undeclared)]);
        else undeclared.push(at);
      }
      // fromEntries defines own properties, so a field called __proto__ cannot reach a prototype.
      return Object.fromEntries(kept);
    };
  }

  /** Whether a value may be meant by this branch of a union: its type, constants and required fields. */
  #fits(branch: unknown, value: unknown): boolean {
    if (!isSchema(branch)) return branch !== false;
    if (typeof branch.$ref === "string") return this.#fits(resolve(this.#root, branch.$ref), value);
    if ("const" in branch && branch.const !== value) return false;
    if (Array.isArray(branch.enum) && !branch.enum.includes(value)) return false;
    if (typeof branch.type === "string" && !isOfType(branch.type, value)) return false;
    if (!isRecord(value)) return true;
    if (Array.isArray(branch.required) && branch.required.some((name) => !(name in value))) return false;
    const properties = isSchema(branch.properties) ? branch.properties : {};
    return Object.entries(properties).every(([name, part]) => {
      if (!(name in value) || !isSchema(part)) return true;
      if ("const" in part) return part.const === value[name];
      return !Array.isArray(part.enum) || part.enum.includes(value[name]);
    });
  }
}

function isOfType(type: string, value: unknown): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return isRecord(value);
    case "integer":
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

function merged(schema: JsonSchema, parts: readonly unknown[]): JsonSchema {
  const { allOf: _parts, ...own } = schema;
  const all = [own, ...parts.filter(isSchema)];
  return {
    type: "object",
    properties: Object.assign({}, ...all.map((part) => part.properties ?? {})),
    ...(all.some((part) => part.additionalProperties === true) ? { additionalProperties: true } : {}),
  };
}

function resolve(root: JsonSchema, ref: string): unknown {
  if (!ref.startsWith("#"))
    throw new TypeError(`The JSON Schema refers to "${ref}"; only references inside the schema are followed.`);
  let at: unknown = root;
  for (const segment of ref.slice(1).split("/").filter(Boolean)) {
    at = (at as Record<string, unknown> | undefined)?.[
      decodeURIComponent(segment).replaceAll("~1", "/").replaceAll("~0", "~")
    ];
  }
  return at;
}
