// After a fail-over to a replica that lagged, others may have the revisions of what is lost.
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Entry, RunRow } from "../../src/orchestration/host.ts";
import { toFeedKeeping } from "../../src/runtime/feed-keeping.ts";
import { openRunJournal } from "../../src/runtime/run-journal.ts";
import type { Engine } from "../../src/storage/host.ts";
import { onPostgres, startPostgres, type TestPostgres } from "./world.ts";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 60_000);
afterAll(() => postgres.remove());

it("a node that acted a run out on entries that are lost is fenced, though others have their revisions now", async () => {
  await using world = await onPostgres(postgres);
  const [one, other] = [await world.engine(), await world.engine()];
  const { clock } = world;
  const at = clock.now();
  const principal = { id: "ann", kind: "key", scopes: [] } as const;
  const started: Entry = {
    ...({ type: "Started", operation: "jobs.do", version: 1, input: 1, digest: "d" } as const),
    ...{ principal, traceparent: "", at },
  };
  const begin: RunRow = {
    ...({
      run: "r",
      operation: "jobs.do",
      workflow: "jobs.do@1",
      state: "running",
      owner: null,
      wakeAt: null,
    } as const),
    ...{ startedAt: at, endedAt: null, startedBy: "ann", traceparent: "", reason: null },
  };
  const said = (value: string): Entry => ({ type: "Progress", value, at });
  const journal = await openRunJournal(one, clock);
  const append = (revision: number, ...entries: Entry[]) => journal.append("r", revision, entries, {});
  await journal.append("r", -1, [started], { begin });
  expect(await append(0, said("lost"), said("lost as well"))).toMatchObject({ position: expect.any(Number) });

  // Another node goes on from there.
  await lose((await other.read("runs", { after: 0, limit: 1 }))[0]?.position);
  const others = await openRunJournal(other, clock);
  await others.append("r", 0, [said("told"), said("told since")], {});

  expect(await append(2, said("decided on what is lost"))).toBe("fenced");
  expect((await others.read("r")).slice(1)).toEqual([said("told"), said("told since")]);
});

it("a node that holds a feed cannot keep its state once another one has its revision", async () => {
  await using world = await onPostgres(postgres);
  const [one, other] = [await world.engine(), await world.engine()];
  const { clock } = world;
  const keeping = (engine: Engine, node: string) =>
    toFeedKeeping({ engine, clock, node, leaseMs: 60_000, alone: false });
  const held = await keeping(one, "one").take("hourly");
  await held?.state.save("hourly", "kept");
  await lose(0);
  await other.append("views", [
    {
      id: randomUUID(),
      expect: [],
      events: [{ stream: "feed/hourly", type: "Taken", version: 1, data: '{"node":"other"}' }],
    },
  ]);
  await expect(held?.state.save("hourly", "over it")).rejects.toThrow("Another node has taken the feed");
});

/** What a replica that lagged knows, as it takes over. */
async function lose(after = 0): Promise<void> {
  const found = await postgres.query("select schemaname as schema from pg_tables where tablename = 'event'");
  for (const { schema } of found) await postgres.query(`delete from ${schema}.event where position > $1`, [after]);
  await postgres.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'trilith'");
}
