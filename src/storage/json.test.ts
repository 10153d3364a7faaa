import fc from "fast-check";
import { expect, test } from "vitest";
import { toJson } from "./json.ts";

test("whatever JSON can say comes back as it was written", () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
      fc.pre(!JSON.stringify(value).includes("__proto__"));
      // JSON has one zero.
      const positive = JSON.parse(JSON.stringify(value));
      expect(JSON.parse(toJson(value, "A value"))).toStrictEqual(positive);
    }),
  );
  for (const text of ["\u0000", "𝒳", "\u2028", '"\\'])
    expect(JSON.parse(toJson({ [text]: text }, "A value"))).toStrictEqual({ [text]: text });
});

test.each([
  [[1, undefined], "/1 is undefined"],
  [new Array(2), "/0 is undefined"],
  [undefined, "the value is undefined"],
  [{ a: Number.NaN }, "/a is NaN"],
  [{ a: [Number.POSITIVE_INFINITY] }, "/a/0 is Infinity"],
  [{ a: () => 1 }, "/a is a function"],
  [{ a: 1n }, "/a is a bigint"],
  [{ a: Symbol("x") }, "/a is a symbol"],
  [{ a: new Date(0) }, "/a is a Date"],
  [{ a: new Map() }, "/a is a Map"],
  [{ a: "\ud800" }, "/a is text with half of a surrogate pair"],
  [{ "\udc00": 1 }, "half of a surrogate pair in its name"],
  [JSON.parse('{"a/b":{"__proto__":1}}'), "/a~1b/__proto__"],
  [{ a: { toJSON: () => 1 } }, "has a toJSON of its own"],
])("what would come back changed is refused with its place: %#", (value, sentence) => {
  expect(() => toJson(value, "The event x")).toThrow(sentence);
});

test("a value that contains itself, or nests too deep, is refused", () => {
  const round: { self?: unknown } = {};
  round.self = round;
  expect(() => toJson(round, "A value")).toThrow("contains itself");
  const nested = (depth: number): unknown => (depth === 0 ? 0 : [nested(depth - 1)]);
  expect(toJson(nested(100), "A value")).toContain("0");
  expect(() => toJson(nested(101), "A value")).toThrow("deeper than 100 levels");
});
