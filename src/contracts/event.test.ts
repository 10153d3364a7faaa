import { describe, expect, it } from "vitest";
import { z } from "zod";
import { event, type Upcast, upcast } from "./event.ts";

const First = z.object({ seat: z.string() });
const Second = z.object({ row: z.int(), letter: z.string() });
const Third = Second.extend({ deck: z.enum(["upper", "lower"]) });
const toSecond = upcast(First, ({ seat }) => ({ row: Number.parseInt(seat, 10), letter: seat.slice(-1) }));
const toThird = upcast(Second, (old) => ({ ...old, deck: "lower" as const }));

describe("an event", () => {
  it("is of version 1 and has no past, unless it says so", () => {
    expect(event(First)).toMatchObject({ kind: "event", version: 1, from: [] });
  });

  it("keeps its upcasters in the order in which they are applied", () => {
    const { version, from } = event(Third, { version: 3, from: [toSecond, toThird] });
    expect(version).toBe(3);
    expect(from.reduce<unknown>((old, { up }) => up(old), { seat: "12C" })).toEqual({
      row: 12,
      letter: "C",
      deck: "lower",
    });
    expect(from.map(({ schema }) => schema)).toEqual([First, Second]);
  });

  it.each([
    [3, [toSecond], "An event of version 3 needs 2 upcasters, one from each earlier version; there are 1."],
    [1, [toSecond], "An event of version 1 needs 0 upcasters, one from each earlier version; there are 1."],
    [2, [], "An event of version 2 needs 1 upcasters, one from each earlier version; there are 0."],
    [0, [], "An event of version 0 needs -1 upcasters, one from each earlier version; there are 0."],
  ] as const)("refuses version %i with a chain that does not lead there", (version, from, sentence) => {
    expect(() => event(Second, { version, from })).toThrow(sentence);
  });

  it("does not change when the list does that it was made from, and cannot be changed itself", () => {
    const from: [typeof toSecond, ...Upcast[]] = [toSecond];
    const declared = event(Second, { version: 2, from: from as [typeof toSecond] });
    from.push(toThird);
    expect(declared.from).toHaveLength(1);
    expect([declared, declared.from, toSecond].every(Object.isFrozen)).toBe(true);
  });
});
