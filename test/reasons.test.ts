import { glob, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseSync, Visitor } from "oxc-parser";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "..");

test("`any`, `as unknown as` and `!` have their reason in a comment on their line", async () => {
  const unexplained: string[] = [];
  for await (const file of glob(["src/**/*.{ts,tsx}", "console/src/**/*.{ts,tsx}", "examples/**/*.ts"], {
    cwd: root,
  })) {
    if (/\.test(-d)?\.ts$/.test(file)) continue;
    const text = await readFile(join(root, file), "utf8");
    const lines = text.split("\n");
    for (const at of placesIn(file, text)) {
      const line = text.slice(0, at).split("\n").length;
      if (!/\/\/ \S|\*\/|^\s*\*/.test(lines[line - 1] ?? "")) unexplained.push(`${file}:${line}`);
    }
  }
  expect(unexplained).toEqual([]);
});

/** Where a text gives up its types: the offsets in it. */
function placesIn(file: string, text: string): readonly number[] {
  const { program } = parseSync(file, text);
  const found: number[] = [];
  const visitor = new Visitor({
    TSAnyKeyword: ({ start }) => void found.push(start),
    TSNonNullExpression: ({ end }) => void found.push(end - 1),
    TSAsExpression: ({ expression, end }) => {
      if (expression.type === "TSAsExpression" && expression.typeAnnotation.type === "TSUnknownKeyword")
        found.push(end - 1);
    },
  });
  visitor.visit(program);
  return found;
}
