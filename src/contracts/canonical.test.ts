import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toCanonicalJson } from "./canonical.ts";

describe("toCanonicalJson", () => {
  it("sorts keys by code unit at every depth, keys that look like numbers too", () => {
    expect(toCanonicalJson({ b: { z: 1, a: [{ d: 1, c: 2 }] }, 9: 0, 10: 0, B: 0, "€": 0, "\ud83d\ude00": 0 })).toBe(
      '{"10":0,"9":0,"B":0,"b":{"a":[{"c":2,"d":1}],"z":1},"€":0,"😀":0}',
    );
  });

  it("keeps the order of lists", () => expect(toCanonicalJson([3, 1, 2])).toBe("[3,1,2]"));

  it("writes what JSON.stringify writes: nothing for undefined, ISO text for dates, null for what is no number", () => {
    expect(toCanonicalJson({ a: undefined, at: new Date(0), n: Number.NaN, list: [undefined], minus: -0 })).toBe(
      '{"at":"1970-01-01T00:00:00.000Z","list":[null],"minus":0,"n":null}',
    );
    expect(toCanonicalJson(undefined)).toBe("null");
  });

  it("keeps a field called __proto__", () => {
    expect(toCanonicalJson(JSON.parse('{"b":1,"__proto__":{"x":1}}'))).toBe('{"__proto__":{"x":1},"b":1}');
  });

  it("says the same of any two objects that differ in the order of their fields only, and reads back as it was", () => {
    const shuffled = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(shuffled)
        : typeof value === "object" && value !== null
          ? Object.fromEntries(
              Object.entries(value)
                .reverse()
                .map(([name, field]) => [name, shuffled(field)]),
            )
          : value;
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = toCanonicalJson(value);
        expect(toCanonicalJson(shuffled(value))).toBe(text);
        expect(text).toBe(toCanonicalJson(JSON.parse(text)));
        expect(JSON.stringify(JSON.parse(text))).toHaveLength(JSON.stringify(value).length);
      }),
    );
  });

  it("tells different values apart", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
        const alike = JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
        expect(toCanonicalJson(one) === toCanonicalJson(other)).toBe(alike);
      }),
    );
  });
});

/** Lists of pairs instead of objects: an oracle that shares nothing with the code. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return ["list", ...value.map(sorted)];
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? 0 : value;
  const names = Object.keys(value).sort();
  return ["object", ...names.map((name) => [name, sorted((value as { [name: string]: unknown })[name])])];
}
