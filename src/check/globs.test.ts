import { expect, it } from "vitest";
import { toMatcher, toPattern } from "./globs.ts";

it.each([
  ["run/**", ["run/a.ts", "run/b/c.ts"], ["run.ts", "x/run/a.ts"]],
  ["run/", ["run/a.ts", "run/b/c.ts"], ["run", "runs/a.ts"]],
  ["**/*.test.ts", ["a.test.ts", "x/y/a.test.ts"], ["a.ts", "a.test.tsx"]],
  ["*.ts", ["a.ts"], ["x/a.ts", "ats"]],
  ["src/{a,b}/?.ts", ["src/a/x.ts", "src/b/y.ts"], ["src/c/x.ts", "src/a/xy.ts"]],
  ["a+b(c).ts", ["a+b(c).ts"], ["aab(c).ts", "a+bc.ts"]],
])("%s fits what it says and nothing else", (glob, fitting, others) => {
  for (const path of fitting) expect(path).toMatch(toPattern(glob));
  for (const path of others) expect(path).not.toMatch(toPattern(glob));
});

it("one of several patterns is enough, and none fits nothing", () => {
  expect(toMatcher(["a.ts", "b/**"])("b/c.ts")).toBe(true);
  expect(toMatcher([])("a.ts")).toBe(false);
});
