import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { impersonal, maskPersonal, personal, subject } from "./marks.ts";
import { type AnySchema, toJsonSchema } from "./schema.ts";

const Seat = z.object({ flight: z.string(), booking: subject(z.uuid()), traveller: personal(z.string()) });
const propertiesOf = (schema: AnySchema) => toJsonSchema(schema).properties as { [name: string]: unknown };
const mask = (schema: AnySchema, value: unknown) => maskPersonal(toJsonSchema(schema), value);

describe("a mark", () => {
  it("is in the JSON Schema", () => {
    expect(propertiesOf(Seat)).toMatchObject({
      booking: { format: "uuid", "x-subject": true },
      traveller: { type: "string", "x-personal": true },
    });
  });

  it("stays through extend, omit, pick and partial", () => {
    expect(propertiesOf(Seat.extend({ card: z.string() })).traveller).toMatchObject({ "x-personal": true });
    expect(propertiesOf(Seat.omit({ flight: true })).traveller).toMatchObject({ "x-personal": true });
    expect(propertiesOf(Seat.pick({ booking: true })).booking).toMatchObject({ "x-subject": true });
    expect(propertiesOf(Seat.partial()).traveller).toMatchObject({ "x-personal": true });
  });

  it.each([
    ["optional", personal(z.string()).optional(), "Ada"],
    ["nullable", personal(z.string()).nullable(), "Ada"],
    ["nullish", personal(z.string()).nullish(), "Ada"],
    ["default", personal(z.string()).default("nobody"), "Ada"],
    ["readonly", personal(z.string()).readonly(), "Ada"],
    ["a stricter check", personal(z.string()).min(3), "Ada"],
    ["refine", personal(z.string()).refine(() => true), "Ada"],
    ["transform", personal(z.string()).transform((text) => text.length), "Ada"],
    ["pipe", personal(z.string()).transform(String).pipe(z.string()), "Ada"],
    ["a union", z.union([z.number(), personal(z.string())]), "Ada"],
    ["lazy", z.lazy(() => personal(z.string())), "Ada"],
    ["array", z.array(personal(z.string())), ["Ada"]],
    ["tuple", z.tuple([personal(z.string())]), ["Ada"]],
    ["a tuple's rest", z.tuple([z.string()], personal(z.string())), ["Mrs", "Ada"]],
    ["record", z.record(z.string(), personal(z.string())), { x: "Ada" }],
  ])("stays through %s, and masks", (_through, field, value) => {
    expect(JSON.stringify(mask(z.object({ field }), { field: value }))).not.toContain("Ada");
  });

  it("adds to what a field already says about itself, and to another mark", () => {
    const described = personal(subject(z.email().meta({ description: "Where tickets go." })));
    expect(toJsonSchema(described)).toMatchObject({
      description: "Where tickets go.",
      format: "email",
      "x-subject": true,
      "x-personal": true,
    });
  });

  it("says of a field that it is not personal, and then it is not hidden", () => {
    const Airport = z.object({ name: impersonal(z.string()) });
    expect(propertiesOf(Airport)).toMatchObject({ name: { "x-personal": false } });
    expect(mask(Airport, { name: "Albuquerque" })).toEqual({ name: "Albuquerque" });
  });

  it("leaves the schema that it was given unmarked", () => {
    const plain = z.string();
    personal(plain);
    expect(toJsonSchema(plain)).toEqual({ type: "string" });
  });

  it("refuses a schema of a library that has no place for it, and says so", () => {
    expect(() => personal(v.string() as unknown as AnySchema)).toThrow(
      "personal() needs a schema that carries metadata into its JSON Schema, as Zod's .meta() does; this valibot schema does not.",
    );
    expect(() => subject(v.string() as unknown as AnySchema)).toThrow("subject() needs a schema");
  });
});

describe("maskPersonal", () => {
  it("hides personal fields and nothing else, and leaves the value itself alone", () => {
    const seat = { flight: "UA1", booking: "b", traveller: "Ada" };
    expect(mask(Seat, seat)).toEqual({ flight: "UA1", booking: "b", traveller: "[personal]" });
    expect(seat.traveller).toBe("Ada");
  });

  it("hides whole objects and lists", () => {
    const schema = z.object({
      contact: personal(z.object({ mail: z.string() })),
      names: personal(z.array(z.string())),
    });
    expect(mask(schema, { contact: { mail: "a@b.test" }, names: ["Ada"] })).toEqual({
      contact: "[personal]",
      names: "[personal]",
    });
  });

  it("does not make something of nothing", () => {
    const schema = z.object({ a: personal(z.string()).nullable(), b: personal(z.string()).optional() });
    expect(mask(schema, { a: null, b: undefined })).toEqual({ a: null, b: undefined });
  });

  it("looks into lists, references, intersections and schemas that contain themselves", () => {
    const Person = z.object({
      name: personal(z.string()),
      get friends() {
        return z.array(Person).optional();
      },
    });
    expect(
      mask(z.object({ people: z.array(Person) }), { people: [{ name: "Ada", friends: [{ name: "Bob" }] }] }),
    ).toEqual({
      people: [{ name: "[personal]", friends: [{ name: "[personal]" }] }],
    });
    const Both = z.object({ a: z.string() }).and(z.object({ b: personal(z.string()) }).meta({ id: "WithB" }));
    expect(mask(Both, { a: "x", b: "Ada" })).toEqual({ a: "x", b: "[personal]" });
  });

  it("hides a field that any branch of a union calls personal", () => {
    const schema = z.union([z.object({ id: z.string() }), z.object({ id: personal(z.string()) })]);
    expect(mask(schema, { id: "Ada" })).toEqual({ id: "[personal]" });
  });

  it("looks at fields whose names are only described by a pattern", () => {
    const schema = { patternProperties: { "^mail": { "x-personal": true } } };
    expect(maskPersonal(schema, { mail1: "a@b.test", other: 1 })).toEqual({ mail1: "[personal]", other: 1 });
  });

  it("is not misled by names that every object inherits", () => {
    const hostile = JSON.parse('{"__proto__":{"x":1},"constructor":"c","traveller":"Ada"}') as unknown;
    const masked = mask(Seat, hostile) as object;
    expect(JSON.stringify(masked)).toBe('{"__proto__":{"x":1},"constructor":"c","traveller":"[personal]"}');
    expect(Object.getPrototypeOf(masked)).toBe(Object.prototype);
  });

  it("ends for a schema that refers to nothing but itself", () => {
    expect(maskPersonal({ $ref: "#" }, { a: 1 })).toEqual({ a: 1 });
  });
});
