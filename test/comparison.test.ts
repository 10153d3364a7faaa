import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { blocksOf, fileOf } from "./markdown.ts";

const root = resolve(import.meta.dirname, "..");

it("shows the sagas of bench/sagas as they are, each in full, and counts their lines right", async () => {
  const page = join(root, "docs/comparison.md");
  const lines = new Map<string, number>();
  for (const block of await blocksOf(page, "docs/comparison.md")) {
    const file = fileOf(block);
    expect(file, block.at).toMatch(/^bench\/sagas\//);
    const code = (await readFile(join(root, file ?? ""), "utf8")).trimEnd();
    expect(block.text.slice(block.text.indexOf("\n") + 1), block.at).toBe(code);
    const [, system = ""] = /(trilith|dbos|restate|temporal)/.exec((file ?? "").slice("bench/sagas/".length)) ?? [];
    lines.set(system, (lines.get(system) ?? 0) + code.split("\n").length);
  }
  const text = await readFile(page, "utf8");
  const counted = ["trilith", "dbos", "restate", "temporal"].map((system) => lines.get(system));
  const row = /^\| files, lines .*$/m
    .exec(text)?.[0]
    .match(/\d, (\d+)/g)
    ?.map((cell) => Number(cell.slice(3)));
  expect(row).toEqual(counted);
});
