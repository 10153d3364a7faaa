import fc from "fast-check";
import { expect, test } from "vitest";
import { toExactJson, toJson } from "./json.ts";

test("whatever JSON can say comes back as it was written", () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
      fc.pre(!JSON.stringify(value).includes("__proto__"));
      // JSON has one zero.
      const positive = JSON.parse(JSON.stringify(value));
      expect(JSON.parse(toJson(value, "A value"))).toStrictEqual(positive);
      expect(JSON.parse(toExactJson(positive, "A value"))).toStrictEqual(positive);
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
  [{ a: { [Symbol("x")]: 1 } }, "/a has fields under symbols"],
  [Object.defineProperty({}, "a", { value: 1 }), "the value has fields under symbols, or ones that are not enumerable"],
  [{ a: Object.assign([1], { b: 2 }) }, "/a is an array with properties of its own"],
  [{ a: Object.assign([1], { [Symbol("x")]: 2 }) }, "/a is an array with properties of its own"],
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

test("a field that is undefined is not there, as it is not there when it is read", () => {
  expect(toJson({ a: undefined, b: [{ c: undefined }] }, "A value")).toBe('{"b":[{}]}');
});

test.each([
  [-0, "the value is -0"],
  [{ a: [1, -0] }, "/a/1 is -0"],
  [{ a: { b: -0, c: 0 } }, "/a/b is -0"],
  [[{ x: 0.5 }, { "/": -0 }], "/1/~1 is -0"],
])("a fact holds no -0, for it would come back as 0: %#", (value, sentence) => {
  expect(() => toExactJson(value, "The event x")).toThrow(`The event x cannot be written: ${sentence}`);
  expect(toJson(value, "A row")).toContain("0"); // what is worked out from facts may
});

test("whatever comes back otherwise than it went in is refused, a zero and a missing field aside", () => {
  fc.assert(
    fc.property(fc.anything({ withSparseArray: true, withNullPrototype: false }), (value) => {
      let text: string;
      try {
        text = toExactJson(value, "A value");
      } catch (error) {
        expect((error as Error).message).toContain("cannot be written");
        return;
      }
      expect(JSON.parse(text)).toEqual(value);
    }),
  );
});
