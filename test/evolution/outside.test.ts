import { join } from "node:path";
import { expect, it } from "vitest";
import { Comparison } from "../../src/evolution/index.ts";
import { tableUnder } from "../markdown.ts";
import { catalogue } from "./catalogue.ts";
import { type Answer, askJsonSchemaDiff, openJsonCompat, pairsOf } from "./outside.ts";

const page = join(import.meta.dirname, "../../docs/decisions/0022-where-other-tools-say-otherwise.md");

it("differs from two outside tools exactly where the table says, and nowhere else", { timeout: 120_000 }, async () => {
  const askJsonCompat = await openJsonCompat();
  const words: { readonly [kind: string]: Answer } = {
    included: "yes",
    "not included": "no",
    "cannot tell": "cannot tell",
  };
  const differences: string[][] = [];
  const pairs = pairsOf(catalogue);
  for (const pair of pairs) {
    const ours = words[new Comparison().isIncluded(pair.inner, pair.outer).kind] ?? "";
    const theirs = [await askJsonSchemaDiff(pair), askJsonCompat(pair)];
    if (theirs.some((answer) => answer !== ours)) differences.push([pair.name, ours, ...theirs]);
  }
  const table = await tableUnder(page, "Where we differ");
  expect(differences).toEqual(table.map((row) => row.slice(0, 4)));
  expect(pairs.length).toBeGreaterThan(100);
});
