import fc from "fast-check";
import { distance } from "fastest-levenshtein";
import { describe, expect, test } from "vitest";
import { plain } from "../normalise/index.ts";
import { cluster, type Sighting } from "./cluster.ts";
import {
  around,
  type Comparator,
  exactly,
  jaroWinkler,
  levenshtein,
  metresBetween,
  nearby,
  within,
} from "./comparators.ts";
import { matching } from "./matching.ts";
import { score } from "./score.ts";

describe("how alike two values are", () => {
  test.each([
    // Winkler's own examples, from the table in "String Comparator Metrics" (1990)
    ["MARTHA", "MARHTA", 0.961],
    ["DWAYNE", "DUANE", 0.84],
    ["DIXON", "DICKSONX", 0.813],
    ["", "", 1],
    ["a", "", 0],
  ])("jaroWinkler of %s and %s is %f", (a, b, expected) => {
    expect(jaroWinkler(a, b)).toBeCloseTo(expected, 3);
  });

  test("levenshtein counts the edits that another library counts", () => {
    const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 12 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const longer = Math.max(a.length, b.length);
        expect(levenshtein(a, b)).toBeCloseTo(longer === 0 ? 1 : 1 - distance(a, b) / longer, 12);
      }),
    );
  });

  test("each is symmetric, from 0 to 1, and 1 for the same", () => {
    const place = fc.record({
      latitude: fc.double({ min: -90, max: 90, noNaN: true }),
      longitude: fc.double({ min: -180, max: 180, noNaN: true }),
    });
    const value = fc.oneof(fc.string(), fc.double(), place, fc.constant("2026-01-01"), fc.anything());
    const each = fc.constantFrom(exactly, jaroWinkler, levenshtein, within(5), nearby(1e6), around("1 day"));
    fc.assert(
      fc.property(value, value, each, (a, b, compare) => {
        const likeness = compare(a, b);
        expect(compare(b, a) ?? -1).toBeCloseTo(likeness ?? -1, 12);
        if (likeness === undefined) return;
        expect(likeness).toBeGreaterThanOrEqual(0);
        expect(likeness).toBeLessThanOrEqual(1);
        expect(compare(a, a)).toBeCloseTo(1, 12);
      }),
      { numRuns: 1_000 },
    );
  });

  test("distances are those of the globe", () => {
    const [london, paris] = [
      { latitude: 51.5007, longitude: -0.1246 },
      { latitude: 48.8584, longitude: 2.2945 },
    ];
    expect((metresBetween(london, paris) ?? 0) / 1_000).toBeCloseTo(340.6, 0);
    expect(metresBetween({ latitude: 0, longitude: 179.9 }, { latitude: 0, longitude: -179.9 })).toBeLessThan(22_300);
    expect(around("2 days")("2026-01-01", "2026-01-02")).toBe(0.5);
    expect(within(10)(1, 6)).toBe(0.5);
    expect(nearby(100)({ latitude: 1 }, { latitude: 1, longitude: 1 })).toBeUndefined();
  });
});

interface Shop {
  readonly code?: string;
  readonly name?: string;
  readonly position?: { readonly latitude: number; readonly longitude: number };
}
const shops = matching<Shop>({
  keys: [({ code }) => code],
  blocks: [({ name }) => plain(name)?.toString().slice(0, 2)],
  compare: [
    { of: ({ name }) => plain(name), by: jaroWinkler, weight: 2 },
    { of: ({ position }) => position, by: nearby(1_000) },
  ],
});
const at = (source: string, record: Shop): Sighting => ({ source, record });
const here = { latitude: 50, longitude: 8 };

describe("records", () => {
  test("that share a key are the same, however they are called", () => {
    const { groups } = cluster(shops, [at("a", { code: "1", name: "Xylo" }), at("b", { code: "1", name: "Bakery" })]);
    expect(groups).toHaveLength(1);
  });

  test("that are alike enough are the same, less alike ones are for a person, and others are not", () => {
    const sightings = [
      at("a", { name: "Café Müller", position: here }),
      at("b", { name: "Cafe Mueller", position: here }),
      at("c", { name: "Cafe Huber", position: { latitude: 50.003, longitude: 8 } }),
      at("d", { name: "Casa Blanca" }),
    ];
    const { groups, review } = cluster(shops, sightings);
    expect(groups.map((group) => group.map(({ source }) => source))).toEqual([["a", "b"], ["c"], ["d"]]);
    expect(review.map(({ left, right, why }) => [left.source, right.source, why])).toEqual([
      ["a", "c", "are alike, but not enough to be sure"],
      ["b", "c", "are alike, but not enough to be sure"],
    ]);
  });

  test("of one source are never put together for being alike, and that is said", () => {
    const { groups, review } = cluster(shops, [
      at("a", { name: "Bakery One", position: here }),
      at("a", { name: "Bakery One ", position: here }),
    ]);
    expect(groups).toHaveLength(2);
    expect(review[0]?.why).toContain("the same thing twice");
  });

  test("in a chain do not end in a group of strangers", () => {
    const near = matching<{ n: number }>({
      blocks: [() => "all"],
      compare: [{ of: ({ n }) => n, by: within(10) }],
      match: 0.9,
      review: 0.8,
    });
    const chain = [..."abcdefgh"].map((source, n) => ({ source, record: { n } }));
    const { groups } = cluster(near, chain);
    for (const group of groups) {
      const numbers = group.map(({ record }) => (record as { n: number }).n);
      expect(Math.max(...numbers) - Math.min(...numbers)).toBeLessThanOrEqual(2);
    }
    expect(groups.length).toBeGreaterThan(1);
  });

  test("of which little can be compared are at most for a person", () => {
    expect(score(shops, { position: here }, { position: here })).toBeLessThan(shops.match);
    expect(score(shops, { name: "Bakery" }, { name: "Bakery" })).toBe(1);
    expect(score(shops, {}, { name: "Bakery" })).toBeUndefined();
  });

  test("of a block that is too large are not compared, and that is said", () => {
    const many = Array.from({ length: 201 }, (_, n) => at("abc"[n % 3] ?? "", { name: `Shop ${n}`, position: here }));
    expect(cluster(shops, many).crowded).toEqual([{ block: "sh", records: 201 }]);
  });

  test("whose keys or fields cannot be read are records all the same", () => {
    const thrower = matching<Shop>({
      keys: [() => JSON.parse("{")],
      blocks: [() => "all"],
      compare: [{ of: ({ position }) => position?.latitude.toFixed(1), by: () => JSON.parse("{") }],
    });
    expect(cluster(thrower, [at("a", { position: here }), at("b", { position: here })]).groups).toHaveLength(2);
  });

  const shop = fc.record(
    {
      code: fc.constantFrom("1", "2", "3"),
      name: fc.constantFrom("Bakery", "Bakery One", "Bakrey", "Butcher", "Café Müller", "Cafe Mueller", "Cafe"),
      position: fc.constantFrom(here, { latitude: 50.003, longitude: 8 }, { latitude: 51, longitude: 8 }),
    },
    { requiredKeys: [] },
  );
  const sightings = fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), shop), { maxLength: 14 });

  test("are in one group each, and the groups do not depend on the order in which they came", () => {
    fc.assert(
      fc.property(
        sightings.chain((all) =>
          fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length })),
        ),
        ([all, shuffled]) => {
          const toSightings = (list: typeof all) => list.map(([source, record]) => at(source, record));
          const one = cluster(shops, toSightings(all));
          expect(JSON.stringify(cluster(shops, toSightings(shuffled)))).toBe(JSON.stringify(one));
          expect(one.groups.flat()).toHaveLength(all.length);
          for (const { left, right } of one.review)
            expect(one.groups.some((group) => group.includes(left) && group.includes(right))).toBe(false);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("are compared within their blocks alone: ten thousand take no longer than it takes to notice", () => {
    const many = Array.from({ length: 10_000 }, (_, n) =>
      at(n % 2 === 0 ? "a" : "b", { name: `${(n >> 1).toString(36).padStart(3, "0")} shop`, position: here }),
    );
    let compared = 0;
    const counting: Comparator = (a, b) => {
      compared += 1;
      return exactly(a, b);
    };
    const counted = matching<Shop>({
      blocks: [({ name }) => name?.slice(0, 3)],
      compare: [{ of: ({ name }) => name, by: counting }],
    });
    expect(cluster(counted, many).groups).toHaveLength(5_000);
    expect(compared).toBe(5_000);
  });
});

test("what cannot be meant is refused when it is declared", () => {
  const compare = [{ of: ({ name }: Shop) => name, by: jaroWinkler }];
  expect(() => matching({})).toThrow("there is neither");
  expect(() => matching({ compare })).toThrow("`blocks`");
  expect(() => matching({ compare, blocks: [() => "x"], match: 0.5 })).toThrow("no later than");
  expect(() => matching({ compare, blocks: [() => "x"], largestBlock: 1 })).toThrow("from 2 to");
  expect(() => matching({ compare: [{ ...compare[0], weight: 0 } as never], blocks: [() => "x"] })).toThrow("weight");
  expect(() => within(0)).toThrow("above 0");
});
