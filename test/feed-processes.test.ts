// Feeds in real processes that are killed: on SQLite one after the other, on PostgreSQL two at once.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openPostgres } from "trilith/postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Out, systemClock } from "../src/contracts/index.ts";
import { toFeedKeeping } from "../src/runtime/feed-keeping.ts";
import { type NodeProcess, startNodeProcess } from "./chaos/processes.ts";
import { type Sightings, sightings, windowMs } from "./feeding-backend.ts";
import { until } from "./program.ts";
import { openDatabase, type TestDatabase } from "./shared-postgres.ts";

const file = fileURLToPath(new URL("./feeding-backend.ts", import.meta.url));
let folder: string;
let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await openDatabase();
  folder = await mkdtemp(join(tmpdir(), "trilith-feed-processes-"));
}, 120_000);
afterAll(async () => {
  await postgres.remove();
  await rm(folder, { recursive: true, force: true });
});

type State = "running" | "stuck" | "elsewhere" | "over";
async function metrics(node: NodeProcess): Promise<string> {
  if (!node.url || node.isStopped) return "";
  return fetch(`${node.url}/metrics`).then(
    (answer) => answer.text(),
    () => "", // it was killed meanwhile
  );
}
const isIn = async (node: NodeProcess, state: State): Promise<boolean> =>
  (await metrics(node)).includes(`trilith_feed_state{feed="sightings",state="${state}"} 1\n`);
const recordsOf = async (node: NodeProcess): Promise<number> =>
  [...(await metrics(node)).matchAll(/^trilith_feed_records_total\{.*\} (\d+)$/gm)].reduce(
    (sum, [, records]) => sum + Number(records),
    0,
  );

/** Each window once for each revision, the last one with all of its records; each record in its window or late, and once. */
async function expectWhole(node: NodeProcess): Promise<void> {
  const answer = await fetch(`${node.url}/told`);
  const { windows, late } = (await answer.json()) as Out<typeof Sightings.told.output>; // the gateway keeps to it
  const revisions = new Map<string, number[]>();
  const last = new Map<string, readonly number[]>();
  for (const { place, start, revision, ids } of windows) {
    const name = `${place} ${start}`;
    revisions.set(name, [...(revisions.get(name) ?? []), revision]);
    last.set(
      name,
      ids.toSorted((a, b) => a - b),
    ); // in the order in which they were told
  }
  for (const [name, own] of revisions) expect(own, name).toEqual(own.map((_, revision) => revision));
  expect(new Set(late).size).toBe(late.length);
  expect(late.length).toBeGreaterThan(10);
  expect(windows.length).toBeGreaterThan(last.size); // some were told again for what came late and not too late
  const expected = new Map<string, number[]>();
  for (const { id, place, at } of sightings.flat()) {
    if (late.includes(id)) continue;
    const name = `${place} ${Math.floor(at / windowMs) * windowMs}`;
    expected.set(
      name,
      [...(expected.get(name) ?? []), id].sort((a, b) => a - b),
    );
  }
  expect(last).toEqual(expected);
}

test("a process that is killed again and again tells each window once, and as the batch has it", {
  timeout: 120_000,
}, async () => {
  const node = await startNodeProcess({ TRILITH_DATA: folder, TRILITH_LOG: "fatal" }, file);
  try {
    let seen = 0;
    for (const more of [60, 250, 30]) {
      await until(async () => (await recordsOf(node)) >= seen + more, "The feed does not come on.");
      seen = await recordsOf(node);
      await sleep(Math.random() * 60);
      node.kill();
      await until(() => node.url === undefined, "It was not killed.");
      await until(() => node.url !== undefined, "It did not come up again.");
    }
    await until(() => isIn(node, "over"), "The feed did not come to its end.");
    await expectWhole(node);
  } finally {
    await node.end();
  }
});

test("of two nodes on PostgreSQL one runs a feed; when it is held or killed the other goes on, with nothing twice and nothing lost", {
  timeout: 120_000,
}, async () => {
  const environment = {
    TRILITH_POSTGRES: postgres.url,
    TRILITH_DATA: folder,
    TRILITH_LEASE: "1s",
    TRILITH_LOG: "fatal",
  };
  const nodes = await Promise.all([1, 2].map(() => startNodeProcess(environment, file)));
  const has = async (from: number, among = nodes): Promise<NodeProcess> => {
    let found: NodeProcess | undefined;
    await until(async () => {
      for (const node of among) if ((await recordsOf(node)) >= from) found = node;
      return found !== undefined;
    }, "No node has the feed.");
    return found as NodeProcess; // until it was found
  };
  try {
    const first = await has(80);
    const other = nodes.find((node) => node !== first) as NodeProcess; // there are two
    expect(await isIn(other, "elsewhere")).toBe(true);
    const thaw = first.freeze();
    await has(240, [other]);
    thaw(); // with what it had in hand
    await until(() => isIn(first, "elsewhere"), "The one that was held does not see that another has the feed.");
    other.kill();
    await has(480, [first]);
    await until(
      async () => (await Promise.all(nodes.map((node) => isIn(node, "over")))).includes(true),
      "It is not over.",
    );
    await expectWhole(first);
  } finally {
    await Promise.all(nodes.map((node) => node.end()));
  }
});

test("a node that lost its lease without noticing cannot write the state of a feed", { timeout: 120_000 }, async () => {
  const schema = postgres.freshSchema();
  const engines = await Promise.all([1, 2].map(() => openPostgres({ url: postgres.url, schema })));
  const [slow, quick] = engines.map((engine, at) =>
    toFeedKeeping({ engine, clock: systemClock, node: `node-${at}`, leaseMs: at === 0 ? 0 : 60_000, alone: false }),
  );
  const before = await slow?.take("f");
  await before?.state.save("f", "one");
  const after = await quick?.take("f"); // a lease of no time is over at once
  expect(await after?.state.load("f")).toBe("one");
  expect(await slow?.take("f")).toBeUndefined();
  expect(await slow?.holder("f")).toBe("node-1");
  await expect(before?.state.save("f", "two")).rejects.toThrow('Another node has taken the feed "f"');
  expect(await before?.renew()).toBe(false);
  await before?.release(); // and what is another's is not let go of
  await after?.state.save("f", "three");
  expect(await after?.state.load("f")).toBe("three");
  expect(await after?.renew()).toBe(true);
  await after?.release();
  expect(await quick?.holder("f")).toBeUndefined();
  expect(await slow?.take("f")).toBeDefined();
  await Promise.all(engines.map((engine) => engine.close()));
});
