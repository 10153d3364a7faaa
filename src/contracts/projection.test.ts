import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { toProjection } from "./projection.ts";
import { type AnySchema, type JsonSchema, toJsonSchema, validate } from "./schema.ts";

const project = (schema: AnySchema, value: unknown) => projectBy(toJsonSchema(schema), value);
const projectBy = (schema: JsonSchema, value: unknown) => {
  const projected = toProjection(schema)(value);
  return { value: projected.value, undeclared: projected.findUndeclared() };
};

describe("a projection", () => {
  it("keeps the declared fields, drops the others and says where they were", () => {
    const seat = z.object({
      flight: z.string(),
      place: z.object({ row: z.int() }),
      tags: z.array(z.object({ t: z.string() })),
    });
    expect(
      project(seat, { flight: "UA1", x: 1, place: { row: 3, seat: "A" }, tags: [{ t: "a" }, { t: "b", u: 0 }] }),
    ).toEqual({
      value: { flight: "UA1", place: { row: 3 }, tags: [{ t: "a" }, { t: "b" }] },
      undeclared: ["/x", "/place/seat", "/tags/1/u"],
    });
  });

  it("does the same for schemas that drop, keep or refuse unknown fields by themselves", () => {
    for (const schema of [z.object({ a: z.string() }), z.strictObject({ a: z.string() })])
      expect(project(schema, { a: "x", b: 1 })).toEqual({ value: { a: "x" }, undeclared: ["/b"] });
    expect(project(z.looseObject({ a: z.string() }), { a: "x", b: 1 })).toEqual({
      value: { a: "x", b: 1 },
      undeclared: [],
    });
  });

  it("escapes ~ and / in the places that it names", () => {
    expect(project(z.object({}), { "a/b~c": 1 }).undeclared).toEqual(["/a~1b~0c"]);
  });

  it("leaves values alone that are of another type than declared, for validation to refuse", () => {
    const schema = z.object({ list: z.array(z.string()), inner: z.object({ a: z.string() }) });
    const value = { list: "no list", inner: [1, 2] };
    expect(project(schema, value)).toEqual({ value, undeclared: [] });
    expect(project(schema, null)).toEqual({ value: null, undeclared: [] });
  });

  it("keeps everything where anything is allowed", () => {
    const value = { any: { deep: [1, { x: null }] } };
    expect(project(z.object({ any: z.unknown() }), value)).toEqual({ value, undeclared: [] });
    expect(projectBy({}, value)).toEqual({ value, undeclared: [] });
  });

  it("looks into the values of records and the items of tuples", () => {
    const schema = z.object({
      byName: z.record(z.string(), z.object({ a: z.int() })),
      pair: z.tuple([z.object({ b: z.int() })], z.object({ c: z.int() })),
    });
    expect(
      project(schema, {
        byName: { one: { a: 1, z: 0 } },
        pair: [
          { b: 1, z: 0 },
          { c: 2, z: 0 },
        ],
      }),
    ).toEqual({
      value: { byName: { one: { a: 1 } }, pair: [{ b: 1 }, { c: 2 }] },
      undeclared: ["/byName/one/z", "/pair/0/z", "/pair/1/z"],
    });
  });

  it("follows patterns of field names", () => {
    const schema = { type: "object", patternProperties: { "^x-": { type: "object", properties: { a: {} } } } };
    expect(projectBy(schema, { "x-1": { a: 1, b: 2 }, y: 3 })).toEqual({
      value: { "x-1": { a: 1 } },
      undeclared: ["/x-1/b", "/y"],
    });
  });

  it("follows a schema that contains itself", () => {
    const Tree = z.object({
      name: z.string(),
      get children() {
        return z.array(Tree).optional();
      },
    });
    const value = { name: "a", children: [{ name: "b", x: 1, children: [{ name: "c", y: 2 }] }] };
    expect(project(Tree, value)).toEqual({
      value: { name: "a", children: [{ name: "b", children: [{ name: "c" }] }] },
      undeclared: ["/children/0/x", "/children/0/children/0/y"],
    });
  });

  it("follows references by name, wherever they are used", () => {
    const Place = z.object({ row: z.int() }).meta({ id: "Place" });
    expect(project(z.object({ from: Place, to: Place }), { from: { row: 1, x: 1 }, to: { row: 2 } })).toEqual({
      value: { from: { row: 1 }, to: { row: 2 } },
      undeclared: ["/from/x"],
    });
  });

  it("refuses a reference out of the schema", () => {
    const outside = toProjection({ $ref: "https://schemas.test/seat.json" });
    expect(() => outside({})).toThrow("only references inside the schema are followed");
  });
});

describe("a projection of a union", () => {
  const Shape = z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("circle"), radius: z.number() }),
    z.object({ kind: z.literal("box"), width: z.number(), height: z.number() }),
  ]);

  it("goes by the constant that tells the branches apart", () => {
    expect(project(Shape, { kind: "box", radius: 1, width: 2, height: 3 })).toEqual({
      value: { kind: "box", width: 2, height: 3 },
      undeclared: ["/radius"],
    });
  });

  it("leaves a value that fits no branch for validation to refuse", () => {
    const value = { kind: "star", points: 5 };
    expect(project(Shape, value)).toEqual({ value, undeclared: [] });
  });

  it("prefers the branch that declares most of the value", () => {
    const schema = z.union([z.object({ a: z.string() }), z.object({ a: z.string(), b: z.string().optional() })]);
    expect(project(schema, { a: "x", b: "y", c: "z" })).toEqual({ value: { a: "x", b: "y" }, undeclared: ["/c"] });
  });

  it("takes the branch that the value validates against where two declare equally much of it", async () => {
    const schema = z.union([
      z.object({ a: z.string(), b: z.string().optional() }),
      z.object({ a: z.number(), c: z.number().optional() }),
    ]);
    const { value, undeclared } = project(schema, { a: 1, c: 2, b: "from a wider value" });
    expect({ value, undeclared }).toEqual({ value: { a: 1, c: 2 }, undeclared: ["/b"] });
    expect(await validate(schema, value)).toEqual({ ok: true, value: { a: 1, c: 2 } });
  });

  it("looks inside lists to tell branches apart", () => {
    const schema = z.union([
      z.object({ of: z.array(z.string()), s: z.int().optional() }),
      z.object({ of: z.array(z.int()), n: z.int().optional() }),
    ]);
    expect(project(schema, { of: [1], s: 1, n: 2 }).value).toEqual({ of: [1], n: 2 });
  });

  it("still drops what is undeclared where a library reads more types than its JSON Schema admits", () => {
    const schema = z.union([
      z.object({ n: z.coerce.number(), a: z.string() }),
      z.object({ n: z.coerce.number(), b: z.string() }),
    ]);
    expect(project(schema, { n: "5", b: "x", extra: 1 })).toEqual({
      value: { n: "5", b: "x" },
      undeclared: ["/extra"],
    });
  });

  it("is not misled by what every object inherits", () => {
    const schema = z.union([
      z.object({ constructor: z.string(), a: z.string() }),
      z.object({ a: z.string(), b: z.string() }),
    ]);
    expect(project(schema, { a: "x", b: "y", c: 1 })).toEqual({ value: { a: "x", b: "y" }, undeclared: ["/c"] });
  });

  it("looks through null and optional", () => {
    const schema = z.object({ a: z.object({ b: z.int() }).nullish() });
    expect(project(schema, { a: { b: 1, c: 2 } })).toEqual({ value: { a: { b: 1 } }, undeclared: ["/a/c"] });
    expect(project(schema, { a: null })).toEqual({ value: { a: null }, undeclared: [] });
    expect(project(schema, { a: undefined })).toEqual({ value: { a: undefined }, undeclared: [] });
  });
});

describe("a projection of schemas taken together", () => {
  const Named = z.object({ name: z.string(), at: z.object({ lat: z.number() }) }).meta({ id: "Named" });

  it("keeps what any of them declares, also through a reference or a union", () => {
    const schema = Named.and(z.union([z.object({ b: z.string() }), z.object({ c: z.string() })]));
    expect(project(schema, { name: "x", at: { lat: 1 }, c: "y", d: "z" })).toEqual({
      value: { name: "x", at: { lat: 1 }, c: "y" },
      undeclared: ["/d"],
    });
  });

  it("joins what they declare of the same field", () => {
    const schema = Named.and(z.object({ at: z.object({ lon: z.number() }) }));
    expect(project(schema, { name: "x", at: { lat: 1, lon: 2, alt: 3 } })).toEqual({
      value: { name: "x", at: { lat: 1, lon: 2 } },
      undeclared: ["/at/alt"],
    });
  });

  it("joins lists item by item", () => {
    const schema = { allOf: [{ items: { properties: { a: {} } } }, { items: { properties: { b: {} } } }] };
    expect(projectBy(schema, [{ a: 1, b: 2, c: 3 }])).toEqual({ value: [{ a: 1, b: 2 }], undeclared: ["/0/c"] });
  });

  it("names a field that one of them refuses whole by what the other leaves of it", () => {
    const schema = { allOf: [{ properties: { a: {} } }, { properties: { a: {}, b: { properties: { c: {} } } } }] };
    expect(projectBy(schema, { a: 1, b: { c: 2, d: 3 } })).toEqual({
      value: { a: 1, b: { c: 2 } },
      undeclared: ["/b/d"],
    });
  });

  it("reads fields beside a union as declared too", () => {
    const schema: JsonSchema = {
      type: "object",
      properties: { kind: { enum: ["a", "b"] } },
      anyOf: [
        { properties: { kind: { const: "a" }, a: { type: "string" } }, required: ["a"] },
        { properties: { kind: { const: "b" }, b: { type: "string" } }, required: ["b"] },
      ],
    };
    expect(projectBy(schema, { kind: "b", b: "x", a: "y" })).toEqual({
      value: { kind: "b", b: "x" },
      undeclared: ["/a"],
    });
  });

  it("takes no field away for a part that speaks of none", () => {
    const schema = { type: "object", properties: { a: {}, b: {} }, anyOf: [{ required: ["a"] }, { required: ["b"] }] };
    expect(projectBy(schema, { a: 1, b: 2 })).toEqual({ value: { a: 1, b: 2 }, undeclared: [] });
  });
});

describe("a projection never reaches a prototype", () => {
  const hostile = JSON.parse(
    '{"a":"x","__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}',
  ) as unknown;

  it("drops __proto__ and constructor like any other field that is not declared", () => {
    const { value, undeclared } = project(z.object({ a: z.string() }), hostile);
    expect(Object.getOwnPropertyNames(value)).toEqual(["a"]);
    expect(undeclared).toEqual(["/__proto__", "/constructor"]);
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
  });

  it("keeps them as fields of their own where any name is declared, alone and in an intersection", () => {
    const open = z.record(z.string(), z.unknown());
    for (const schema of [toJsonSchema(open), { allOf: [toJsonSchema(open), { properties: { a: {} } }] }]) {
      const value = toProjection(schema)(hostile).value as { admin?: unknown };
      expect(Object.getOwnPropertyNames(value)).toEqual(["a", "__proto__", "constructor"]);
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
      expect(value.admin).toBeUndefined();
    }
  });
});

/** A schema, a value that fits it with more fields than it declares, and what must be left of it. */
interface Case {
  readonly schema: z.ZodType;
  readonly wide: unknown;
  readonly exact: unknown;
  readonly undeclared: readonly string[];
}

const fieldName = fc.constantFrom("a", "b", "c", "~", "/", "__proto__", "constructor", "toString", "0", "ü");
const leaf: fc.Arbitrary<Case> = fc.oneof(
  fc.string().map((text) => ({ schema: z.string(), wide: text, exact: text, undeclared: [] })),
  fc.integer().map((n) => ({ schema: z.int(), wide: n, exact: n, undeclared: [] })),
  fc.boolean().map((b) => ({ schema: z.boolean().nullable(), wide: b, exact: b, undeclared: [] })),
  fc.jsonValue().map((any) => ({ schema: z.unknown(), wide: any, exact: any, undeclared: [] })),
);
const nested = (part: fc.Arbitrary<Case>): fc.Arbitrary<Case> =>
  fc.oneof(
    fc
      .tuple(fc.uniqueArray(fieldName, { maxLength: 8 }), fc.array(part, { maxLength: 5 }), fc.jsonValue())
      .map(([names, parts, rubbish]) => toObject(names, parts, rubbish)),
    part.map(({ schema, wide, exact, undeclared }) => ({
      schema: z.array(schema),
      wide: [wide, wide],
      exact: [exact, exact],
      undeclared: [0, 1].flatMap((at) => undeclared.map((path) => `/${at}${path}`)),
    })),
    part.map(({ schema, ...rest }) => ({ schema: schema.optional(), ...rest })),
    part.map(({ schema, ...rest }) => ({ schema: z.union([z.literal("another branch"), schema]), ...rest })),
    part.map(({ schema, ...rest }) => ({ schema: z.lazy(() => schema), ...rest })),
  );

/** The first names are declared, each with a part; the others are written all the same. */
function toObject(names: readonly string[], parts: readonly Case[], rubbish: unknown): Case {
  const declared = names.slice(0, parts.length).map((name, at) => [name, parts[at] as Case] as const);
  const pointer = (name: string): string => `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
  const extra = names.slice(declared.length);
  return {
    schema: z.object(Object.fromEntries(declared.map(([name, { schema }]) => [name, schema]))),
    wide: Object.fromEntries([
      ...extra.map((name) => [name, rubbish]),
      ...declared.map(([name, { wide }]) => [name, wide]),
    ]),
    exact: Object.fromEntries(declared.map(([name, { exact }]) => [name, exact])),
    undeclared: [
      ...extra.map(pointer),
      ...declared.flatMap(([name, { undeclared }]) => undeclared.map((path) => `${pointer(name)}${path}`)),
    ],
  };
}
const cases = fc.oneof(leaf, nested(leaf), nested(nested(leaf)), nested(nested(nested(leaf))));

describe("for every schema and every value", () => {
  it("a projection keeps exactly what is declared, and names exactly what is not", () => {
    fc.assert(
      fc.property(cases, ({ schema, wide, exact, undeclared }) => {
        const projected = project(schema, wide);
        deepStrictEqual(projected.value, exact); // compares fields of their own: expect() would ask a value for its constructor
        expect([...projected.undeclared].sort()).toEqual([...undeclared].sort());
      }),
      { numRuns: 300 },
    );
  });

  it("projecting a projection changes nothing and finds nothing, for values of any kind", () => {
    fc.assert(
      fc.property(cases, fc.jsonValue(), (one, any) => {
        for (const value of [one.wide, any]) {
          const once = project(one.schema, value);
          deepStrictEqual(project(one.schema, once.value), { value: once.value, undeclared: [] });
        }
      }),
      { numRuns: 300 },
    );
  });

  it("a projection does not touch the value that it was given", () => {
    fc.assert(
      fc.property(cases, ({ schema, wide }) => {
        const before = JSON.stringify(wide);
        project(schema, wide);
        expect(JSON.stringify(wide)).toBe(before);
      }),
    );
  });
});
