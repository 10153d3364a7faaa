import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startPostgres, type TestPostgres } from "../../../test/postgres.ts";
import type { Engine, StoredEvent } from "../../storage/host.ts";
import { openPostgres } from "./index.ts";

let postgres: TestPostgres;
const writers: ChildProcess[] = [];
beforeAll(async () => {
  postgres = await startPostgres();
}, 120_000);
afterEach(() => {
  for (const writer of writers.splice(0)) writer.kill("SIGKILL");
});
afterAll(() => postgres.remove());

interface Writer {
  readonly process: ChildProcess;
  /** What it has acknowledged (or, if it is early, will). */
  readonly ids: readonly string[];
  readonly up: Promise<unknown>;
  /** Its first acknowledgement. */
  readonly first: Promise<unknown>;
  /** Shoots it; throws where it had ended by itself. */
  kill(): Promise<void>;
  /** Lets it finish what it is at. */
  end(): Promise<void>;
}
function startWriter(schema: string, name: number, when = ""): Writer {
  const file = fileURLToPath(new URL("../../../test/postgres-writer.ts", import.meta.url));
  const child = spawn(
    process.execPath,
    ["--conditions=trilith-source", file, postgres.url, schema, String(name), when],
    { stdio: ["ignore", "pipe", "inherit", "ipc"] },
  );
  writers.push(child);
  const ids: string[] = [];
  const up = Promise.withResolvers<void>();
  const first = Promise.withResolvers<void>();
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
    if (line === "open") up.resolve();
    else if (line.length === 36) {
      ids.push(line);
      first.resolve();
    }
  });
  const closed = once(child, "close");
  closed.then(
    () => {
      up.reject(new Error(`The writer ${name} ended before it was there.`));
      first.reject(new Error(`The writer ${name} ended before anything of it was acknowledged.`));
    },
    () => {},
  );
  for (const { promise } of [up, first]) promise.catch(() => {}); // unless somebody waits for it
  return {
    process: child,
    ids,
    up: up.promise,
    first: first.promise,
    kill: async () => {
      child.kill("SIGKILL");
      const [code, signal] = await closed;
      if (signal !== "SIGKILL") throw new Error(`The writer ${name} had ended by itself, with ${code}.`);
    },
    end: async () => {
      child.send("end");
      await closed;
    },
  };
}

/** Follows the log by position alone; throws where a position is passed over, or comes twice. */
function follow(engine: Engine) {
  const seen: StoredEvent[] = [];
  const stop = new AbortController();
  const following = (async () => {
    while (!stop.signal.aborted) {
      const page = await engine.read("main", { after: seen.length, limit: 700 });
      for (const event of page) {
        if (event.position !== seen.length + 1)
          throw new Error(`After position ${seen.length} came ${event.position}.`);
        seen.push(event);
      }
      if (page.length === 0) await engine.watch("main", seen.length, stop.signal).catch(() => {});
    }
  })();
  const ended = following.then(
    () => undefined,
    (error: Error) => error,
  );
  return {
    seen,
    async end(): Promise<void> {
      const { position } = await engine.head("main");
      while (seen.length < position && !((await Promise.race([ended, pause(10)])) instanceof Error));
      stop.abort();
      const error = await ended;
      if (error instanceof Error) throw error;
    },
  };
}

/** Throws where something is there by half; says which of the acknowledged are not there. */
async function missing(
  engine: Engine,
  acknowledged: readonly string[],
  seen?: readonly StoredEvent[],
): Promise<string[]> {
  const events = seen ?? [];
  if (!seen) {
    const read = events as StoredEvent[]; // it is ours
    for (;;) {
      const page = await engine.read("main", { after: read.length, limit: 1_000 });
      if (page.length === 0) break;
      read.push(...page);
    }
  }
  const counts = new Map<string, number>();
  const revisions = new Map<string, number>();
  for (const [index, { id, stream, revision, position }] of events.entries()) {
    expect(position).toBe(index + 1);
    expect(revision).toBe((revisions.get(stream) ?? -1) + 1);
    revisions.set(stream, revision);
    counts.set(id.slice(0, 36), (counts.get(id.slice(0, 36)) ?? 0) + 1);
  }
  for (const [id, count] of counts) expect([id, count]).toEqual([id, 3]);
  await engine.define({ name: "counts", columns: [], indexes: [] });
  const [counted] = await engine.find("counts", { key: "all", limit: 1 });
  expect((counted?.data as { appends: number } | undefined)?.appends ?? 0).toBe(counts.size);
  expect(await engine.checkpoint("main", "r")).toEqual({ epoch: 1, position: events.length });
  return acknowledged.filter((id) => !counts.has(id));
}

test("a reader that follows positions misses nothing and sees nothing twice, while four processes write and one is killed", async () => {
  const schema = postgres.freshSchema();
  const engine = await openPostgres({ url: postgres.url, schema, connections: 2 });
  const started = [0, 1, 2, 3].map((name) => startWriter(schema, name));
  await Promise.all(started.map(({ up }) => up));
  const reader = follow(engine);
  await Promise.all(started.map(({ first }) => first));
  await pause(700);
  started[3]?.process.kill("SIGKILL");
  await pause(1_300);
  await Promise.all(started.slice(0, 3).map((writer) => writer.end()));
  await reader.end();
  const acknowledged = started.flatMap(({ ids }) => ids);
  expect(acknowledged.length).toBeGreaterThan(40);
  expect(await missing(engine, acknowledged, reader.seen)).toEqual([]);
  expect(await engine.check()).toEqual([]);
  await engine.close();
}, 120_000);

test("a client that is stopped in the middle of its appends holds nobody up", async () => {
  const schema = postgres.freshSchema();
  const engine = await openPostgres({ url: postgres.url, schema, connections: 2 });
  const writer = startWriter(schema, 0);
  await writer.up;
  let slowest = 0;
  for (let round = 0; round < 8; round++) {
    await pause(20 + Math.random() * 30);
    writer.process.kill("SIGSTOP");
    for (let n = 0; n < 10; n++) {
      const began = performance.now();
      const event = { stream: `mine/${round}`, type: "t.Said", version: 1, data: "1" };
      const id = `00000000-0000-7000-9000-${(round * 10 + n).toString(16).padStart(12, "0")}`;
      expect((await engine.append("main", [{ id, expect: [], events: [event] }]))[0]).toMatchObject({ ok: true });
      slowest = Math.max(slowest, performance.now() - began);
    }
    writer.process.kill("SIGCONT");
  }
  expect(slowest).toBeLessThan(1_000);
  await engine.close();
}, 120_000);

/** How often a writer is shot: CRASH_ROUNDS says otherwise. */
const rounds = Number(process.env.CRASH_ROUNDS ?? 100);

test(
  `after kill -9 of a writer at any moment, ${rounds} times, what was acknowledged is there and nothing is there by half`,
  async () => {
    const schema = postgres.freshSchema();
    const engine = await openPostgres({ url: postgres.url, schema, connections: 2 });
    const acknowledged: string[] = [];
    const appends = new Set<string>();
    let last: StoredEvent | undefined;
    const readOn = async (): Promise<void> => {
      for (;;) {
        const after: number = last?.position ?? 0;
        const page = await engine.read("main", { after, limit: 1_000 });
        for (const [index, event] of page.entries()) {
          expect(event.position).toBe(after + index + 1);
          appends.add(event.id.slice(0, 36));
        }
        if (page.length === 0) return;
        last = page.at(-1);
      }
    };
    // One is shot while the next is on its way and a third begins, as when a process is replaced by another.
    const running = [startWriter(schema, 0, "slow"), startWriter(schema, 1, "slow")];
    for (let round = 0; round < rounds; round++) {
      const [writer] = running.splice(0, 1) as [Writer]; // there are always two
      running.push(startWriter(schema, (round + 2) % 10, "slow"));
      if (round % 10 !== 9) await writer.up; // one in ten is shot while it opens, perhaps
      if (round % 2 === 0) await writer.first; // and every other one when it has something to lose
      await pause(Math.random() * 60);
      await writer.kill();
      await readOn();
      expect(writer.ids.filter((id) => !appends.has(id))).toEqual([]);
      acknowledged.push(...writer.ids);
    }
    for (const writer of running) await writer.kill();
    acknowledged.push(...running.flatMap(({ ids }) => ids));
    expect(acknowledged.length).toBeGreaterThanOrEqual(rounds / 2);
    await settled(engine);
    expect(await missing(engine, acknowledged)).toEqual([]);
    expect(await engine.check()).toEqual([]);
    await engine.close();
  },
  30_000 + 1_000 * rounds,
);

test("the check above can fail: an acknowledgement before the commit is caught by it", async () => {
  const schema = postgres.freshSchema();
  const engine = await openPostgres({ url: postgres.url, schema, connections: 2 });
  let lost: string[] = [];
  for (let round = 0; round < 8 && lost.length === 0; round++) {
    const writer = startWriter(schema, round, "early");
    await writer.up;
    await pause(Math.random() * 100);
    await writer.kill();
    await settled(engine);
    lost = await missing(engine, writer.ids);
  }
  expect(lost.length).toBeGreaterThan(0);
  await engine.close();
}, 120_000);

test("after kill -9 of the server, what was acknowledged is there; with commits that do not wait for the disk it is not", async () => {
  const schema = postgres.freshSchema();
  const acknowledged: string[] = [];
  const engine = await openPostgres({ url: postgres.url, schema, connections: 2 });
  const writer = startWriter(schema, 0);
  await writer.up;
  for (let round = 0; round < 3; round++) {
    const before = writer.ids.length;
    await expect.poll(() => writer.ids.length).toBeGreaterThan(before); // there is something to lose
    await pause(100 + Math.random() * 100);
    await postgres.stop("kill");
    await postgres.start();
  }
  await writer.end();
  acknowledged.push(...writer.ids);
  expect(await missing(engine, acknowledged)).toEqual([]);
  await engine.close();

  // A commit of the same table, on a connection that the engine has not set up.
  const last = await hastily(schema);
  await postgres.stop("kill");
  await postgres.start();
  const [row] = await postgres.query(`select max(position) as head from ${schema}.event`);
  expect(Number(row.head)).toBeLessThan(last);
}, 120_000);

/** Appends without waiting for the disk, and says which position it was told. */
async function hastily(schema: string): Promise<number> {
  await postgres.query(`alter database postgres set synchronous_commit = off`);
  const rows = await postgres.query(
    `insert into ${schema}.event (position, stream, revision, at, append, log, ix, type, data)
     select max(position) + 1, 0, 0, 0, gen_random_uuid(), log, 0, 1, '1' from ${schema}.event group by log returning position`,
  );
  return Number(rows[0].position);
}

/** What the killed client had sent may still be on its way through the server. */
async function settled(engine: Engine): Promise<void> {
  for (let before = -1; ; ) {
    const { position } = await engine.head("main");
    const busy = await postgres.query(
      "select from pg_stat_activity where application_name = 'trilith' and state = 'active' and query like '%.append\\_%'",
    );
    if (position === before && busy.length === 0) return;
    before = position;
    await pause(20);
  }
}
