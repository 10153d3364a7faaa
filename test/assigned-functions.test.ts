import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Node, parseSync, Visitor } from "oxc-parser";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Where a function is written in the very place where it is assigned to a field: `a.b = () => c`. */
function assignedFunctions(file: string, text: string): readonly string[] {
  const found: string[] = [];
  const isFunction = (node: Node): boolean => /^(Arrow)?Function(Expression)?$/.test(node.type);
  const look = new Visitor({
    AssignmentExpression({ left, right, start }) {
      if (left.type === "MemberExpression" && isFunction(right))
        found.push(`${file}:${text.slice(0, start).split("\n").length}`);
    },
  });
  look.visit(parseSync(file, text).program);
  return found;
}

it("no function is written where it is assigned to a field: V8 puts it among the old, and it keeps all it can see (decision 80)", () => {
  expect(assignedFunctions("a.ts", "const f = () => 1;\na.b = f;\na.c(() => 2);\na.d = () => 3;")).toEqual(["a.ts:4"]);
  expect(assignedFunctions("a.ts", "class A { #b; c() { this.#b ??= function () {}; } }")).toEqual(["a.ts:1"]);
  const files = globSync("src/**/*.ts", { cwd: root }).filter((file) => !/\.test(-d)?\.ts$/.test(file));
  expect(files.length).toBeGreaterThan(300);
  expect(files.flatMap((file) => assignedFunctions(file, readFileSync(`${root}/${file}`, "utf8")))).toEqual([]);
});
