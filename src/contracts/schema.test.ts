import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type AnySchema, nothing, type Schema, toJsonSchema, validate } from "./schema.ts";

describe("validate", () => {
  it("gives back what validation made of the value: defaults, transformed dates", async () => {
    const schema = z.object({ at: z.iso.datetime().transform((text) => new Date(text)), seats: z.int().default(180) });
    expect(await validate(schema, { at: "2001-01-01T00:00:00Z" })).toEqual({
      ok: true,
      value: { at: new Date("2001-01-01T00:00:00Z"), seats: 180 },
    });
  });

  it("says where each thing is wrong, as JSON Pointers with ~ and / escaped", async () => {
    const schema = z.object({ "a/b": z.object({ "c~d": z.array(z.number()) }) });
    const read = await validate(schema, { "a/b": { "c~d": [1, "two"] } });
    expect(read).toMatchObject({ ok: false, issues: [{ path: "/a~1b/c~0d/1", message: expect.any(String) }] });
  });

  it("points at the whole value with an empty path", async () => {
    expect(await validate(z.string(), 3)).toMatchObject({ ok: false, issues: [{ path: "" }] });
  });

  it("names every issue, not the first one only", async () => {
    const read = await validate(z.object({ a: z.string(), b: z.string() }), {});
    expect(read.ok ? [] : read.issues.map(({ path }) => path)).toEqual(["/a", "/b"]);
  });

  it("waits for a schema that checks asynchronously", async () => {
    const free = z.string().refine(async (seat) => seat !== "1A", "The seat is taken.");
    expect(await validate(free, "1A")).toMatchObject({ ok: false, issues: [{ message: "The seat is taken." }] });
    expect(await validate(free, "1B")).toEqual({ ok: true, value: "1B" });
  });

  it("understands paths whose segments are objects or symbols, as the Standard Schema specification allows", async () => {
    const tag = Symbol("tag");
    const odd: Schema<unknown> = {
      "~standard": {
        ...nothing["~standard"],
        validate: () => ({ issues: [{ message: "odd", path: [{ key: "a" }, 0, tag] }] }),
      },
    };
    expect(await validate(odd, 1)).toEqual({ ok: false, issues: [{ path: "/a/0/Symbol(tag)", message: "odd" }] });
  });
});

describe("toJsonSchema", () => {
  it("describes what may be written, not what is read", () => {
    const schema = z.object({ seats: z.coerce.number().default(1), at: z.string().transform((text) => text.length) });
    expect(toJsonSchema(schema)).toMatchObject({
      required: ["at"],
      properties: { seats: { type: "number" }, at: { type: "string" } },
    });
  });

  it("leaves the dialect to the document that the schema is put into", () => {
    expect(toJsonSchema(z.string())).toEqual({ type: "string" });
  });

  it("refuses a schema that cannot describe itself, and says what to do", () => {
    expect(() => toJsonSchema(v.string() as unknown as AnySchema)).toThrow(
      "This valibot schema has no JSON Schema. Wrap it in its library's Standard JSON Schema adapter (for Valibot: toStandardJsonSchema of @valibot/to-json-schema).",
    );
    expect(() => toJsonSchema({} as AnySchema)).toThrow("This unknown schema has no JSON Schema.");
  });
});

describe("nothing", () => {
  it("reads as nothing, whatever was written, and its JSON Schema admits no value", async () => {
    expect(await validate(nothing, { left: "over" })).toEqual({ ok: true, value: undefined });
    expect(toJsonSchema(nothing)).toEqual({ not: {} });
  });

  it("cannot be changed", () => {
    expect(Object.isFrozen(nothing) && Object.isFrozen(nothing["~standard"])).toBe(true);
  });
});
