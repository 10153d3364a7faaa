import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openPostgres } from "../../src/engines/postgres/index.ts";
import { toRunId } from "../../src/orchestration/journal/identity.ts";
import { nodeRows, runRows } from "../../src/runtime/run-collections.ts";
import { type NodeProcess, startNodeProcess } from "../chaos/processes.ts";
import { openDatabase, type TestDatabase } from "../shared-postgres.ts";

const file = fileURLToPath(new URL("./deployed-backend.ts", import.meta.url));
/** So long that no run can change hands because a lease is over. */
const leaseMs = 120_000;
/** So many at least: they come for as long as nodes are being replaced. */
const parcels = 60;
const stages = [0, 1, 2, 3, 4, 5];

let postgres: TestDatabase;
let folder: string;
beforeAll(async () => {
  postgres = await openDatabase();
  folder = await mkdtemp(join(tmpdir(), "trilith-deployment-"));
}, 120_000);
afterAll(async () => {
  await postgres.remove();
  await rm(folder, { recursive: true, force: true });
}, 120_000);

it("a rolling deployment under load loses no run and does nothing twice: each node that is told to stop hands its runs over", {
  timeout: 120_000,
}, async () => {
  await using ends = new AsyncDisposableStack();
  const start = async (name: string): Promise<NodeProcess> => {
    const own = { TRILITH_POSTGRES: postgres.url, TRILITH_LEASE: `${leaseMs}ms`, NODE_NAME: name };
    const others = { TRILITH_DATA: folder, TRILITH_LOG: "fatal", TRILITH_CONSOLE: "off", TRILITH_SHUTDOWN: "10s" };
    const node = await startNodeProcess({ ...own, ...others }, file);
    ends.defer(() => node.end());
    return node;
  };
  const engine = await openPostgres({ url: postgres.url, connections: 2 });
  ends.defer(() => engine.close());
  for (const collection of [runRows, nodeRows]) await engine.define(collection);
  const owners = async (): Promise<ReadonlySet<string>> => {
    const rows = await engine.find(runRows.name, { where: { owner: { from: "" } }, limit: 1_000 });
    return new Set(rows.map(({ data }) => (data as { readonly owner: string }).owner)); // the column holds texts
  };

  let fleet = [await start("old 1"), await start("old 2")];
  /** Behind a balancer: whichever node is there is asked, with the same key until it is answered. */
  const send = async (parcel: string): Promise<void> => {
    for (let tries = 0; tries < 4_000; tries++) {
      const { url } = fleet[tries % fleet.length] as NodeProcess; // one at least
      const answer = await fetch(`${url}/parcels`, {
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": parcel, prefer: "wait=0" },
        body: JSON.stringify({ parcel }),
      }).catch(() => undefined);
      if (answer && answer.status < 300) return;
      if (answer && answer.status < 500) throw new Error(await answer.text());
      await pause(25);
    }
    throw new Error(`${parcel} was not taken.`);
  };
  const names: string[] = [];
  let deployed = false;
  const sending = (async () => {
    while (!deployed || names.length < parcels) {
      const name = `parcel-${names.length}`;
      await send(name);
      names.push(name);
      await pause(50);
    }
  })();

  const tookMs: number[] = [];
  const deploying = async (): Promise<void> => {
    for (const number of [1, 2]) {
      await pause(400);
      const fresh = await start(`new ${number}`);
      const [old, ...others] = fleet as [NodeProcess, ...NodeProcess[]];
      fleet = [...others, fresh];
      await expect.poll(async () => (await owners()).size).toBeGreaterThan(0);
      const asked = performance.now();
      await old.end(); // SIGTERM, and it may take its 10 seconds
      tookMs.push(Math.round(performance.now() - asked));
      const nodes = new Set((await engine.find(nodeRows.name, { limit: 10 })).map(({ key }) => key));
      for (const owner of await owners()) expect(nodes, "whoever has runs is there").toContain(owner);
    }
  };
  await Promise.all([sending, deploying().finally(() => (deployed = true))]);
  console.info(`handed over and ended after ${tookMs.join(" and ")} ms, with actions of 150 ms under way`);

  const states = async (): Promise<readonly string[]> => {
    const keys = names.map((name) => toRunId("anonymous", "parcels.send", name));
    const rows = await Promise.all(keys.map((key) => engine.find(runRows.name, { key, limit: 1 })));
    return rows.map(([row]) => (row?.data as { readonly state?: string } | undefined)?.state ?? "lost");
  };
  for (const end = performance.now() + 60_000; (await states()).some((state) => state !== "done"); await pause(50))
    if (performance.now() > end) break;
  expect(new Set(await states())).toEqual(new Set(["done"]));

  const moved = new Map<string, number[]>();
  for (let after = 0; ; ) {
    const page = await engine.read("main", { after, limit: 500 });
    const last = page.at(-1);
    if (!last) break;
    after = last.position;
    for (const { data } of page) {
      const { parcel, stage } = JSON.parse(data) as { readonly parcel: string; readonly stage: number };
      moved.set(parcel, [...(moved.get(parcel) ?? []), stage]);
    }
  }
  expect(moved.size).toBe(names.length);
  for (const [parcel, its] of moved) expect(its, parcel).toEqual(stages);

  // A long lease: had a run been left behind, it would not have ended by now. Some did change hands on their way.
  const claims = await Promise.all(
    names.map(async (name) => {
      const stream = `run/${toRunId("anonymous", "parcels.send", name)}`;
      const entries = await engine.read("runs", { stream, from: 0, limit: 200 });
      return entries.some(({ data }) => data.includes('"Claimed"'));
    }),
  );
  expect(claims.filter((claimed) => claimed).length).toBeGreaterThan(0);
});
