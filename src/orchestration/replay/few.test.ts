import fc from "fast-check";
import { expect, it } from "vitest";
import { Few } from "./few.ts";

const name = fc.nat(12).map(String);
const act = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(fc.constant("set" as const), name, fc.nat()) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("delete" as const), name, fc.constant(0)) },
);

it("holds what a map would hold, in the same order, however many they are", () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 80 }), (acts) => {
      const few = new Few<number>();
      const map = new Map<string, number>();
      for (const [what, name, value] of acts) {
        if (what === "set") {
          few.set(name, value);
          map.set(name, value);
        } else expect(few.delete(name)).toBe(map.delete(name));
        expect(few.size).toBe(map.size);
        expect(few.values()).toEqual([...map.values()]);
        expect(few.get(name)).toBe(map.get(name));
        expect(few.has(name)).toBe(map.has(name));
      }
    }),
  );
});

it("may be emptied by whoever goes through it", () => {
  for (const count of [3, 30]) {
    const few = new Few<string>();
    for (let at = 0; at < count; at++) few.set(`${at}`, `${at}`);
    const seen: string[] = [];
    for (const value of few.values()) {
      seen.push(value);
      few.delete(value);
    }
    expect(seen).toHaveLength(count);
    expect(few.size).toBe(0);
  }
});
