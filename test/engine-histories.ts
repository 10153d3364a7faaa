import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { type Choices, playAgainstModel, raceForOneOrder } from "trilith/testing";
import type { Collection, Engine, Write } from "../src/storage/host.ts";

/** Histories that fast-check draws, and makes as short as can be when one of them fails. */
export async function checkHistories(engine: Engine, numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(decisions, (drawn) => playAgainstModel(engine, `told-${randomUUID()}`, toChoices(drawn))),
    { numRuns },
  );
}

/** The same for appends that come all at once, on as many engines as there are. */
export async function checkRaces(engines: readonly Engine[], numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(decisions, (drawn) => raceForOneOrder(engines, `raced-${randomUUID()}`, toChoices(drawn))),
    { numRuns },
  );
}

/** Readers' steps of many writes to few documents leave what the same writes leave that are steps of their own. */
export async function checkSteps(engine: Engine, numRuns: number): Promise<void> {
  const { epoch } = await engine.head("main");
  const property = fc.asyncProperty(fc.array(fc.array(change, { maxLength: 12 }), { maxLength: 6 }), async (steps) => {
    const [together, apart] = [randomUUID(), randomUUID()];
    for (const name of [together, apart]) await engine.define({ ...people, name });
    const positions = new Map<string, number>();
    const step = async (collection: string, changes: readonly Change[]): Promise<void> => {
      const from = positions.get(collection) ?? 0;
      positions.set(collection, from + 1);
      const place = { log: "main", reader: collection, epoch, from, position: from + 1 };
      const writes = changes.map((one) => ({ collection, ...one }) as Write); // the two are a write together
      assert.equal(await engine.commit(place, writes), true);
    };
    for (const changes of steps) {
      await step(together, changes);
      for (const one of changes) await step(apart, [one]);
    }
    const [left, right] = await Promise.all([together, apart].map((name) => engine.find(name, { limit: 100 })));
    assert.deepEqual(left, right);
    const where = { age: { from: 1 } };
    const [found, expected] = await Promise.all(
      [together, apart].map((name) => engine.find(name, { where, limit: 100 })),
    );
    assert.deepEqual(found, expected);
  });
  await fc.assert(property, { numRuns });
}

type Change = Write extends infer One ? (One extends Write ? Omit<One, "collection"> : never) : never;
const people: Collection = {
  name: "",
  columns: [
    { name: "city", type: "text" },
    { name: "age", type: "number" },
  ],
  indexes: [["age"]],
};
const key = fc.constantFrom("ada", "bob", "\u0000\u0001");
const data = fc.record(
  {
    city: fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom(null, "\u0000", "\u0001")),
    age: fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 })),
    more: fc.jsonValue({ maxDepth: 2, noUnicodeString: false }),
  },
  { requiredKeys: [] },
);
const by = fc.record(
  { age: fc.oneof(fc.integer({ min: -9, max: 9 }), fc.double({ noNaN: true, min: -9, max: 9 })), visits: fc.nat(3) },
  { requiredKeys: [] },
);
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ put: key, data }),
  fc.record({ patch: key, data }),
  fc.record({ increment: key, by, initial: data }),
  fc.record({ remove: key }),
);

const decisions = fc.array(fc.nat(), { minLength: 1, maxLength: 400, size: "max" });

/** What was drawn, decision by decision, and the first of all possibilities after that. */
function toChoices(drawn: readonly number[]): Choices {
  let next = 0;
  return {
    get ended() {
      return next >= drawn.length;
    },
    below: (limit) => (drawn[next++] ?? 0) % limit,
  };
}
