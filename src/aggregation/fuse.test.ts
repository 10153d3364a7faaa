import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { choose, type Offer } from "./fuse.ts";
import { json, type ListRule, source, union } from "./index.ts";
import type { Offered, PickOne } from "./rules.ts";
import { type Item, unite } from "./unite.ts";

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
/** The same, where some sources have said something else before. */
const revised = fc
  .tuple(offers, fc.array(fc.tuple(fc.constantFrom(...declared), values, fc.nat(2))))
  .map(([now, before]): readonly Offer[] => [
    ...now.map((offer) => ({ ...offer, revision: 2 })),
    ...before.map(([name, value, revision]) => ({ source: name, value, revision })),
  ]);
const hows = [
  { by: "prefer" },
  { by: "latest" },
  { by: "majority" },
  { by: "majority", comparing: (value: unknown) => JSON.stringify(value).toLowerCase() },
  { by: "quorum", least: 2 },
  { by: "mostComplete" },
  { by: "longest" },
  { by: "min" },
  { by: "max" },
  { by: "rule", own: { name: "the third", pick: (candidates: readonly Offered[]) => candidates[2] } },
] satisfies Parameters<typeof choose>[0][];
const withShuffled = <T>(list: fc.Arbitrary<readonly T[]>) =>
  list.chain((items) =>
    fc.tuple(fc.constant(items), fc.shuffledSubarray([...items], { minLength: items.length, maxLength: items.length })),
  );

describe("a rule is a function of a set", () => {
  test.each(hows)("$by does not depend on who answered first, nor on what came before a newer revision", (how) => {
    fc.assert(
      fc.property(withShuffled(revised), ([came, shuffled]) => {
        expect(JSON.stringify(choose(how, declared, shuffled))).toBe(JSON.stringify(choose(how, declared, came)));
      }),
    );
  });

  test("of what one source says several times, the newest revision counts alone", () => {
    fc.assert(
      fc.property(fc.subarray(declared, { minLength: 1 }), fc.constantFrom(...hows), (names, how) => {
        const old = names.map((name): Offer => ({ source: name, value: "old", revision: 1, asOf: 9_000 }));
        const now = names.map((name): Offer => ({ source: name, value: name, revision: 2, asOf: 1 }));
        expect(choose(how, declared, [...now, ...old])).toEqual(choose(how, declared, now));
      }),
    );
  });

  test("a choice never mixes two sources: what is chosen is one whole offer", () => {
    fc.assert(
      fc.property(offers, fc.constantFrom(...hows), (came, how) => {
        const choice = choose(how, declared, came);
        if (choice?.chosen) expect(came).toContain(choice.chosen);
        expect((choice?.rejected.length ?? 0) + (choice?.chosen ? 1 : 0)).toBe(came.length);
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
    expect(choose({ by: "latest" }, declared, [offer("a", 1, 5), offer("b", 2, 9)])?.chosen?.source).toBe("b");
    expect(choose({ by: "latest" }, declared, [offer("b", 2, 9), offer("a", 1, 9)])?.chosen?.source).toBe("a");
    expect(choose({ by: "latest" }, declared, [offer("a", 1), offer("b", 2, -9)])?.chosen?.source).toBe("b");
  });

  test("majority takes what most say, however its fields are ordered", () => {
    const choice = choose({ by: "majority" }, declared, [
      offer("a", "x"),
      offer("b", { p: 1, q: 2 }),
      offer("c", { q: 2, p: 1 }),
    ]);
    expect(choice?.chosen?.source).toBe("b");
    expect(choice?.rejected.map(({ why, differs }) => ({ why, differs }))).toEqual([
      { why: "is outvoted 2 to 1", differs: true },
      { why: "agrees", differs: false },
    ]);
  });

  const chosenBy = (how: Parameters<typeof choose>[0], offers: readonly Offer[]) => {
    const choice = choose(how, declared, offers);
    return [choice?.chosen?.source, ...(choice?.rejected.map(({ why }) => why) ?? [])];
  };

  test("a quorum takes what enough of them say, and otherwise nothing", () => {
    const offers = [offer("a", "x"), offer("b", "y"), offer("c", "y")];
    expect(chosenBy({ by: "quorum", least: 2 }, offers)).toEqual(["b", "is outvoted 2 to 1", "agrees"]);
    expect(chosenBy({ by: "quorum", least: 3 }, offers)).toEqual([
      undefined,
      "has 1 of the 3 votes that it needs",
      "has 2 of the 3 votes that it needs",
      "has 2 of the 3 votes that it needs",
    ]);
    expect(chosenBy({ by: "quorum", least: 2 }, [offer("a", "x")])[0]).toBeUndefined();
  });

  test("mostComplete counts what is filled in at every depth, and blank text is not", () => {
    const rich = { name: "A", address: { street: "S", city: "C" } };
    const poor = { name: "A", address: { street: " ", city: null }, tags: [] };
    expect(chosenBy({ by: "mostComplete" }, [offer("a", poor), offer("b", rich)])).toEqual([
      "b",
      "is less complete than b",
    ]);
    expect(chosenBy({ by: "mostComplete" }, [offer("a", "x"), offer("b", "yy")])[0]).toBe("a");
  });

  test("longest counts characters and items, and what has no length comes last", () => {
    expect(chosenBy({ by: "longest" }, [offer("a", "😀😀"), offer("b", "abc")])[0]).toBe("b");
    expect(chosenBy({ by: "longest" }, [offer("a", 99_999), offer("b", "")])).toEqual(["b", "is shorter than b"]);
    expect(chosenBy({ by: "longest" }, [offer("a", ["x"]), offer("b", ["x", "y"])])[0]).toBe("b");
  });

  test("min and max go by size, by time and by code unit", () => {
    const numbers = [offer("a", 10), offer("b", 9), offer("c", 9)];
    expect(chosenBy({ by: "min" }, numbers)).toEqual(["b", "is greater than b", "is the same as b"]);
    expect(chosenBy({ by: "max" }, numbers)[0]).toBe("a");
    expect(chosenBy({ by: "max" }, [offer("a", new Date(1)), offer("b", new Date(2))])[0]).toBe("b");
    expect(chosenBy({ by: "min" }, [offer("a", "b"), offer("b", "B")])[0]).toBe("b");
  });

  test("comparing decides who agrees, and not what is shown", () => {
    const comparing = (value: unknown): unknown => String(value).toLowerCase();
    const choice = choose({ by: "majority", comparing }, declared, [
      offer("a", "Hobby"),
      offer("b", "DALLAS"),
      offer("c", "Dallas"),
    ]);
    expect(choice?.chosen?.value).toBe("DALLAS");
    expect(choice?.rejected.map(({ differs }) => differs)).toEqual([true, false]);
    const thrower = { by: "prefer", comparing: () => fail() } as const;
    expect(choose(thrower, declared, [offer("a", 1), offer("b", 2)])?.rejected[0]?.differs).toBe(true);
  });

  test("a rule of one's own that throws, or takes what it was not shown, takes nothing and says so", () => {
    const own = (pick: PickOne) =>
      choose({ by: "rule", own: { name: "mine", pick } }, declared, [offer("b", 2), offer("a", 1)]);
    expect(own((candidates) => candidates.find(({ value }) => value === 2))?.chosen?.source).toBe("b");
    expect(own(() => undefined)).toMatchObject({ rejected: [{ why: 'the rule "mine" takes none' }, {}] });
    expect(own(() => ({ source: "a", value: 1 }))).toMatchObject({ broken: "took what it was not shown" });
    expect(own(fail)).toMatchObject({ broken: "threw RangeError", rejected: [{}, {}] });
    expect(own((candidates) => Object.assign(candidates[0] ?? {}, { value: 3 }) as Offered)).toMatchObject({
      broken: "threw TypeError",
    });
  });

  test("an order puts what lacks the field last, both ways round, and limits last", () => {
    const list = source("list", { get: json("https://l.test", z.array(z.object({ n: z.number().optional() }))) });
    const items = [{ n: 2 }, {}, { n: 10 }, { n: 1 }].map((value, revision) => ({ source: "list", revision, value }));
    expect(unite(union(list).limit(3).orderBy("-n").plan, items)).toEqual([{ n: 10 }, { n: 2 }, { n: 1 }]);
    expect(unite(union(list).orderBy("n").plan, items)).toEqual([{ n: 1 }, { n: 2 }, { n: 10 }, {}]);
  });
});

const fail = (): never => {
  throw new RangeError("no");
};
