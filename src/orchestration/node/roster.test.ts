import fc from "fast-check";
import { expect, it } from "vitest";
import { Roster } from "./roster.ts";

const name = fc.constantFrom("a", "b", "c", "d");
const act = fc.record({ name, value: fc.option(fc.nat(), { nil: undefined }) });

it("a roster has what was put into it last, by each name, and nothing of what was taken out", () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 200 }), (acts) => {
      const roster = new Roster<{ readonly value: number }>();
      const model = new Map<string, { readonly value: number }>();
      for (const { name, value } of acts) {
        if (value === undefined) {
          roster.delete(name);
          model.delete(name);
        } else {
          const put = { value };
          roster.set(name, put);
          model.set(name, put);
        }
        expect(roster.size).toBe(model.size);
        for (const one of ["a", "b", "c", "d"]) {
          expect(roster.get(one)).toBe(model.get(one));
          expect(roster.has(one)).toBe(model.has(one));
        }
        expect(new Map(roster.entries())).toEqual(model);
      }
    }),
  );
});
