import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { choose, type Item, type Offer, unite } from "./fuse.ts";
import { json, type ListRule, source, union } from "./index.ts";

const declared = ["a", "b", "c", "d"];
const values = fc.oneof(
  fc.constantFrom("Dallas", "DALLAS", 1, 2, true),
  fc.record({ latitude: fc.constantFrom(1, 2), longitude: fc.constantFrom(3, 4) }),
);
const offers = fc
  .subarray(declared)
  .chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        fc
          .record({ value: values, asOf: fc.option(fc.constantFrom(0, 1_000, 2_000), { nil: undefined }) })
          .map(({ value, asOf }): Offer => ({ source: name, value, ...(asOf !== undefined && { asOf }) })),
      ),
    ),
  );
const withShuffled = <T>(list: fc.Arbitrary<readonly T[]>) =>
  list.chain((items) =>
    fc.tuple(fc.constant(items), fc.shuffledSubarray([...items], { minLength: items.length, maxLength: items.length })),
  );

describe("a rule is a function of a set", () => {
  test.each(["prefer", "latest", "majority"] as const)("%s does not depend on who answered first", (by) => {
    fc.assert(
      fc.property(withShuffled(offers), ([came, shuffled]) => {
        expect(JSON.stringify(choose(by, declared, shuffled))).toBe(JSON.stringify(choose(by, declared, came)));
      }),
    );
  });

  test("a choice never mixes two sources: what is chosen is one whole offer", () => {
    fc.assert(
      fc.property(offers, fc.constantFrom("prefer", "latest", "majority"), (came, by) => {
        const choice = choose(by, declared, came);
        if (choice) expect(came).toContain(choice.chosen);
        expect((choice?.rejected.length ?? -1) + 1).toBe(came.length);
      }),
    );
  });

  const items = fc.array(
    fc.record({
      source: fc.constantFrom("one", "two"),
      value: fc.record({
        flight: fc.constantFrom("A", "B", "C"),
        minutes: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
      }),
    }),
    { maxLength: 12 },
  );
  const numbered = items.map((list): readonly Item[] => list.map((item, revision) => ({ ...item, revision })));
  const Delays = z.array(z.object({ flight: z.string(), minutes: z.number() }));
  const one = source("one", { get: json("https://one.test", Delays) });
  const two = source("two", { get: json("https://two.test", Delays) });
  const rules: readonly ListRule<any, any, any>[] = [
    union(one, two),
    union(one, two).dedupeBy("flight"),
    union(one, two).dedupeBy("flight").orderBy("-minutes"),
    union(one, two).orderBy("minutes", "-flight").limit(3),
    union(one, two).dedupeBy("flight", "minutes").limit(2),
  ];

  test("a union does not depend on who answered first", () => {
    fc.assert(
      fc.property(withShuffled(numbered), fc.constantFrom(...rules), ([came, shuffled], { plan }) => {
        expect(JSON.stringify(unite(plan, shuffled))).toBe(JSON.stringify(unite(plan, came)));
      }),
    );
  });

  test("with an order, a union does not even depend on the order of each list", () => {
    fc.assert(
      fc.property(withShuffled(numbered), ([came, shuffled]) => {
        const { plan } = union(one, two).dedupeBy("flight").orderBy("-minutes");
        const renumbered = shuffled.map((item, revision) => ({ ...item, revision }));
        expect(JSON.stringify(unite(plan, renumbered))).toBe(JSON.stringify(unite(plan, came)));
      }),
    );
  });

  test("after dedupeBy no two items share the key, and the source named first wins", () => {
    fc.assert(
      fc.property(numbered, (came) => {
        const kept = unite(union(one, two).dedupeBy("flight").plan, came) as readonly { flight: string }[];
        expect(new Set(kept.map(({ flight }) => flight)).size).toBe(kept.length);
        for (const item of kept) {
          const rivals = came.filter(({ value }) => (value as { flight: string }).flight === item.flight);
          const mine = rivals.find(({ value }) => value === item);
          if (rivals.some(({ source }) => source === "one")) expect(mine?.source).toBe("one");
        }
      }),
    );
  });
});

describe("what each rule takes", () => {
  const offer = (name: string, value: unknown, asOf?: number): Offer => ({
    source: name,
    value,
    ...(asOf !== undefined && { asOf }),
  });

  test("latest takes the newest, ties go to the source named first, and one without an instant comes last", () => {
    expect(choose("latest", declared, [offer("a", 1, 5), offer("b", 2, 9)])?.chosen.source).toBe("b");
    expect(choose("latest", declared, [offer("b", 2, 9), offer("a", 1, 9)])?.chosen.source).toBe("a");
    expect(choose("latest", declared, [offer("a", 1), offer("b", 2, -9)])?.chosen.source).toBe("b");
  });

  test("majority takes what most say, however its fields are ordered", () => {
    const choice = choose("majority", declared, [
      offer("a", "x"),
      offer("b", { p: 1, q: 2 }),
      offer("c", { q: 2, p: 1 }),
    ]);
    expect(choice?.chosen.source).toBe("b");
    expect(choice?.rejected.map(({ why, differs }) => ({ why, differs }))).toEqual([
      { why: "is outvoted 2 to 1", differs: true },
      { why: "agrees", differs: false },
    ]);
  });

  test("an order puts what lacks the field last, both ways round, and limits last", () => {
    const list = source("list", { get: json("https://l.test", z.array(z.object({ n: z.number().optional() }))) });
    const items = [{ n: 2 }, {}, { n: 10 }, { n: 1 }].map((value, revision) => ({ source: "list", revision, value }));
    expect(unite(union(list).limit(3).orderBy("-n").plan, items)).toEqual([{ n: 10 }, { n: 2 }, { n: 1 }]);
    expect(unite(union(list).orderBy("n").plan, items)).toEqual([{ n: 1 }, { n: 2 }, { n: 10 }, {}]);
  });
});
