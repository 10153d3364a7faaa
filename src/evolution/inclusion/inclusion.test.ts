import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { toJsonSchema } from "../../contracts/index.ts";
import { Comparison, type Inclusion } from "./inclusion.ts";

const compare = (inner: unknown, outer: unknown): Inclusion => new Comparison().isIncluded(inner, outer);
const zod = (schema: z.ZodType): unknown => toJsonSchema(schema);

describe("what is included", () => {
  const tree = (leaf: z.ZodType): z.ZodType => {
    const node: z.ZodType = z.object({
      value: leaf,
      get kids() {
        return z.array(node).optional();
      },
    });
    return node;
  };
  it.each<[string, unknown, unknown]>([
    ["whole numbers among numbers", { type: "integer" }, { type: "number" }],
    [
      "a tighter range",
      { type: "number", minimum: 1, exclusiveMaximum: 4 },
      { type: "number", minimum: 0, maximum: 4 },
    ],
    [
      "a range in two parts that meet",
      { type: "integer", minimum: 0, maximum: 9 },
      { anyOf: [{ type: "integer", maximum: 5 }, { minimum: 6 }] },
    ],
    ["multiples of a multiple", { multipleOf: 0.01, type: "number" }, { multipleOf: 0.001 }],
    ["three tenths among tenths", { type: "number", multipleOf: 0.3 }, { multipleOf: 0.1 }],
    ["a version of an id", zod(z.uuidv4()), zod(z.uuid())],
    ["an instant in UTC among those with an offset", zod(z.iso.datetime()), zod(z.iso.datetime({ offset: true }))],
    ["a pattern that says a length", { type: "string", pattern: "^[a-z]{3}$" }, { minLength: 3, maxLength: 3 }],
    ["a pattern with a lookahead", { type: "string", pattern: "^(?!x)[a-z]+$" }, { pattern: "^[a-wyz]" }],
    [
      "a record over an enum, as an object",
      zod(z.record(z.enum(["a", "b"]), z.int())),
      zod(z.looseObject({ a: z.int(), b: z.int() })),
    ],
    ["a tuple among lists", zod(z.tuple([z.string(), z.int()])), zod(z.array(z.union([z.string(), z.int()])))],
    ["distinct items of two", { type: "array", items: { enum: [1, 2] }, uniqueItems: true }, { maxItems: 2 }],
    ["a list that must contain", { type: "array", items: { const: 1 }, minItems: 1 }, { contains: { const: 1 } }],
    ["a recursive schema in a wider one", zod(tree(z.int())), zod(tree(z.number()))],
    ["two spellings of all JSON", {}, zod(z.json())],
    [
      "de Morgan",
      { not: { anyOf: [{ type: "string" }, { type: "null" }] } },
      { allOf: [{ not: { type: "string" } }, { not: { type: "null" } }] },
    ],
    [
      "if, then and else as a union",
      JSON.parse('{ "if": { "type": "string" }, "then": { "minLength": 2 }, "else": { "type": "null" } }'),
      { anyOf: [{ type: "string", minLength: 1 }, { type: "null" }] },
    ],
    [
      "one of two that exclude each other",
      { anyOf: [{ type: "string" }, { type: "null" }] },
      { oneOf: [{ type: "string" }, { type: "null" }] },
    ],
    ["fields that depend on another", { type: "object", required: ["a", "b"] }, { dependentRequired: { a: ["b"] } }],
    [
      "unevaluated fields of an intersection",
      { type: "object", properties: { a: {}, b: {} }, additionalProperties: false },
      { allOf: [{ properties: { a: {} } }, { properties: { b: {} } }], unevaluatedProperties: false },
    ],
    ["nothing in anything", { not: {} }, { type: "string" }],
    [
      "an empty recursion",
      {
        $ref: "#/$defs/a",
        $defs: { a: { type: "object", properties: { a: { $ref: "#/$defs/a" } }, required: ["a"] } },
      },
      { type: "null" },
    ],
    ["a format of somebody's own", { type: "string", format: "seat" }, { type: "string", format: "seat" }],
  ])("%s", (_, inner, outer) => {
    expect(compare(inner, outer)).toEqual({ kind: "included" });
  });
});

describe("what is not included has a witness", () => {
  it.each<[string, unknown, unknown, unknown]>([
    ["a type", { type: "string" }, { type: "number" }, "x"],
    ["a value of an enum", { enum: ["a", "b"] }, { enum: ["a"] }, "b"],
    ["numbers between whole ones", { type: "number" }, { type: "integer" }, 0.5],
    ["a multiple", { type: "integer", multipleOf: 2 }, { multipleOf: 4 }, 2],
    ["cents up to a bound", { type: "number", multipleOf: 0.01, minimum: 0, maximum: 0.29 }, { maximum: 0.28 }, 0.29],
    ["tenths up to a bound", { type: "number", multipleOf: 0.1, minimum: 0, maximum: 0.3 }, { maximum: 0.2 }, 0.3],
    [
      "the one tenth on a bound",
      { type: "number", multipleOf: 0.1, minimum: 0.25, maximum: 0.3 },
      { type: "string" },
      0.3,
    ],
    ["tenths below nothing", { type: "number", multipleOf: 0.1, minimum: -0.3, maximum: 0 }, { minimum: -0.2 }, -0.3],
    ["multiples of 1.1", { type: "number", multipleOf: 1.1, minimum: 0, maximum: 3.3 }, { maximum: 2.2 }, 3.3],
    ["very small multiples", { type: "number", multipleOf: 1e-10, minimum: 0, maximum: 1 }, { type: "integer" }, 1e-10],
    ["whole numbers beyond 32 bits", { type: "integer" }, { type: "integer", format: "int32" }, -(2 ** 31) - 1],
    ["a text with a format of numbers", { type: "string", format: "int32" }, { type: "number" }, "x"],
    ["the one number on a bound", { type: "number", minimum: 0 }, { exclusiveMinimum: 0 }, 0],
    ["a letter more in a pattern", { type: "string", pattern: "^[a-c]$" }, { pattern: "^[ab]$" }, "c"],
    ["the empty text", { type: "string" }, { minLength: 1 }, ""],
    [
      "an offset in an instant",
      zod(z.iso.datetime({ offset: true })),
      zod(z.iso.datetime()),
      "2026-01-31T12:00:00+01:00",
    ],
    [
      "a field that is missing",
      zod(z.object({ a: z.string() })),
      zod(z.object({ a: z.string(), b: z.int() })),
      { a: "x" },
    ],
    [
      "a field that a closed object has not",
      zod(z.object({ a: z.string() })),
      zod(z.strictObject({ a: z.string() })),
      { a: "x", x: {} },
    ],
    ["a branch of a union", zod(z.union([z.string(), z.null()])), zod(z.string()), null],
    [
      "deep in a recursion",
      zod(z.object({ a: z.array(z.object({ b: z.int() })) })),
      zod(z.object({ a: z.array(z.object({ b: z.int().min(0) })) })),
      { a: [{ b: -1 }] },
    ],
    ["items that are twice the same", { type: "array", items: { enum: [1, 2] } }, { uniqueItems: true }, [1, 1]],
    ["items too many", { type: "array", items: { enum: [1, 2, 3] }, uniqueItems: true }, { maxItems: 2 }, [1, 2, 3]],
    [
      "a list without what it must contain",
      { type: "array", items: { enum: [1, 2] }, minItems: 1 },
      { contains: { const: 1 } },
      [2],
    ],
    ["a name of a field", { type: "object", maxProperties: 1 }, { propertyNames: { pattern: "^a" } }, { x: {} }],
    [
      "a field under a pattern",
      { type: "object", patternProperties: { "^x-": { type: "integer" } }, additionalProperties: false },
      { patternProperties: { "^x-a": { minimum: 0 } } },
      { "x-a": -1 },
    ],
    ["both of what may be one only", {}, { oneOf: [{ type: "integer" }, { type: "number", minimum: 0 }] }, {}],
  ])("%s", (_, inner, outer, witness) => {
    expect(compare(inner, outer)).toEqual({ kind: "not included", witness });
  });
});

describe("what cannot be told is said with a reason", () => {
  it.each<[string, unknown, unknown, RegExp]>([
    ["a word boundary", { type: "string", pattern: "\\bseat" }, { pattern: "seat" }, /word boundary/],
    ["a backreference", { type: "string", pattern: "^(a|b)\\1$" }, { pattern: "^(aa|bb)$" }, /backreference/],
    ["a reference to elsewhere", { $ref: "https://example.com/seat.json" }, { type: "string" }, /outside the schema/],
    ["a dynamic reference", { $dynamicRef: "#seat" }, { type: "string" }, /\$dynamicRef/],
    ["a format that nobody checks", { type: "string" }, { type: "string", format: "seat" }, /checked by nobody/],
    [
      "a format of numbers that nobody checks",
      { type: "number" },
      { type: "number", format: "seat" },
      /checked by nobody/,
    ],
    ["two formats of which no sample tells", { type: "string", format: "ipv4" }, { format: "hostname" }, /formats/],
  ])("%s", (_, inner, outer, why) => {
    const found = compare(inner, outer);
    expect(found.kind).toBe("cannot tell");
    expect(found.kind === "cannot tell" && found.why).toMatch(why);
  });
});

// An own judge, made anew for each pair: nothing is shared with what is judged.
function judge(schema: unknown): (value: unknown) => boolean {
  const ajv = new Ajv2020({ strict: false, logger: false, multipleOfPrecision: 9 });
  addFormats.default(ajv);
  const validate = ajv.compile(schema as object);
  return (value) => validate(value) === true;
}

const texts = fc.constantFrom("", "a", "b", "ab", "abc", "x", "xy", "aaaa", "1", "ä");
const numbers = fc.constantFrom(-2, -1, -0.3, 0, 0.07, 0.1, 0.28, 0.29, 0.3, 0.5, 1, 1.1, 2, 2.2, 3, 3.3, 4, 6, 10, 12);
const scalars = fc.oneof(texts, numbers, fc.boolean(), fc.constant(null));
const { value: json } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    scalars,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom("a", "b", "c", "x", "ab"), tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));
const small = fc.integer({ min: 0, max: 3 });
const patterns = fc.constantFrom("^a", "b$", "^[a-c]+$", "^a*$", "x", "^(ab|x)+$", "^[^a]*$", "^(?!a).*b?$");
/** Some of the keywords: with all of them hardly any value would do. */
const fewOf = ([words, places]: [object, number[]]): object => {
  const entries = Object.entries(words);
  const chosen = Object.fromEntries(places.map((place) => entries[place % entries.length] as [string, unknown]));
  // Ajv 8 takes an empty list for one that contains something where prefixItems and items are beside `contains`.
  const { contains: _contains, ...others } = chosen;
  return chosen.prefixItems ? others : chosen;
};
const { schema: schemas } = fc.letrec<{ schema: unknown; words: object }>((tie) => ({
  words: fc
    .tuple(
      fc.record({
        minimum: numbers,
        maximum: numbers,
        exclusiveMinimum: numbers,
        multipleOf: fc.constantFrom(0.01, 0.1, 0.5, 1, 1.1, 2, 3),
        minLength: small,
        maxLength: small,
        pattern: patterns,
        minItems: small,
        maxItems: small,
        uniqueItems: fc.boolean(),
        items: tie("schema"),
        prefixItems: fc.array(tie("schema"), { minLength: 1, maxLength: 2 }),
        contains: tie("schema"),
        properties: fc.dictionary(fc.constantFrom("a", "b", "c"), tie("schema"), { maxKeys: 3, noNullPrototype: true }),
        required: fc.uniqueArray(fc.constantFrom("a", "b", "c"), { maxLength: 2 }),
        additionalProperties: tie("schema"),
        patternProperties: fc.dictionary(fc.constantFrom("^a", "b$"), tie("schema"), {
          maxKeys: 1,
          noNullPrototype: true,
        }),
        propertyNames: fc.record({ pattern: patterns }),
        minProperties: small,
        maxProperties: small,
      }),
      fc.array(fc.nat(30), { minLength: 1, maxLength: 4 }),
    )
    .map(fewOf),
  schema: fc.oneof(
    { maxDepth: 3 },
    {
      weight: 5,
      arbitrary: fc.constantFrom("string", "integer", "number", "boolean", "null").map((type) => ({ type })),
    },
    { weight: 2, arbitrary: fc.boolean() },
    {
      weight: 2,
      arbitrary: fc.uniqueArray(scalars, { minLength: 1, maxLength: 3 }).map((values) => ({ enum: values })),
    },
    {
      weight: 8,
      arbitrary: fc
        .tuple(fc.constantFrom("string", "number", "integer", "array", "object", "object", undefined), tie("words"))
        .map(([type, words]) => ({ ...(type && { type }), ...words })),
    },
    { weight: 2, arbitrary: fc.array(tie("schema"), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })) },
    { weight: 1, arbitrary: fc.array(tie("schema"), { minLength: 1, maxLength: 2 }).map((oneOf) => ({ oneOf })) },
    { weight: 1, arbitrary: fc.array(tie("schema"), { minLength: 1, maxLength: 2 }).map((allOf) => ({ allOf })) },
    { weight: 1, arbitrary: tie("schema").map((schema) => ({ not: schema })) },
  ),
}));
/** A pair of strangers seldom includes one another; a schema and a slight change of it often do. */
const pairs: fc.Arbitrary<readonly [unknown, unknown]> = fc.oneof(
  fc.tuple(schemas, schemas),
  fc.tuple(schemas, schemas).map(([one, other]) => [one, { anyOf: [other, one] }] as const),
  fc.tuple(schemas, schemas).map(([one, other]) => [{ allOf: [one, other] }, one] as const),
  fc.tuple(schemas, fc.nat(), schemas).map(([one, at, other]) => [one, changed(one, at, other)] as const),
);

/** The same schema with one keyword left out or one part exchanged. */
function changed(schema: unknown, at: number, other: unknown): unknown {
  if (typeof schema !== "object" || schema === null) return other;
  const entries = Object.entries(schema);
  if (entries.length === 0) return other;
  const place = at % entries.length;
  return Object.fromEntries(
    entries.flatMap(([name, part], index) => {
      if (index !== place) return [[name, part]];
      if (at % 3 === 0) return [];
      if (typeof part === "number") return [[name, name === "multipleOf" ? part * 2 : Math.max(0, part - 1)]];
      if (["items", "not", "additionalProperties", "contains"].includes(name))
        return [[name, changed(part, at >> 1, other)]];
      if (["properties", "patternProperties"].includes(name))
        return [
          [name, Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, changed(inner, at >> 1, other)]))],
        ];
      return [[name, part]];
    }),
  );
}

describe("over random pairs of schemas", () => {
  const runs = Number(process.env.EVOLUTION_RUNS ?? 200);
  it("every verdict stands: what is included survives thousands of values, what is not has its witness", {
    timeout: 120_000,
  }, () => {
    const verdicts = { included: 0, "not included": 0, "cannot tell": 0 };
    let survived = 0;
    const values = fc.sample(json, 1_500);
    fc.assert(
      fc.property(pairs, ([inner, outer]) => {
        const verdict = compare(inner, outer);
        verdicts[verdict.kind] += 1;
        const [isInner, isOuter] = [judge(inner), judge(outer)];
        if (verdict.kind === "not included") {
          expect([isInner(verdict.witness), isOuter(verdict.witness)]).toEqual([true, false]);
          return;
        }
        if (verdict.kind === "cannot tell") return;
        for (const value of values)
          if (isInner(value)) {
            survived += 1;
            if (!isOuter(value)) throw new Error(`${JSON.stringify(value)} is in the first and not in the second`);
          }
      }),
      { numRuns: runs },
    );
    // A property that looks at nothing holds as well. About four of five are included: these bounds are five standard
    // deviations of the counts away from that, or more.
    expect(verdicts.included).toBeGreaterThan(runs / 2);
    expect(verdicts["not included"]).toBeGreaterThan(runs / 20);
    expect(verdicts["cannot tell"]).toBeLessThan(runs / 10);
    expect(survived).toBeGreaterThan(30 * runs);
  });
});
