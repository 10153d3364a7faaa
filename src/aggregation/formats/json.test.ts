import fc from "fast-check";
import { expect, test } from "vitest";
import { readJson } from "./json.ts";

test.each([
  '{"a":1,"a":2}',
  '{"a":1,"\\u0061":2}',
  '[{"x":{"b":[],"b":[]}}]',
  '{"a\\"":1 , "a\\"" : 2}',
  '{"a":{"b":1},"a":{"c":1}}',
  '{ "" : 1, "": 1 }',
])("two fields of one name are refused: %s", (text) => expect(() => readJson(text)).toThrow("two fields of one name"));

test.each(['{"a":"b:\\"c\\":","c":["d:",":"]}', '"a:"', "[]", '{"\\\\":1,"\\"":2}', '["a" , {"b" : "c"}]'])(
  "what only looks like two is read: %s",
  (text) => expect(readJson(text)).toEqual(JSON.parse(text)),
);

test("whatever JSON can say is read, however it is spaced", () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), fc.constantFrom(0, 2, "\t"), (value, space) => {
      const text = JSON.stringify(value, null, space);
      if (text.includes("__proto__")) return;
      expect(readJson(text)).toEqual(JSON.parse(text));
    }),
    { numRuns: 500 },
  );
});

test("a field said twice is found, wherever it stands", () => {
  const inside = fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1, maxKeys: 5 });
  fc.assert(
    fc.property(inside, fc.jsonValue(), (object, other) => {
      const [name = ""] = Object.keys(object);
      const twice = `${JSON.stringify(object).slice(0, -1)},${JSON.stringify(name)}:${JSON.stringify(other)}}`;
      expect(() => readJson(`[1,{"in":${twice}}]`)).toThrow();
    }),
  );
});

test("a whole number that would be rounded stays exact, and only that", () => {
  expect(
    readJson('{"id":9007199254740993,"n":[-9007199254740993,1e300,120000000000000000000,9007199254740991,1.5]}'),
  ).toEqual({ id: 9007199254740993n, n: [-9007199254740993n, 1e300, 120000000000000000000, 9007199254740991, 1.5] });
  expect(readJson("9007199254740993")).toBe(9007199254740993n);
});
