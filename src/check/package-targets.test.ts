import { expect, it } from "vitest";
import { starOf, targetsIn } from "./package-targets.ts";

const map = {
  ".": { types: "./index.d.ts", node: { import: "./node.js", default: "./other.js" } },
  "./a": ["./a.js", "./a2.js"],
  "./b/*": "./src/*/index.js",
  "./b/c/*": { default: "./c/*.js" },
  "./gone": null,
};

it.each([
  [".", ["./index.d.ts", "./node.js", "./other.js"]],
  ["./a", ["./a.js", "./a2.js"]],
  ["./b/x", ["./src/x/index.js"]],
  ["./b/c/y", ["./c/y.js"]], // the longer beginning
  ["./gone", []],
  ["./d", []],
])("%s may lead to all that its conditions name", (key, targets) => expect(targetsIn(map, key)).toEqual(targets));

it("a map may be a single target", () => {
  expect(targetsIn("./index.js", ".")).toEqual(["./index.js"]);
  expect(targetsIn({ import: "./index.js" }, ".")).toEqual(["./index.js"]);
  expect(targetsIn("./index.js", "./a")).toEqual([]);
});

it("a star stands for what is between its sides", () => {
  expect(starOf("#a/*.js", "#a/b/c.js")).toBe("b/c");
  expect(starOf("#a/*.js", "#a/.js")).toBe("");
  expect(starOf("#aa*aa", "#aaa")).toBeUndefined();
  expect(starOf("#a", "#a")).toBeUndefined();
});
