import fc from "fast-check";
import { expect, test } from "vitest";
import { checkStreamName, toStreamName } from "./stream-name.ts";

test("any text is an id, and no two ids share a stream", () => {
  const ids = fc.string({ unit: "binary", minLength: 1, maxLength: 60 });
  const halves = fc.constantFrom("\ud800", "\udc00", "a\ud800b", "%", "%d800", "\u0000", "%0000", "/", "a/b");
  const id = fc.oneof(ids, halves);
  fc.assert(
    fc.property(id, id, (a, b) => {
      expect(toStreamName("flight", a) === toStreamName("flight", b)).toBe(a === b);
      expect(toStreamName("flight", a).isWellFormed()).toBe(true);
    }),
  );
});

test("an ordinary id is seen in its stream as it is", () => {
  expect(toStreamName("flight", "UA 1/Zürich 𝒳")).toBe("flight/UA 1/Zürich 𝒳");
});

test.each(["flight", "flight/", "/x", "Flight/x", "", `flight/${"x".repeat(600)}`, "flight/\u0000", "flight/\ud800"])(
  "what is no stream's name is refused: %j",
  (name) => expect(() => checkStreamName(name)).toThrow(/stream/),
);

test("an empty or overlong id is refused with a sentence", () => {
  expect(() => toStreamName("flight", "")).toThrow("The id of a flight is text and not empty");
  expect(() => toStreamName("flight", "x".repeat(600))).toThrow("up to 512 bytes");
});
