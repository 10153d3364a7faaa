import { toStandardJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type AnyContract, contract, operationsOf } from "./contract.ts";
import { event } from "./event.ts";
import { failure } from "./failure.ts";
import { command, query } from "./operation.ts";
import { toProjection } from "./projection.ts";
import { toJsonSchema, validate } from "./schema.ts";

// The same contract twice: once in Zod, once in Valibot. And a third one that mixes them.
const zod = {
  Bag: z.object({
    tag: z.string().min(3),
    kilos: z.number(),
    kind: z.enum(["hand", "hold"]),
    note: z.string().optional(),
  }),
  Checked: z.discriminatedUnion("fate", [
    z.object({ fate: z.literal("taken"), belt: z.int() }),
    z.object({ fate: z.literal("refused"), why: z.object({ text: z.string() }) }),
  ]),
};
const valibot = {
  Bag: toStandardJsonSchema(
    v.object({
      tag: v.pipe(v.string(), v.minLength(3)),
      kilos: v.number(),
      kind: v.picklist(["hand", "hold"]),
      note: v.optional(v.string()),
    }),
  ),
  Checked: toStandardJsonSchema(
    v.variant("fate", [
      v.object({ fate: v.literal("taken"), belt: v.pipe(v.number(), v.integer()) }),
      v.object({ fate: v.literal("refused"), why: v.object({ text: v.string() }) }),
    ]),
  ),
};
const InZod = contract("bags", "1.0.0", { check: command({ input: zod.Bag, output: zod.Checked }) });
const InValibot = contract("bags", "1.0.0", { check: command({ input: valibot.Bag, output: valibot.Checked }) });
const Mixed = contract("bags", "1.0.0", {
  check: command({
    input: valibot.Bag,
    output: zod.Checked,
    failures: { TooHeavy: failure(422, "Too heavy.", { details: z.object({ most: z.number() }) }) },
  }),
  list: query({ input: z.object({ kind: z.enum(["hand", "hold"]) }), output: valibot.Bag }),
  BagChecked: event(valibot.Bag),
});
const bag = { tag: "ABC", kilos: 23, kind: "hand" };

describe.each([
  ["Zod", InZod],
  ["Valibot", InValibot],
  ["Valibot beside Zod", Mixed],
] as const)("a contract in %s", (_library, bags) => {
  const { input, output } = bags.check;

  it("validates, and says where a value is wrong", async () => {
    expect(await validate(input, bag)).toEqual({ ok: true, value: bag });
    const read = await validate(input, { ...bag, tag: "A", kilos: "23" });
    expect(read.ok ? [] : read.issues.map(({ path }) => path).sort()).toEqual(["/kilos", "/tag"]);
  });

  it("describes itself as JSON Schema", () => {
    expect(toJsonSchema(input)).toMatchObject({
      type: "object",
      required: ["tag", "kilos", "kind"],
      properties: {
        tag: { type: "string", minLength: 3 },
        kilos: { type: "number" },
        kind: { enum: ["hand", "hold"] },
      },
    });
    expect(toJsonSchema(input)).not.toHaveProperty("$schema");
  });

  it("keeps what is declared, through unions and nested objects", () => {
    const kept = toProjection(toJsonSchema(input))({ ...bag, owner: "Ada" });
    expect([kept.value, kept.findUndeclared()]).toEqual([bag, ["/owner"]]);
    const { value, findUndeclared } = toProjection(toJsonSchema(output))({
      fate: "refused",
      belt: 3,
      why: { text: "Too heavy.", by: "Bob" },
    });
    expect([value, findUndeclared()]).toEqual([{ fate: "refused", why: { text: "Too heavy." } }, ["/belt", "/why/by"]]);
  });
});

it("every operation of a mixed contract can be described", () => {
  for (const { input, output } of operationsOf(Mixed satisfies AnyContract))
    for (const schema of [input, output]) expect(Object.keys(toJsonSchema(schema)).length).toBeGreaterThan(0);
});
