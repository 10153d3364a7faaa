import { buildSchema, type GraphQLError, parse, specifiedRules, validate } from "graphql";
import { describe, expect, test } from "vitest";
import { toLimitRule } from "./limits.ts";

const schema = buildSchema(`
  type Query { tree(name: String): Tree, trees: [Tree!]! }
  type Tree { label: String, child: Tree, children: [Tree!] }
`);
const refusals = (text: string, limits = { depth: 4, cost: 100 }): readonly unknown[] =>
  validate(schema, parse(text), [toLimitRule(limits)]).map(({ extensions }) => extensions.code);
const costOf = (text: string): number => {
  const [error] = validate(schema, parse(text), [toLimitRule({ depth: 99, cost: 0 })]) as [GraphQLError];
  return Number(/costs (\S+),/.exec(error.message)?.[1]);
};

describe("a request", () => {
  test("may be as deep as the limit, and no deeper", () => {
    expect(refusals("{ tree { child { child { label } } } }")).toEqual([]);
    expect(refusals("{ tree { child { child { child { label } } } } }")).toEqual(["TooDeep"]);
    expect(
      refusals("{ tree { ... on Tree { child { ...A } } } } fragment A on Tree { child { child { label } } }"),
    ).toEqual(["TooDeep"]);
  });

  test.each([
    ["{ tree { label } }", 11],
    ["{ a: tree { label } b: tree { label } }", 22],
    ["{ trees { label child { label } } }", 40],
    ["{ trees { children { label } } }", 120],
    ["{ tree { ...A ...A } } fragment A on Tree { label }", 12],
    ["{ tree { __typename label } }", 12],
  ])("%s costs what stands in it", (text, cost) => expect(costOf(text)).toBe(cost));

  test("made of fragments that double at each level is measured at once, and refused", () => {
    const levels = 60;
    const fragments = Array.from(
      { length: levels },
      (_, at) => `fragment F${at} on Tree { ${at + 1 < levels ? `...F${at + 1} ...F${at + 1}` : "label"} }`,
    );
    const began = performance.now();
    expect(refusals(`{ tree { ...F0 } } ${fragments.join(" ")}`)).toEqual(["TooExpensive"]);
    expect(performance.now() - began).toBeLessThan(30_000);
  });

  test("with a fragment that contains itself is refused for that", () => {
    const text = parse("{ tree { ...A } } fragment A on Tree { label ...A }");
    const errors = validate(schema, text, [...specifiedRules, toLimitRule({ depth: 9, cost: 99 })]);
    expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining("within itself")]);
  });
});
