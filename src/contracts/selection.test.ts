import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Fault } from "./fault.ts";
import { toJsonSchema } from "./schema.ts";
import { select, toSelection, validateParts } from "./selection.ts";

const Delay = z.object({ flight: z.string(), minutes: z.int() });
const Page = z.object({
  name: z.string(),
  position: z.object({ latitude: z.number(), longitude: z.number() }).optional(),
  delays: z.array(Delay).optional(),
  contact: z.union([z.object({ mail: z.string() }), z.object({ phone: z.string() })]).nullable(),
});
const schema = toJsonSchema(Page);
const page = {
  name: "Love Field",
  position: { latitude: 1, longitude: 2 },
  delays: [
    { flight: "a", minutes: 1 },
    { flight: "b", minutes: 2 },
  ],
  contact: { mail: "x@y.test" },
};

describe("a selection", () => {
  test.each([
    [["name"], { name: "Love Field" }],
    [["position.latitude", "name"], { position: { latitude: 1 }, name: "Love Field" }],
    [["delays.flight"], { delays: [{ flight: "a" }, { flight: "b" }] }],
    [["position", "position.latitude"], { position: { latitude: 1, longitude: 2 } }],
    [["position.latitude", "position"], { position: { latitude: 1, longitude: 2 } }],
    [["contact.phone"], { contact: {} }],
    [["contact.mail"], { contact: { mail: "x@y.test" } }],
  ])("of %j keeps exactly that", (paths, expected) =>
    expect(select(toSelection(schema, paths), page)).toEqual(expected),
  );

  test("keeps null where null is, and leaves away what is not there", () => {
    expect(select(toSelection(schema, ["contact.mail", "delays"]), { name: "x", contact: null })).toEqual({
      contact: null,
    });
  });

  test.each([
    ["colour", "The answer has: contact, delays, name, position."],
    ["position.height", '"position" has: latitude, longitude.'],
    ["name.first", '"name" has no fields to choose from.'],
    ["", "The answer has: contact, delays, name, position."],
    ["__proto__", "The answer has: contact, delays, name, position."],
  ])("of the unknown field %j says what there is", (path, sentence) => {
    const refused = (): unknown => toSelection(schema, ["name", path]);
    expect(refused).toThrow(Fault);
    expect(refused).toThrow(`There is no field "${path}" to choose. ${sentence}`);
  });

  test("of a schema that contains itself goes as deep as it is asked to", () => {
    interface Tree {
      name: string;
      children?: Tree[] | undefined;
    }
    const Tree: z.ZodType<Tree> = z.object({
      name: z.string(),
      get children() {
        return z.array(Tree).optional();
      },
    });
    const tree = { name: "a", children: [{ name: "b", children: [{ name: "c" }] }] };
    expect(select(toSelection(toJsonSchema(Tree), ["children.children.name"]), tree)).toEqual({
      children: [{ children: [{ name: "c" }] }],
    });
  });
});

describe("parts of an object", () => {
  const Paired = Page.refine(({ delays }) => delays !== undefined, "there are delays");
  test("are checked without the rest, and without what is said of the whole", async () => {
    expect(await validateParts(Paired, { name: "x" }, { name: {} })).toEqual({ ok: true, value: { name: "x" } });
    const wrong = await validateParts(Paired, { position: { latitude: "1" } }, { position: {} });
    expect(wrong).toMatchObject({
      ok: false,
      issues: [{ path: "/position/latitude" }, { path: "/position/longitude" }],
    });
    expect(await validateParts(Paired, {}, { name: {} })).toMatchObject({ ok: false, issues: [{ path: "/name" }] });
  });

  test("within a list are checked without the rest of its items", async () => {
    const flights = { delays: { flight: {} } };
    expect(await validateParts(Page, { delays: [{ flight: "a" }, {}] }, flights)).toMatchObject({
      ok: false,
      issues: [{ path: "/delays/1/flight" }],
    });
    expect(await validateParts(Page, { delays: [{ flight: "a" }] }, flights)).toMatchObject({ ok: true });
    expect(await validateParts(Page, { delays: ["a"] }, flights)).toMatchObject({ issues: [{ path: "/delays/0" }] });
    expect(await validateParts(Page, { delays: 5 }, flights)).toMatchObject({ issues: [{ path: "/delays" }] });
  });
});
