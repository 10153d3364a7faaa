import type * as FastCheck from "fast-check";
import type { JsonSchema } from "../../contracts/index.ts";

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
    const whole = this.#flat(schema);
    if ("const" in whole) return fc.constant(whole.const);
    if (Array.isArray(whole.enum)) return fc.constantFrom<unknown>(...whole.enum);
    const branches = [...listOf(whole.anyOf), ...listOf(whole.oneOf)];
    if (branches.length > 0) {
      const { anyOf: _any, oneOf: _one, ...beside } = whole;
      return this.#oneOf(branches.map((branch) => this.of(joined(beside, this.#flat(branch)), depth + 1)));
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
        return this.#text(schema);
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

  #text(schema: JsonSchema): Arbitrary {
    const fc = this.#fc;
    const least = numberOr(schema.minLength, 0);
    const most = numberOr(schema.maxLength, Infinity);
    const formatted = typeof schema.format === "string" ? this.#format(schema.format, least, most) : undefined;
    const patterns = [schema.pattern, ...listOf(schema["x-patterns"])].filter((one) => typeof one === "string");
    const matching = patterns.length > 0 ? this.#matching([...new Set(patterns)], least, most) : undefined;
    if (formatted && matching)
      return fc
        .tuple(formatted, matching.texts)
        .map(([one, other]) => (matching.fits(String(one)) || !matching.fits(other) ? one : other));
    const maxLength = Math.max(least, Math.min(most, least + 12));
    return formatted ?? matching?.texts ?? fc.string({ minLength: least, maxLength, unit: "grapheme-ascii" });
  }

  /**
   * Texts for patterns and lengths together: one for each pattern, one after the other and filled up. Not all of them fit,
   * and nothing is given where fast-check draws from no such pattern: whoever draws looks.
   */
  #matching(
    patterns: readonly string[],
    least: number,
    most: number,
  ): { readonly texts: FastCheck.Arbitrary<string>; fits(text: string): boolean } | undefined {
    const fc = this.#fc;
    // What begins a text comes first, what ends it last.
    const rank = (pattern: string): number => (pattern.startsWith("^") ? 0 : pattern.endsWith("$") ? 2 : 1);
    try {
      const tests = [...patterns].sort((one, other) => rank(one) - rank(other)).map((one) => new RegExp(one));
      const fits = (text: string): boolean =>
        text.length >= least && text.length <= most && tests.every((test) => test.test(text));
      const each = tests.map((test) => fc.stringMatching(test, { size: least > 12 ? "medium" : "xsmall" }));
      const texts = fc.tuple(...each).map((parts) => {
        const whole = parts.join("");
        const fillings = [..."a0A"].map((letter) => letter.repeat(Math.max(0, least - whole.length)));
        const filled = fillings.flatMap((fill) => [
          whole + fill,
          fill + whole,
          (parts[0] ?? "") + fill + parts.slice(1).join(""),
        ]);
        return [...parts, whole, ...filled].find(fits) ?? whole;
      });
      return { texts, fits };
    } catch {
      return undefined;
    }
  }

  /** The first of some texts that is short enough, filled up where it is too short. */
  #sized(least: number, most: number, textsOf: (n: number, fill: string) => readonly string[]): Arbitrary {
    return this.#fc.integer({ min: 1, max: 9_999 }).map((n) => {
      const texts = textsOf(n, "");
      const at = texts.findIndex((text) => text.length <= most);
      const text = texts.at(at) ?? "";
      return textsOf(n, "x".repeat(Math.max(0, least - text.length))).at(at);
    });
  }

  #format(format: string, least: number, most: number): Arbitrary | undefined {
    const fc = this.#fc;
    const date = fc.date({ min: new Date("1970-01-01"), max: new Date("2099-12-31"), noInvalidDate: true });
    const iso = date.map((at) => at.toISOString());
    switch (format) {
      case "uuid":
        return fc.uuid();
      case "date-time":
        return iso;
      case "date":
        return iso.map((at) => at.slice(0, 10));
      case "time":
        return iso.map((at) => at.slice(11, 19));
      case "duration":
        return fc.integer({ min: 1, max: 400 }).map((days) => `P${days}D`);
      case "email":
        return this.#sized(least, most, (n, fill) => [
          `caller${fill}${n}@example.com`,
          `${n}${fill}@example.com`,
          `c${n}${fill}@a.io`,
          `${n % 10}${fill}@a.io`,
        ]);
      case "hostname":
        return this.#sized(least, most, (n, fill) => [
          `host${n}${fill}.example.com`,
          `h${n}${fill}.io`,
          `h${n % 10}${fill}`,
        ]);
      case "ipv4":
        return fc.ipV4();
      case "ipv6":
        return fc.ipV6();
      case "uri":
      case "url":
      case "uri-reference":
        return this.#sized(least, most, (n, fill) => [
          `https://example.com/${n}${fill}`,
          `http://a.io/${n % 10}${fill}`,
          `http://a.io/${fill}`,
          `http://a/${fill}`,
        ]);
      default:
        return undefined;
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

  /** A schema with what its references and `allOf` say. */
  #flat(schema: unknown, depth = 0): JsonSchema {
    if (!isSchema(schema) || depth > 16) return {};
    const { $ref, allOf, ...own } = schema;
    const parts = [
      ...(typeof $ref === "string" ? [this.#flat(resolve(this.#root, $ref), depth + 1)] : []),
      ...listOf(allOf).map((part) => this.#flat(part, depth + 1)),
    ];
    return parts.reduce(joined, own);
  }
}

/** What two schemas say of one value together. */
function joined(one: JsonSchema, other: JsonSchema): JsonSchema {
  const both: Record<string, unknown> = { ...one, ...other };
  if (isSchema(one.properties) && isSchema(other.properties))
    both.properties = { ...one.properties, ...other.properties };
  if (one.required || other.required)
    both.required = [...new Set([...listOf(one.required), ...listOf(other.required)])];
  const patterns = [one.pattern, other.pattern, ...listOf(one["x-patterns"]), ...listOf(other["x-patterns"])];
  if (one.pattern && other.pattern) both["x-patterns"] = patterns.filter(Boolean);
  for (const [name, pick] of bounds)
    if (typeof one[name] === "number" && typeof other[name] === "number") both[name] = pick(one[name], other[name]);
  return both;
}
const bounds = [
  ...["minimum", "exclusiveMinimum", "minLength", "minItems"].map((name) => [name, Math.max] as const),
  ...["maximum", "exclusiveMaximum", "maxLength", "maxItems"].map((name) => [name, Math.min] as const),
];

function typeIn(schema: JsonSchema): string {
  if (schema.properties !== undefined || schema.required !== undefined) return "object";
  if (schema.items !== undefined || schema.prefixItems !== undefined) return "array";
  if (schema.pattern !== undefined || schema.format !== undefined || schema.minLength !== undefined) return "string";
  return schema.minimum !== undefined || schema.maximum !== undefined ? "number" : "anything";
}

function resolve(root: JsonSchema, ref: string): unknown {
  const segments = ref.replace(/^#/, "").split("/").filter(Boolean);
  return segments.reduce<unknown>(
    (at, segment) =>
      isSchema(at) ? at[decodeURIComponent(segment).replaceAll("~1", "/").replaceAll("~0", "~")] : undefined,
    root,
  );
}

/** A number as people write it: three times 0.1 is 0.3. */
const decimal = (n: number): number => Number(n.toPrecision(15));

const isSchema = (part: unknown): part is JsonSchema =>
  typeof part === "object" && part !== null && !Array.isArray(part);
const listOf = (part: unknown): readonly unknown[] => (Array.isArray(part) ? part : []);
const numberOr = (part: unknown, otherwise: number): number => (typeof part === "number" ? part : otherwise);
