import { toCanonicalJson } from "../contracts/index.ts";
import type { Comparison } from "./inclusion/inclusion.ts";
import type { Refusal } from "./inclusion/validator.ts";
import { fieldsIn, isRecord, listOf, resolve, toPointer, Unsupported } from "./plain.ts";

/** One way in which values that are written are not read: what about them, where, and one of them. */
export interface Break {
  readonly kind: BreakKind;
  /** A JSON Pointer into the value. */
  readonly path: string;
  /** What Ajv says of the witness, or why nobody can tell. */
  readonly why: string;
  readonly witness?: unknown;
}
export type BreakKind =
  | "missing-field"
  | "unknown-field"
  | "type"
  | "value"
  | "range"
  | "length"
  | "pattern"
  | "format"
  | "items"
  | "union"
  | "excluded"
  | "cannot-tell";

const mostSpots = 60;

/**
 * How what is written under one schema may fail to be read under another; empty where all of it is read. Each place in
 * which they differ is tried by itself, so that several changes are told apart.
 */
export function breaksOf(comparison: Comparison, written: unknown, read: unknown): readonly Break[] {
  const whole = comparison.isIncluded(written, read);
  if (whole.kind === "included") return [];
  const found = new Map<string, Break>();
  const add = (witness: unknown): void => {
    for (const { path, kind, why } of reasonsOf(comparison.validator.refusals(read, witness))) {
      // Two items of a list that break alike are one finding.
      const key = `${kind} ${path.replaceAll(/\/\d+(?=\/|$)/g, "/*")}`;
      if (!found.has(key)) found.set(key, { kind, path, why, witness });
    }
  };
  for (const beside of spotsOf(written, read)) {
    const single = comparison.isIncluded(written, read, [beside]);
    if (single.kind === "not included") add(single.witness);
  }
  if (found.size > 0) return [...found.values()];
  if (whole.kind === "not included") add(whole.witness);
  else found.set("", { kind: "cannot-tell", path: "", why: whole.why });
  return [...found.values()];
}

/** Schemas that narrow a value down to one difference: this field there, that one missing, this part not as it is read. */
function spotsOf(written: unknown, read: unknown): readonly unknown[] {
  const spots: unknown[] = [];
  const seen = new Set<string>();
  const visit = (one: unknown, other: unknown, path: readonly (string | number)[]): void => {
    if (spots.length >= mostSpots || path.length > 12) return;
    const [left, right] = [deref(one, written), deref(other, read)];
    const key = toCanonicalJson([left, right]);
    if (!isRecord(left) || !isRecord(right) || toCanonicalJson(left) === toCanonicalJson(right) || seen.has(key))
      return;
    seen.add(key);
    const [mine, theirs] = [new Map(fieldsIn(left.properties)), new Map(fieldsIn(right.properties))];
    if (mine.size > 0 || theirs.size > 0) {
      const required = listOf(right.required);
      for (const name of required)
        if (!listOf(left.required).includes(name)) spots.push(nest(path, { not: { required: [name] } }));
      for (const [name, part] of mine) {
        if (theirs.has(name)) visit(part, theirs.get(name), [...path, name]);
        else if (right.additionalProperties === false) spots.push(nest(path, { type: "object", required: [name] }));
      }
    } else if (left.items !== undefined && right.items !== undefined && !left.prefixItems && !right.prefixItems) {
      visit(left.items, right.items, [...path, 0]);
    }
    // Without references it can be said anywhere: a value that is there, and not as it is read.
    const plain = withoutChildren(right);
    if (plain && path.length > 0) spots.push(nest(path, { not: plain }));
  };
  try {
    visit(written, read, []);
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error; // the whole is judged all the same
  }
  return spots;
}

const deref = (schema: unknown, document: unknown): unknown =>
  isRecord(schema) && typeof schema.$ref === "string" && Object.keys(schema).length === 1
    ? resolve(document, schema.$ref)
    : schema;

/** What a schema says of a value itself, without its fields and items, which are visited one by one. */
function withoutChildren(schema: Readonly<Record<string, unknown>>): unknown {
  const {
    properties: _p,
    required: _r,
    additionalProperties: _a,
    items: _i,
    $defs: _d,
    definitions: _e,
    ...rest
  } = schema;
  return JSON.stringify(rest).includes('"$ref"') || Object.keys(rest).length === 0 ? undefined : rest;
}

function nest(path: readonly (string | number)[], inner: unknown): unknown {
  const [first, ...rest] = path;
  if (first === undefined) return inner;
  const part = nest(rest, inner);
  return typeof first === "number"
    ? { type: "array", minItems: 1, prefixItems: [part] }
    : { type: "object", required: [first], properties: { [first]: part } };
}

interface Reason {
  readonly kind: BreakKind;
  readonly path: string;
  readonly why: string;
}

/** Why a value is refused, once a place: a union speaks for its branches, a type for what else a value should be. */
function reasonsOf(refusals: readonly Refusal[]): readonly Reason[] {
  const frames = refusals.filter(({ keyword }) => ["anyOf", "oneOf", "if"].includes(keyword));
  const inFrame = (one: Refusal): boolean =>
    frames.some((frame) => frame !== one && (one.path === frame.path || one.path.startsWith(`${frame.path}/`)));
  const reasons = refusals.filter((one) => !inFrame(one) || (frames.includes(one) && one === frames[0])).map(toReason);
  const places = new Map<string, Reason>();
  for (const reason of reasons) {
    const had = places.get(reason.path);
    if (!had || weight(reason) > weight(had)) places.set(reason.path, reason);
  }
  return [...places.values()];
}

const weight = ({ kind }: Reason): number => (kind === "type" ? 3 : kind === "union" ? 2 : kind === "format" ? 1 : 0);

function toReason({ path, keyword, params, message }: Refusal): Reason {
  const name = params.missingProperty ?? params.additionalProperty ?? params.unevaluatedProperty;
  const at = name === undefined ? path : `${path}${toPointer([String(name)])}`;
  return { kind: kinds[keyword] ?? "excluded", path: at, why: message };
}

const kinds: { readonly [keyword: string]: BreakKind } = {
  required: "missing-field",
  dependentRequired: "missing-field",
  additionalProperties: "unknown-field",
  unevaluatedProperties: "unknown-field",
  type: "type",
  enum: "value",
  const: "value",
  minimum: "range",
  maximum: "range",
  exclusiveMinimum: "range",
  exclusiveMaximum: "range",
  multipleOf: "range",
  minLength: "length",
  maxLength: "length",
  minItems: "length",
  maxItems: "length",
  minProperties: "length",
  maxProperties: "length",
  pattern: "pattern",
  propertyNames: "pattern",
  format: "format",
  uniqueItems: "items",
  contains: "items",
  anyOf: "union",
  oneOf: "union",
  if: "union",
  not: "excluded",
  "false schema": "excluded",
};
