import { expect, test } from "vitest";
import { z } from "zod";
import { type AnySchema, contract, query } from "../contracts/index.ts";
import { type AnyView, json, list, prefer, source, view } from "./index.ts";
import { checkRules } from "./rules-check.ts";

const guide = source("guide", {
  get: json("https://guide.test/{city}", z.object({ id: z.string(), name: z.string() })),
});
const everything = source("everything", {
  get: json("https://guide.test/all", z.array(z.object({ id: z.string(), name: z.string() }))),
});
const name = prefer(guide);

/** A view of "name" alone, whatever its contract says. */
function viewOf(output: AnySchema): AnyView {
  const { page } = contract("cities", "1.0.0", { page: query({ input: z.object({ city: z.string() }), output }) });
  return view(page, { budget: "1s", fields: { name } as never }); // as one writes it who lets no compiler look
}

test.each<[string, AnySchema]>([
  ["a field", z.object({ name: z.string(), size: z.int() })],
  ["one that may be null", z.object({ name: z.string(), size: z.int().nullable() })],
  ["one of a schema that has a name", z.object({ name: z.string(), size: z.int() }).meta({ id: "SizedCity" })],
  ["one of two schemas together", z.intersection(z.object({ name: z.string() }), z.object({ size: z.int() }))],
])("a view without a rule for %s is refused", (_, output) => {
  expect(() => checkRules(viewOf(output))).toThrow(
    'The view cities.page has no rule for "size", which its contract requires. Say under "fields" where it comes from.',
  );
});

test.each<[string, AnySchema]>([
  ["one that may be absent", z.object({ name: z.string(), size: z.int().optional() })],
  ["one that has a default", z.object({ name: z.string(), size: z.int().default(1) })],
  ["one that has a value where there is none", z.object({ name: z.string(), size: z.int().catch(1) })],
  [
    "one that is made of what is not there",
    z.object({ name: z.string(), size: z.preprocess((said) => said ?? 1, z.int()) }),
  ],
  ["one inside another", z.object({ name: z.string(), at: z.object({ size: z.int() }).optional() })],
  ["what only one of two schemas requires", z.union([z.object({ name: z.string() }), z.object({ size: z.int() })])],
  ["a schema that waits", z.object({ name: z.unknown().refine(async () => true), size: z.int() })],
  [
    "a schema that stumbles",
    z.preprocess((said) => (said as { name: string }).name.trim(), z.object({ size: z.int() })),
  ],
])("%s needs no rule", (_, output) => {
  expect(() => checkRules(viewOf(output))).not.toThrow();
});

test("the items of a list have a rule for each field as well", () => {
  const Item = z.object({ id: z.string(), name: z.string(), size: z.int() });
  const { all } = contract("cities", "1.0.0", {
    all: query({
      input: z.object({ after: z.string().optional(), limit: z.int().optional() }),
      output: z.object({ items: z.array(Item), complete: z.boolean(), next: z.string().optional() }),
    }),
  });
  const fields = { id: prefer(everything), name: prefer(everything) };
  const lacking = list(all, { budget: "1s", same: "id", orderBy: ["id"], fields: fields as never }); // as above
  expect(() => checkRules(lacking)).toThrow('The view cities.all has no rule for "size"');
});
