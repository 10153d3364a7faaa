// What sources push to several nodes at once, on a real PostgreSQL: no node writes over what another one has seen.
import fc from "fast-check";
import { openPostgres } from "trilith/postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Candidate, outranks } from "../src/aggregation/host.ts";
import { systemClock } from "../src/contracts/index.ts";
import { openCandidates } from "../src/runtime/candidates.ts";
import { openDatabase, type TestDatabase } from "./shared-postgres.ts";

/** Those that a newer whole answer does not cover, in one order. */
function counting(candidates: readonly Candidate[]): readonly Candidate[] {
  const since = candidates.find(({ item }) => item === "")?.revision ?? Number.NEGATIVE_INFINITY;
  return candidates
    .filter(({ item, revision }) => item === "" || revision >= since)
    .sort((a, b) => (a.item < b.item ? -1 : 1));
}

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await openDatabase();
}, 120_000);
afterAll(() => postgres.remove());

test("candidates are the newest of each, whichever node they came to", { timeout: 120_000 }, async () => {
  const schema = postgres.freshSchema();
  const engines = await Promise.all([1, 2].map(() => openPostgres({ url: postgres.url, schema })));
  const nodes = await Promise.all(engines.map((engine) => openCandidates(engine, systemClock)));
  const change = fc.record({
    item: fc.constantFrom("", "", "a", "b"),
    revision: fc.nat(5),
    said: fc.option(fc.constantFrom('"x"', '"y"'), { nil: undefined }),
  });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
      const place = `place ${run++}`;
      const all = changes.map(
        ({ item, revision, said }): Candidate => ({
          place,
          item,
          at: 1,
          revision,
          ...(said !== undefined && { said }),
        }),
      );
      await Promise.all(all.map((one, at) => nodes[at % nodes.length]?.keep([one])));
      const newest = [...Map.groupBy(all, ({ item }) => item).values()].map((same) =>
        same.reduce((best, one) => (outranks(one, best) ? one : best)),
      );
      const expected = counting(newest);
      for (const node of nodes) expect(counting(await node.load(place))).toEqual(expected);
    }),
    { numRuns: 30 },
  );
  expect(await engines[0]?.check()).toEqual([]);
  await Promise.all(engines.map((engine) => engine.close()));
});
