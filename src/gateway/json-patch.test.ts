import fc from "fast-check";
import { expect, test } from "vitest";
import { applied } from "./apply-patch.test-d.ts";
import { toPatch } from "./json-patch.ts";

const value = fc.jsonValue({ maxDepth: 4 });
const keys = fc.constantFrom("a", "b/c", "d~e", "~1", "", "__proto__");
const record = fc.dictionary(keys, value, { maxKeys: 5 });

test("a patch leads from any JSON value to any other", () => {
  const any = fc.oneof(value, record, fc.array(record));
  fc.assert(
    fc.property(any, any, (before, after) => {
      expect(applied(before, toPatch(before, after))).toEqual(after);
    }),
  );
});

test("what is equal needs no patch", () => {
  fc.assert(
    fc.property(record, (same) => {
      expect(toPatch(same, structuredClone(same))).toEqual([]);
    }),
  );
});

test("an item that joins a list is one step, wherever it stands", () => {
  fc.assert(
    fc.property(fc.array(fc.nat()), fc.nat(), (items, at) => {
      const after = items.toSpliced(at % (items.length + 1), 0, -1);
      expect(toPatch({ items }, { items: after })).toEqual([
        { op: "add", path: expect.stringMatching(/^\/items\/\d+$/), value: -1 },
      ]);
    }),
  );
});

test("a field that is null is there, and one that is not there is not", () => {
  expect(toPatch({ a: 1, b: 2 }, { a: null })).toEqual([
    { op: "remove", path: "/b" },
    { op: "replace", path: "/a", value: null },
  ]);
});
