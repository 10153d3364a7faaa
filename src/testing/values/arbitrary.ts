import type * as FastCheck from "fast-check";
import type { JsonSchema } from "../../contracts/index.ts";
import { flattened, isSchema, joined, listOf, numberOr, typeIn } from "./schema-words.ts";
import { toTexts } from "./texts.ts";

type Arbitrary = FastCheck.Arbitrary<unknown>;
type Library = typeof FastCheck;

/** How deep a schema that refers to itself is followed. */
const deepest = 4;

/**
 * Values of a JSON Schema as fast-check draws and shrinks them: types, enums, bounds, formats, patterns, lists, records,
 * unions, references. Near enough: what a schema says beyond that (`not`, both sides of `oneOf`) is for who draws to check.
 */
export function toArbitrary(fc: Library, schema: JsonSchema): Arbitrary {
  const drawn = new Drawing(fc, schema).of(schema, 0);
  return drawn ?? fc.constant(undefined);
}

class Drawing {
  readonly #fc: Library;
  readonly #root: JsonSchema;
  constructor(fc: Library, root: JsonSchema) {
    this.#fc = fc;
    this.#root = root;
  }

  /** Undefined where nothing can be drawn: a schema that nothing fits, or one that refers to itself too deeply. */
  of(schema: unknown, depth: number): Arbitrary | undefined {
    const fc = this.#fc;
    if (schema === true) return fc.constantFrom<unknown>("x", 1, true, null);
    if (!isSchema(schema) || depth > deepest * 4) return undefined;
    const whole = flattened(this.#root, schema);
    if ("const" in whole) return fc.constant(whole.const);
    if (Array.isArray(whole.enum)) return fc.constantFrom<unknown>(...whole.enum);
    const branches = [...listOf(whole.anyOf), ...listOf(whole.oneOf)];
    if (branches.length > 0) {
      const { anyOf: _any, oneOf: _one, ...beside } = whole;
      return this.#oneOf(branches.map((branch) => this.of(joined(beside, flattened(this.#root, branch)), depth + 1)));
    }
    const types = Array.isArray(whole.type) ? (whole.type as readonly string[]) : [String(whole.type ?? typeIn(whole))];
    const drawn = this.#oneOf(types.map((type) => this.#typed(type, whole, depth)));
    const examples = listOf(whole.examples);
    return drawn && examples.length > 0
      ? fc.oneof({ arbitrary: fc.constantFrom(...examples), weight: 1 }, { arbitrary: drawn, weight: 2 })
      : drawn;
  }

  #oneOf(parts: readonly (Arbitrary | undefined)[]): Arbitrary | undefined {
    const possible = parts.filter((part) => part !== undefined);
    if (possible.length < 2) return possible[0];
    return this.#fc.oneof(...possible);
  }

  #typed(type: string, schema: JsonSchema, depth: number): Arbitrary | undefined {
    const fc = this.#fc;
    switch (type) {
      case "string":
        return toTexts(fc, schema);
      case "integer":
      case "number":
        return this.#number(type === "integer", schema);
      case "boolean":
        return fc.boolean();
      case "null":
        return fc.constant(null);
      case "array":
        return this.#list(schema, depth);
      case "object":
        return this.#object(schema, depth);
      default:
        return "not" in schema ? undefined : fc.constantFrom<unknown>("x", 1, true, null);
    }
  }

  #number(whole: boolean, schema: JsonSchema): Arbitrary | undefined {
    const fc = this.#fc;
    const step = typeof schema.multipleOf === "number" ? schema.multipleOf : undefined;
    const [above, below] = [schema.exclusiveMinimum, schema.exclusiveMaximum];
    const low = Math.max(numberOr(schema.minimum, -Infinity), numberOr(above, -Infinity));
    const high = Math.min(numberOr(schema.maximum, Infinity), numberOr(below, Infinity));
    if (low > high) return undefined;
    const [from, to] = [
      low === -Infinity ? Math.min(-100_000, high - 100_000) : low,
      high === Infinity ? Math.max(100_000, low + 100_000) : high,
    ];
    if (whole || step !== undefined) {
      const unit = step ?? 1;
      const times = (n: number): number => decimal(n * unit);
      const [first, last] = [Math.ceil(decimal(from / unit)), Math.floor(decimal(to / unit))];
      const min = first + (times(first) === above ? 1 : 0);
      const max = last - (times(last) === below ? 1 : 0);
      return min > max ? undefined : fc.integer({ min, max }).map(times);
    }
    return fc
      .double({
        ...{ min: from, max: to, noNaN: true, noDefaultInfinity: true },
        ...{ minExcluded: above === from, maxExcluded: below === to },
      })
      .map((n) => n + 0); // without -0, which JSON does not know
  }

  #list(schema: JsonSchema, depth: number): Arbitrary | undefined {
    const fc = this.#fc;
    const minLength = numberOr(schema.minItems, 0);
    const maxLength = Math.min(numberOr(schema.maxItems, minLength + 4), minLength + 4);
    const first = listOf(schema.prefixItems).map((item) => this.of(item, depth + 1));
    if (first.some((item) => item === undefined)) return undefined;
    const item = depth > deepest || schema.items === false ? undefined : this.of(schema.items ?? true, depth + 1);
    const most = Math.max(0, maxLength - first.length);
    const least = Math.max(0, minLength - first.length);
    if (!item && least > 0) return undefined;
    const rest =
      !item || (first.length > 0 && schema.items === undefined)
        ? fc.constant([])
        : schema.uniqueItems === true
          ? fc.uniqueArray(item, { minLength: least, maxLength: most, selector: (one) => JSON.stringify(one) })
          : fc.array(item, { minLength: least, maxLength: most });
    return fc
      .tuple(fc.tuple(...(first as Arbitrary[])), rest) // looked at above
      .map(([some, others]) => [...(some as unknown[]), ...others]);
  }

  #object(schema: JsonSchema, depth: number): Arbitrary | undefined {
    const fc = this.#fc;
    const required = listOf(schema.required).map(String);
    const fields: Record<string, Arbitrary> = {};
    for (const [name, part] of Object.entries(isSchema(schema.properties) ? schema.properties : {})) {
      const field = depth > deepest && !required.includes(name) ? undefined : this.of(part, depth + 1);
      if (field) fields[name] = field;
      else if (required.includes(name)) return undefined;
    }
    for (const name of required) fields[name] ??= fc.constant("x");
    const known = fc.record(fields, { requiredKeys: required });
    const { additionalProperties } = schema;
    const others =
      isSchema(additionalProperties) && depth <= deepest ? this.of(additionalProperties, depth + 1) : undefined;
    if (!others) return known.map((value) => ({ ...value }));
    const names =
      (isSchema(schema.propertyNames) && this.of({ type: "string", ...schema.propertyNames }, depth + 1)) || undefined;
    const name = (names ?? fc.stringMatching(/^[a-z][a-z0-9]{0,7}$/)) as FastCheck.Arbitrary<string>;
    const more = fc.dictionary(name, others, {
      minKeys: numberOr(schema.minProperties, 0),
      maxKeys: 3,
      noNullPrototype: true,
    });
    return fc.tuple(more, known).map(([some, own]) => ({ ...some, ...(own as object) }));
  }
}

/** A number as people write it: three times 0.1 is 0.3. */
const decimal = (n: number): number => Number(n.toPrecision(15));
