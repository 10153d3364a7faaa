import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { assemble } from "./assemble.ts";
import {
  json,
  latest,
  linked,
  longest,
  majority,
  max,
  min,
  mostComplete,
  prefer,
  quorum,
  rule,
  source,
  Unusable,
  union,
} from "./index.ts";
import type { Reading } from "./reading/reading.ts";
import type { FieldPlan } from "./rules.ts";

const Record = z.object({ name: z.string(), city: z.string(), seen: z.string() });
const dated = (name: string) => source(name, { get: json(`https://${name}.test`, Record), asOf: "seen" });
const [a, b, c] = [dated("a"), dated("b"), dated("c")] as const;
const lists = ["a", "b", "c"].map((name) => source(name, { get: json(`https://${name}.test`, z.array(Record)) }));
const [p, q] = lists;
if (!p || !q) throw new Error("There are three.");

const plans: readonly FieldPlan[] = [
  prefer(a, b, c).plan,
  latest(c, b, a).plan,
  majority(a, b, c).comparing((name: string) => name.trim()).plan,
  quorum(2, a, b, c).or("nobody").plan,
  mostComplete(a, b).plan,
  longest(b, a, c).plan,
  min(a, b, c).plan,
  max(a, b, c).plan,
  rule("the last", (candidates) => candidates.at(-1), a, b, c).plan,
  linked(latest(a, b, c), "name", "city").name.plan,
  union(p, q).dedupeBy("name").orderBy("-city").limit(2).plan,
];
const cell = fc.oneof(
  fc.constantFrom("x", "x ", "yy", "", 1, 2, null, undefined),
  fc.constant(new Unusable("is no name")),
);
const record = fc.record({ name: cell, city: cell }, { requiredKeys: [] });
const value = fc.oneof(record, fc.array(record, { maxLength: 4 }));
const reading = (name: string): fc.Arbitrary<Reading> =>
  fc.oneof(
    fc.record({ value, asOf: fc.constantFrom(1_000, 2_000), state: fc.constantFrom("fresh", "stale") }).map(
      ({ value, asOf, state }): Reading => ({
        source: name,
        value,
        asOf,
        meta: { state: state as "fresh", ms: 1, attempts: 1, ageMs: 5 },
      }),
    ),
    fc
      .constantFrom("missing" as const, "invalid" as const, "down" as const)
      .map((state): Reading => ({ source: name, meta: { state, ms: 1, attempts: 1 } })),
  );
const readings = fc.tuple(reading("a"), reading("b"), reading("c"));

describe("a field of an answer", () => {
  test("has the same bytes, provenance included, whoever answered first", () => {
    fc.assert(
      fc.property(
        readings,
        fc.constantFrom(...plans),
        fc.shuffledSubarray([0, 1, 2], { minLength: 3 }),
        (all, plan, order) => {
          const inOrder = assemble("name", plan, new Map(all.map((each) => [each.source, each])));
          const shuffled = order.map((at) => all[at] as Reading);
          const otherwise = assemble("name", plan, new Map(shuffled.map((each) => [each.source, each])));
          expect(JSON.stringify(otherwise)).toBe(JSON.stringify(inOrder));
        },
      ),
      { numRuns: 500 },
    );
  });

  test("never takes what could not be normalised, and says what was wrong with it without saying what it was", () => {
    fc.assert(
      fc.property(readings, fc.constantFrom(...plans.slice(0, -1)), (all, plan) => {
        const { value, meta } = assemble("name", plan, new Map(all.map((each) => [each.source, each])));
        expect(value).not.toBeInstanceOf(Unusable);
        const named = new Set(plan.sources.map(({ name }) => name));
        for (const { source: name, value } of all.filter((each) => named.has(each.source))) {
          if (!((value as { name?: unknown } | undefined)?.name instanceof Unusable)) continue;
          const rejected = meta.rejected.find((one) => one.source === name);
          // of linked fields the source may have been chosen for the others
          if (meta.source !== name && rejected)
            expect(rejected).toEqual({ source: name, why: "is no name", unusable: true });
        }
      }),
      { numRuns: 500 },
    );
  });

  const said = (...values: unknown[]): Map<string, Reading> =>
    new Map(
      values.map((name, at) => {
        const source = "abc"[at] ?? "";
        return [source, { source, value: { name }, meta: { state: "fresh", ms: 1, attempts: 1 } }];
      }),
    );

  test("is invalid where all that was said is unusable, and takes its default where it has one", () => {
    const broken = said(new Unusable("is no name"), null);
    expect(assemble("name", prefer(a, b).plan, broken)).toMatchObject({ meta: { state: "invalid", conflict: false } });
    expect(assemble("name", prefer(a, b).or("?").plan, broken)).toMatchObject({
      value: "?",
      meta: { state: "default" },
    });
  });

  test("is missing where no quorum came about, with what everybody said", () => {
    expect(assemble("name", quorum(2, a, b).plan, said("x", "y"))).toEqual({
      meta: {
        state: "missing",
        rule: "quorum(2, a, b)",
        conflict: true,
        rejected: [
          { source: "a", value: "x", why: "has 1 of the 2 votes that it needs" },
          { source: "b", value: "y", why: "has 1 of the 2 votes that it needs" },
        ],
      },
    });
  });

  test("is invalid where a rule of one's own throws, and the answer goes on", () => {
    const thrower = rule("mine", () => JSON.parse("{"), a, b);
    expect(assemble("name", thrower.plan, said("x", "y")).meta).toMatchObject({
      state: "invalid",
      rule: 'rule("mine", a, b)',
      rejected: [{ why: 'the rule "mine" threw SyntaxError' }, {}],
    });
  });

  test("has no conflict where two say the same in other words", () => {
    const loosely = prefer(a, b).comparing((name: string) => name.toLowerCase());
    expect(assemble("name", loosely.plan, said("Dallas", "DALLAS")).meta.conflict).toBe(false);
    expect(assemble("name", prefer(a, b).plan, said("Dallas", "DALLAS")).meta.conflict).toBe(true);
  });
});

test("a quorum that cannot come about is refused when it is declared", () => {
  expect(() => quorum(3, a, b)).toThrow("from 1 to 2");
});
