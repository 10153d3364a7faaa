import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openDatabase, type TestDatabase } from "../../test/shared-postgres.ts";
import { openPostgres } from "../engines/postgres/index.ts";
import { openSqlite } from "../engines/sqlite/index.ts";
import type { Engine, Place } from "./host.ts";
import { openOn, toFolder, toTallyStore } from "./test-kit.test-d.ts";

/** How often the process is shot. CRASH_ROUNDS=100 for a long night. */
const rounds = Number(process.env.CRASH_ROUNDS ?? 8);

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await openDatabase();
}, 120_000);
afterAll(() => postgres.remove());

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/**
 * Adds to a tally whose rows follow, and prints a line an acknowledged addition. `torn` has the rows and the checkpoint in
 * two commits, which is the mistake that this test is to find, and stands still for ever between the first two of them.
 */
const program = `
  const [, kitFile, storageFile, engineFile, opener, options, folder, torn] = process.argv;
  const { openOn, Tally, toChanged, toTallyStore } = await import(kitFile);
  const sound = await (await import(engineFile))[opener](JSON.parse(options));
  const engine = torn !== "torn" ? sound : toChanged(sound, {
    commit: async (checkpoint, writes) => {
      if (writes.length === 0) return sound.commit(checkpoint, []);
      await sound.append("main", [{ id: crypto.randomUUID(), expect: [], events: [], documents: writes }]);
      process.stdout.write("between\\n");
      return new Promise(() => {});
    },
  });
  const { subscription } = await import(storageFile);
  const { appendFileSync } = await import("node:fs");
  const take = (_, { position }) => appendFileSync(folder + "/taken", position + "\\n");
  const listener = subscription("listener", { events: Tally, handle: { Added: take } });
  const { flushCompileCache } = await import("node:module");
  flushCompileCache(); // who is killed keeps nothing by itself
  const backend = await openOn(engine, [toTallyStore(), listener]);
  for (let client = 0; client < 8; client++) void (async () => {
    for (;;) {
      await backend.call("tally.add", { id: "id" + client, amount: 1 });
      process.stdout.write("added\\n");
    }
  })();
`;

/** Where the program writes, and how this process looks at what it left. */
interface Ground {
  readonly folder: string;
  /** The engine's file, the function that opens it, and its options. */
  readonly opening: readonly [file: string, opener: string, options: object];
  open(): Promise<Engine>;
  /** Resolves once nothing of a killed process is on its way any more. */
  settle(): Promise<void>;
}
const onSqlite = (folder: string): Ground => ({
  folder,
  opening: ["../engines/sqlite/index.ts", "openSqlite", { folder }],
  open: () => openSqlite({ folder }),
  settle: async () => {},
});
function onPostgres(folder: string): Ground {
  const options = { url: postgres.url, schema: postgres.freshSchema(), connections: 3 };
  const sessions = "select from pg_stat_activity where datname = current_database() and application_name = 'trilith'";
  return {
    folder,
    opening: ["../engines/postgres/index.ts", "openPostgres", options],
    open: () => openPostgres(options),
    settle: async () => {
      while ((await postgres.query(sessions)).length > 0) await pause(10);
    },
  };
}

/** Lets the program run until it has acknowledged so much, and kills it in the middle of the next; a torn one, between two commits. */
async function shoot({ folder, opening, settle }: Ground, after: number | "torn"): Promise<void> {
  const [engineFile, opener, options] = opening;
  const [engine, ...files] = [engineFile, "./test-kit.test-d.ts", "./index.ts"].map(
    (file) => new URL(file, import.meta.url).href,
  );
  const flags = ["--conditions=trilith-source", "--input-type=module", "-e", program];
  const args = [...flags, ...files, engine as string, opener, JSON.stringify(options), folder, String(after)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  let acknowledged = 0;
  for await (const line of createInterface({ input: child.stdout }))
    if (after === "torn" ? line === "between" : ++acknowledged === after) child.kill("SIGKILL");
  await settle();
}

/** How many events there are, and how many the rows have counted once they have caught up. */
async function count({ open }: Ground): Promise<{ readonly events: number; readonly counted: number }> {
  const engine = await open();
  try {
    await using backend = await openOn(engine, [toTallyStore()]);
    const { position } = await engine.head("main");
    const rows = (await backend.call("tally.all", { position })) as { adds: number; sum: number }[];
    for (const { adds, sum } of rows) expect(sum).toBe(adds);
    return { events: position, counted: rows.reduce((total, { adds }) => total + adds, 0) };
  } finally {
    await engine.close();
  }
}

async function checkpointOf({ open }: Ground, reader: string): Promise<Place> {
  const engine = await open();
  try {
    return await engine.checkpoint("main", reader);
  } finally {
    await engine.close();
  }
}

const some = (): number => 1 + Math.floor(Math.random() * 400);

/** Shoots so often, and looks each time whether the rows have counted every event exactly once. */
async function shootAndCount(ground: Ground, times: number): Promise<void> {
  let last = 0;
  for (let round = 0; round < times; round++) {
    await shoot(ground, some());
    const { events, counted } = await count(ground);
    expect(counted).toBe(events);
    expect(events).toBeGreaterThan(last);
    last = events;
  }
}

test(
  "rows that follow the log have counted every event exactly once, whenever the process is killed",
  async () => {
    const { folder, remove } = toFolder();
    try {
      const ground = onSqlite(folder);
      await shootAndCount(ground, rounds);
      // A slow machine may not have come to it yet.
      const heard = async () =>
        existsSync(join(folder, "taken")) && (await checkpointOf(ground, "listener")).position > 0;
      for (let after = 400; !(await heard()); after *= 2) await shoot(ground, after);
      // The subscription beside them took what it took at least once, and is not past what it never took.
      const taken = readFileSync(join(folder, "taken"), "utf8").trimEnd().split("\n").map(Number);
      const { position } = await checkpointOf(ground, "listener");
      expect(position).toBeGreaterThan(0);
      expect(new Set(taken.filter((one) => one <= position)).size).toBe(position);
    } finally {
      remove();
    }
  },
  20_000 + 5_000 * rounds,
);

test(
  "and so they have on PostgreSQL",
  async () => {
    const { folder, remove } = toFolder();
    try {
      await shootAndCount(onPostgres(folder), rounds);
    } finally {
      remove();
    }
  },
  20_000 + 5_000 * rounds,
);

test("the check above can fail: rows and checkpoint in two commits are caught by it", async () => {
  const { folder, remove } = toFolder();
  try {
    const ground = onSqlite(folder);
    await shoot(ground, "torn");
    const { events, counted } = await count(ground);
    expect(events).toBeGreaterThan(0);
    expect(counted).toBeGreaterThan(events);
  } finally {
    remove();
  }
}, 120_000);
