import { command, contract, event } from "trilith/contracts";
import { openPostgres } from "trilith/postgres";
import { entity, readModel, store, subscription } from "trilith/storage";
import { testStores } from "trilith/testing";
import { afterEach, expect, test, vi } from "vitest";
import { z } from "zod";
import { type CutOff, cutOff } from "./cut-off.ts";
import { startPostgres, type TestPostgres } from "./postgres.ts";

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

interface Pair {
  readonly primary: TestPostgres;
  readonly replica: TestPostgres;
  /** Leads to the one that writes, as a name or an address does in production. */
  readonly way: CutOff;
  readonly url: string;
  /** Between the two. */
  readonly stream: CutOff;
}
async function pair(): Promise<Pair> {
  const primary = await startPostgres();
  ends.push(() => primary.remove());
  const stream = await cutOff(primary.port);
  ends.push(() => stream.close());
  const replica = await primary.replica(stream.port);
  ends.push(() => replica.remove());
  const way = await cutOff(primary.port);
  ends.push(() => way.close());
  return { primary, replica, way, stream, url: primary.url.replace(String(primary.port), String(way.port)) };
}

const Line = z.object({ id: z.string(), text: z.string() });
const Notes = contract("notes", "1.0.0", { write: command({ input: Line }), Written: event(Line) });

/** Notes with an async read model, and somebody who is told of each. */
function toNotes() {
  const taken: number[] = [];
  const notes = entity("note", { events: Notes, state: z.object({}), initial: {}, evolve: { Written: () => ({}) } });
  const texts = readModel("text", {
    version: 1,
    kept: "async",
    events: Notes,
    row: Line,
    key: "id",
    on: { Written: (line, rows) => rows.put(line) },
  });
  const listener = subscription("listener", {
    events: Notes,
    handle: { Written: (_, { position }) => void taken.push(position) },
  });
  const parts = { notes, texts, listener };
  const declared = store(Notes, parts, {
    write: (line, { notes }) => notes(line.id).decide((_, { Written }) => Written(line)),
  });
  return { declared, taken };
}

const eventually = (check: () => Promise<void> | void) => vi.waitFor(check, { timeout: 60_000, interval: 20 });

test("a fail-over to a replica that lags is a new epoch, and readers stop with the reason instead of skipping", async () => {
  const { primary, replica, way, stream, url } = await pair();
  const said: string[] = [];
  const engine = await openPostgres({ url, report: (sentence) => said.push(sentence) });
  const { declared, taken } = toNotes();
  const stores = await testStores([declared], { engine });
  ends.push(() => stores.close().then(() => engine.close()));
  const write = async (from: number, to: number): Promise<void> => {
    for (let n = from; n <= to; n++) await stores.client(Notes).write({ id: `n${n}`, text: "Hello." });
  };
  const replicas = async () => (await engine.status()).replicas;

  await write(1, 5);
  await eventually(async () =>
    expect(await replicas()).toEqual([{ name: "replica", state: "streaming", behindBytes: 0 }]),
  );
  await replica.query("select pg_wal_replay_pause()");
  await write(6, 8);
  await eventually(async () => expect((await replicas())[0]?.behindBytes).toBeGreaterThan(0));
  await eventually(async () => {
    const [row] = await primary.query(
      "select flush_lsn >= pg_current_wal_flush_lsn() as there from pg_stat_replication",
    );
    expect(row.there).toBe(true); // it has got what it has not yet replayed
  });
  // From here on it gets nothing, and nobody waits for it.
  stream.cut();
  await eventually(async () => expect(await replicas()).toEqual([]));
  await write(9, 12);
  await eventually(async () => {
    const { readModels, subscriptions } = await stores.storage.status();
    expect([readModels[0]?.position, subscriptions[0]?.position, taken.length]).toEqual([12, 12, 12]);
  });

  await primary.stop("kill");
  way.lead(replica.port);
  const waiting = write(13, 13); // it comes upon a server that is read-only
  await new Promise((resolve) => setTimeout(resolve, 300));
  await replica.query("select pg_wal_replay_resume()");
  await replica.query("select pg_promote()");
  await waiting;

  expect(await engine.head("main")).toEqual({ epoch: 2, position: 9 });
  expect(said.join()).toContain('The log "main" is in epoch 2: it was at position 12 in epoch 1');
  await eventually(async () => {
    const { readModels, subscriptions } = await stores.storage.status();
    expect(readModels[0]?.stopped).toContain("which is in epoch 2 now");
    expect(subscriptions[0]?.stopped).toContain("it was restored, or failed over to a replica that lagged");
  });
  expect(taken).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);

  await stores.storage.rebuild("notes.text@1");
  await stores.storage.restart("notes.listener", 8);
  await write(14, 14);
  await eventually(async () => {
    const { readModels, subscriptions } = await stores.storage.status();
    expect([readModels[0]?.position, subscriptions[0]?.position]).toEqual([10, 10]);
  });
  expect(taken.slice(12)).toEqual([9, 10]);
  expect(await engine.check()).toEqual([]);
}, 120_000);

test("a fail-over to a replica that commits wait for loses nothing, and nobody notices more than a pause", async () => {
  const { primary, replica, way, url } = await pair();
  await primary.query("alter system set synchronous_standby_names = 'replica'");
  await primary.query("select pg_reload_conf()");
  const engine = await openPostgres({ url });
  const { declared, taken } = toNotes();
  const stores = await testStores([declared], { engine });
  ends.push(() => stores.close().then(() => engine.close()));
  const acknowledged: string[] = [];
  let writing = true;
  const writers = Array.from({ length: 8 }, async (_, client) => {
    for (let n = 0; writing; n++) {
      await stores.client(Notes).write({ id: `${client}-${n}`, text: "Hello." });
      acknowledged.push(`${client}-${n}`);
    }
  });
  await eventually(() => expect(acknowledged.length).toBeGreaterThan(200));
  await primary.stop("kill");
  const before = acknowledged.length;
  way.lead(replica.port);
  await replica.query("select pg_promote()");
  await eventually(() => expect(acknowledged.length).toBeGreaterThan(before + 200));
  writing = false;
  await Promise.all(writers);
  const { epoch, position } = await engine.head("main");
  expect({ epoch, position }).toEqual({ epoch: 1, position: acknowledged.length });
  await eventually(() => expect(new Set(taken).size).toBe(position));
  expect((await stores.storage.status()).readModels[0]).not.toHaveProperty("stopped");
}, 120_000);
