import fc from "fast-check";
import { expect, test } from "vitest";
import { Register } from "./register.ts";

test("a register holds what a map holds, however often it is begun anew", () => {
  const steps = fc.array(fc.tuple(fc.constantFrom("a", "b", "c", "__proto__"), fc.option(fc.nat())), {
    minLength: 1,
    maxLength: 40,
  });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 200 }), (some, times) => {
      const register = new Register<number>();
      const map = new Map<string, number>();
      for (let time = 0; time < times; time++)
        for (const [name, value] of some) {
          if (value === null) register.delete(name);
          else register.set(name, value);
          if (value === null) map.delete(name);
          else map.set(name, value);
          expect(register.get(name)).toBe(map.get(name));
        }
      expect([...register.values()].sort()).toEqual([...map.values()].sort());
    }),
    { numRuns: 50 },
  );
});
