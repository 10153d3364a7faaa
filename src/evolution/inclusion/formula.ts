import { fieldsIn, isRecord, listOf, resolve, Unsupported } from "../plain.ts";
import { evaluatedNames } from "./accepts.ts";
import { isKnownFormat } from "./formats.ts";
import { type Literal, opposite } from "./literal.ts";

export type JsonType = "null" | "boolean" | "number" | "string" | "array" | "object";
export const jsonTypes: readonly JsonType[] = ["object", "array", "string", "number", "boolean", "null"];

/** The smallest things that can be asked of a value of one type. */
interface Atoms {
  "one of": { readonly values: readonly unknown[] };
  "none of": { readonly values: readonly unknown[] };
  from: { readonly bound: number; readonly open: boolean };
  to: { readonly bound: number; readonly open: boolean };
  /** Exactly, as the type "integer" wants it; a multiple of 1 may be off by the last digits. */
  whole: { readonly met: boolean };
  multiple: { readonly of: number; readonly met: boolean };
  least: { readonly size: number };
  most: { readonly size: number };
  pattern: { readonly text: string; readonly met: boolean };
  format: { readonly text: string; readonly met: boolean };
  /** Of an item if it is there, or with `rest` of it and all after it. */
  at: { readonly place: number; readonly rest: boolean; readonly item: Literal };
  /** Such an item is there. */
  "has at": { readonly place: number; readonly rest: boolean; readonly item: Literal };
  unique: { readonly met: boolean };
  contains: { readonly item: Literal; readonly min: number; readonly max: number };
  /** Of a field if it is there. */
  field: { readonly name: string; readonly value: Literal };
  /** It is there, with such a value. */
  has: { readonly name: string; readonly value: Literal };
  present: { readonly name: string };
  absent: { readonly name: string };
  fields: { readonly which: Which; readonly value: Literal };
  "has one": { readonly which: Which; readonly name?: Literal; readonly value?: Literal };
  names: { readonly name: Literal };
}
export type Atom = { readonly [K in keyof Atoms]: { readonly kind: K } & Atoms[K] }[keyof Atoms];
export type AtomOf<K extends keyof Atoms> = { readonly kind: K } & Atoms[K];
export const ofKind = <K extends keyof Atoms>(atoms: readonly Atom[], kind: K): readonly AtomOf<K>[] =>
  atoms.filter((atom) => atom.kind === kind) as unknown as readonly AtomOf<K>[]; // the compiler cannot narrow by a variable

/** Fields by their names: those that match a pattern, or those that are not named and match none. */
export interface Which {
  readonly pattern?: string;
  readonly notNames: readonly string[];
  readonly notPatterns: readonly string[];
}

export interface Choice {
  readonly kind: "or";
  readonly parts: readonly Formula[];
}
export type Formula =
  | boolean
  | Choice
  | { readonly kind: "and"; readonly parts: readonly Formula[] }
  | { readonly kind: "atom"; readonly atom: Atom };

const atom = (atom: Atom): Formula => ({ kind: "atom", atom });

function and(parts: readonly Formula[]): Formula {
  const left = parts.flatMap((part) => (typeof part === "object" && part.kind === "and" ? part.parts : [part]));
  if (left.includes(false)) return false;
  const rest = left.filter((part) => part !== true);
  return rest.length === 0 ? true : rest.length === 1 ? (rest[0] as Formula) : { kind: "and", parts: rest };
}

function or(parts: readonly Formula[]): Formula {
  const left = parts.flatMap((part) => (typeof part === "object" && part.kind === "or" ? part.parts : [part]));
  if (left.includes(true)) return true;
  const rest = left.filter((part) => part !== false);
  return rest.length === 0 ? false : rest.length === 1 ? (rest[0] as Formula) : { kind: "or", parts: rest };
}

/** What a literal asks of values of one type. Schemas that stand in the place of others (unions, references) are unfolded. */
export function toFormula(literal: Literal, type: JsonType, via: readonly unknown[] = []): Formula {
  const { schema, document, met } = literal;
  if (typeof schema === "boolean") return schema === met;
  if (!isRecord(schema)) throw new Unsupported("a part of it is no schema");
  if (via.includes(schema)) throw new Unsupported("it refers to itself and nothing else");
  const unknown = unknownKeywords.find((keyword) => keyword in schema);
  if (unknown) throw new Unsupported(`it uses ${unknown}`);
  const inner = (part: unknown, wanted: boolean): Formula =>
    toFormula({ schema: part, document, met: wanted }, type, [...via, schema]);
  // Each part is said so that it holds; a broken schema breaks one of them.
  const parts: { readonly holds: () => Formula; readonly breaks: () => Formula }[] = [];
  const both = (part: unknown): void =>
    void parts.push({ holds: () => inner(part, true), breaks: () => inner(part, false) });
  const own = (holds: Atom, breaks: Atom): void =>
    void parts.push({ holds: () => atom(holds), breaks: () => atom(breaks) });

  if (schema.type !== undefined) {
    const types = [schema.type].flat();
    const whole = types.includes(type);
    if (!whole && type === "number" && types.includes("integer"))
      own({ kind: "whole", met: true }, { kind: "whole", met: false });
    else if (!whole) parts.push({ holds: () => false, breaks: () => true });
  }
  if (typeof schema.$ref === "string") both(resolve(document, schema.$ref));
  if ("const" in schema) own({ kind: "one of", values: [schema.const] }, { kind: "none of", values: [schema.const] });
  if (Array.isArray(schema.enum))
    own({ kind: "one of", values: schema.enum }, { kind: "none of", values: schema.enum });
  listOf(schema.allOf).forEach(both);
  const { anyOf, oneOf } = schema;
  if (Array.isArray(anyOf))
    parts.push({
      holds: () => or(anyOf.map((part) => inner(part, true))),
      breaks: () => and(anyOf.map((part) => inner(part, false))),
    });
  if (Array.isArray(oneOf))
    parts.push({
      holds: () =>
        or(
          oneOf.map((part, at) =>
            and([inner(part, true), ...oneOf.filter((_, other) => other !== at).map((other) => inner(other, false))]),
          ),
        ),
      breaks: () =>
        or([
          and(oneOf.map((part) => inner(part, false))),
          ...oneOf.flatMap((part, at) =>
            oneOf.slice(at + 1).map((other) => and([inner(part, true), inner(other, true)])),
          ),
        ]),
    });
  if (schema.not !== undefined)
    parts.push({ holds: () => inner(schema.not, false), breaks: () => inner(schema.not, true) });
  if (schema.if !== undefined) {
    const branch = (wanted: boolean) => () =>
      or([
        and([inner(schema.if, true), schema.then === undefined ? wanted : inner(schema.then, wanted)]),
        and([inner(schema.if, false), schema.else === undefined ? wanted : inner(schema.else, wanted)]),
      ]);
    parts.push({ holds: branch(true), breaks: branch(false) });
  }
  const lit = (part: unknown): Literal => ({ schema: part, document, met: true });
  if (type === "number") numberParts(schema, own, parts);
  if (type === "string") textParts(schema, own);
  if (type === "array") listParts(schema, lit, own, parts);
  if (type === "object") objectParts(schema, lit, own, parts, inner);
  return met ? and(parts.map(({ holds }) => holds())) : or(parts.map(({ breaks }) => breaks()));
}

/** Assertions that are known to be none of ours. What is not listed anywhere says nothing of validity. */
const unknownKeywords = ["$dynamicRef", "$recursiveRef", "dependencies", "additionalItems"];

type Own = (holds: Atom, breaks: Atom) => void;
type Parts = { readonly holds: () => Formula; readonly breaks: () => Formula }[];
type Schema = Readonly<Record<string, unknown>>;

function numberParts(
  { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, format }: Schema,
  own: Own,
  parts: Parts,
): void {
  if (typeof minimum === "number")
    own({ kind: "from", bound: minimum, open: false }, { kind: "to", bound: minimum, open: true });
  if (typeof maximum === "number")
    own({ kind: "to", bound: maximum, open: false }, { kind: "from", bound: maximum, open: true });
  if (typeof exclusiveMinimum === "number")
    own({ kind: "from", bound: exclusiveMinimum, open: true }, { kind: "to", bound: exclusiveMinimum, open: false });
  if (typeof exclusiveMaximum === "number")
    own({ kind: "to", bound: exclusiveMaximum, open: true }, { kind: "from", bound: exclusiveMaximum, open: false });
  if (typeof multipleOf === "number")
    own({ kind: "multiple", of: multipleOf, met: true }, { kind: "multiple", of: multipleOf, met: false });
  if (format === "int64") own({ kind: "whole", met: true }, { kind: "whole", met: false });
  else if (format === "int32")
    parts.push({
      holds: () =>
        and([
          atom({ kind: "whole", met: true }),
          atom({ kind: "from", bound: -(2 ** 31), open: false }),
          atom({ kind: "to", bound: 2 ** 31 - 1, open: false }),
        ]),
      breaks: () =>
        or([
          atom({ kind: "whole", met: false }),
          atom({ kind: "to", bound: -(2 ** 31), open: true }),
          atom({ kind: "from", bound: 2 ** 31 - 1, open: true }),
        ]),
    });
  else if (typeof format === "string" && !isKnownFormat(format))
    own({ kind: "format", text: format, met: true }, { kind: "format", text: format, met: false });
}

function textParts({ minLength, maxLength, pattern, format }: Schema, own: Own): void {
  sizes(minLength, maxLength, own);
  if (typeof pattern === "string")
    own({ kind: "pattern", text: pattern, met: true }, { kind: "pattern", text: pattern, met: false });
  if (typeof format === "string")
    own({ kind: "format", text: format, met: true }, { kind: "format", text: format, met: false });
}

function sizes(min: unknown, max: unknown, own: Own): void {
  if (typeof min === "number") own({ kind: "least", size: min }, { kind: "most", size: min - 1 });
  if (typeof max === "number") own({ kind: "most", size: max }, { kind: "least", size: max + 1 });
}

function listParts(schema: Schema, lit: (part: unknown) => Literal, own: Own, parts: Parts): void {
  const { minItems, maxItems, items, uniqueItems, contains, unevaluatedItems } = schema;
  if (unevaluatedItems !== undefined && unevaluatedItems !== true) throw new Unsupported("it uses unevaluatedItems");
  sizes(minItems, maxItems, own);
  const first = listOf(schema.prefixItems);
  const place = (at: number, rest: boolean, part: unknown): void =>
    own(
      { kind: "at", place: at, rest, item: lit(part) },
      { kind: "has at", place: at, rest, item: opposite(lit(part)) },
    );
  first.forEach((part, at) => {
    place(at, false, part);
  });
  if (items !== undefined) place(first.length, true, items);
  if (uniqueItems === true) own({ kind: "unique", met: true }, { kind: "unique", met: false });
  if (contains === undefined) return;
  const { minContains = 1, maxContains = Number.POSITIVE_INFINITY } = schema as {
    minContains?: number;
    maxContains?: number;
  };
  const item = lit(contains);
  parts.push({
    holds: () => atom({ kind: "contains", item, min: minContains, max: maxContains }),
    breaks: () =>
      or([
        minContains > 0 && atom({ kind: "contains", item, min: 0, max: minContains - 1 }),
        maxContains < Number.POSITIVE_INFINITY &&
          atom({ kind: "contains", item, min: maxContains + 1, max: Number.POSITIVE_INFINITY }),
      ]),
  });
}

function objectParts(
  schema: Schema,
  lit: (part: unknown) => Literal,
  own: Own,
  parts: Parts,
  inner: (part: unknown, met: boolean) => Formula,
): void {
  const { minProperties, maxProperties, properties, patternProperties, additionalProperties, propertyNames } = schema;
  for (const name of listOf(schema.required).map(String)) own({ kind: "present", name }, { kind: "absent", name });
  sizes(minProperties, maxProperties, own);
  for (const [name, part] of fieldsIn(properties))
    own({ kind: "field", name, value: lit(part) }, { kind: "has", name, value: opposite(lit(part)) });
  const fields = (which: Which, part: unknown): void =>
    own({ kind: "fields", which, value: lit(part) }, { kind: "has one", which, value: opposite(lit(part)) });
  for (const [pattern, part] of fieldsIn(patternProperties)) fields({ pattern, notNames: [], notPatterns: [] }, part);
  const notNames = fieldsIn(properties).map(([name]) => name);
  const notPatterns = fieldsIn(patternProperties).map(([pattern]) => pattern);
  if (additionalProperties !== undefined) fields({ notNames, notPatterns }, additionalProperties);
  if (schema.unevaluatedProperties !== undefined) {
    const { names, patterns } = evaluatedNames(schema, lit(schema).document);
    fields({ notNames: [...names], notPatterns: patterns }, schema.unevaluatedProperties);
  }
  if (propertyNames !== undefined)
    own(
      { kind: "names", name: lit(propertyNames) },
      { kind: "has one", which: { notNames: [], notPatterns: [] }, name: opposite(lit(propertyNames)) },
    );
  for (const [name, others] of fieldsIn(schema.dependentRequired))
    parts.push({
      holds: () =>
        or([
          atom({ kind: "absent", name }),
          and(listOf(others).map((other) => atom({ kind: "present", name: String(other) }))),
        ]),
      breaks: () =>
        and([
          atom({ kind: "present", name }),
          or(listOf(others).map((other) => atom({ kind: "absent", name: String(other) }))),
        ]),
    });
  for (const [name, part] of fieldsIn(schema.dependentSchemas))
    parts.push({
      holds: () => or([atom({ kind: "absent", name }), inner(part, true)]),
      breaks: () => and([atom({ kind: "present", name }), inner(part, false)]),
    });
}
