import { expect, it } from "vitest";
import { z } from "zod";
import { toJsonSchema } from "../schema.ts";
import { toTypes } from "./types.ts";

it.each<[string, z.ZodType, string]>([
  ["a tuple", z.tuple([z.string(), z.number()]), "readonly [string, number]"],
  [
    "a tuple whose last place may be missing",
    z.tuple([z.string(), z.number().optional()]),
    "readonly [string, (number)?]",
  ],
  ["a tuple with more behind it", z.tuple([z.string()], z.boolean()), "readonly [string, ...(boolean)[]]"],
  ["a record", z.record(z.string(), z.number()), "{ readonly [name: string]: number }"],
  [
    "fields of one type beside declared ones",
    z.object({ a: z.string() }).catchall(z.number()),
    '{ readonly "a": string; readonly [name: string]: (number) | (string) }',
  ],
  [
    "the same with one that may be missing",
    z.object({ a: z.number().optional() }).catchall(z.number()),
    '{ readonly "a"?: number; readonly [name: string]: (number) | (undefined) }',
  ],
  [
    "any fields beside declared ones",
    z.looseObject({ a: z.string() }),
    '{ readonly "a": string; readonly [name: string]: unknown }',
  ],
])("%s is typed as its values are", (_, schema, type) => {
  expect(toTypes({ It: toJsonSchema(schema) })).toBe(`export type It = ${type};\n`);
});
