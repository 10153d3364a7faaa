import fc from "fast-check";
import { expect, test } from "vitest";
import { fromJsonText, fromText, toJsonText, toText } from "./text.ts";

const anyText = fc.string({ unit: fc.constantFrom("\0", "\u0001", "\u0002", "\\", '"', "u0000", "a", "é", "😀") });
const bytes = (text: string): Buffer => Buffer.from(text);

test("every text comes back, without U+0000 on the way", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(toText(text)).not.toContain("\0");
      expect(fromText(toText(text))).toBe(text);
    }),
  );
});

test("texts keep their order, by bytes", () => {
  fc.assert(
    fc.property(anyText, anyText, (a, b) => {
      expect(Math.sign(Buffer.compare(bytes(toText(a)), bytes(toText(b))))).toBe(
        Math.sign(Buffer.compare(bytes(a), bytes(b))),
      );
    }),
  );
});

test("every document comes back, without an escape of U+0000 on the way, in its values and in its names", () => {
  // V8 13.6 takes {"a":1,"\\n":1} for {"a":1,"\\\\":1} where it has just read that one; so no name ends so.
  const name = anyText.filter((text) => !text.endsWith("\\"));
  const value = fc.letrec((tie) => ({
    value: fc.oneof(anyText, fc.integer(), fc.constant(null), fc.array(tie("value"), { maxLength: 3 }), tie("object")),
    object: fc.dictionary(name, tie("value"), { maxKeys: 3 }),
  })).object;
  fc.assert(
    fc.property(value, (document) => {
      const kept = toJsonText(JSON.stringify(document));
      expect(kept.replaceAll("\\\\", "")).not.toContain("\\u0000");
      expect(fromJsonText(kept)).toEqual(JSON.parse(JSON.stringify(document)));
      expect(JSON.stringify(JSON.parse(kept), null, 0)).toBe(kept); // it is still JSON, and nothing else of it has changed
    }),
  );
});
