import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, expect, test } from "vitest";
import { openSqlite } from "../engines/sqlite/index.ts";
import type { Place } from "./host.ts";
import { openOn, toFolder, toTallyStore } from "./test-kit.test-d.ts";

/** How often the process is shot. CRASH_ROUNDS=100 for a long night. */
const rounds = Number(process.env.CRASH_ROUNDS ?? 8);

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

/**
 * Adds to a tally whose rows follow, and prints a line an acknowledged addition. `torn` has the rows and the checkpoint in
 * two commits, which is the mistake that this test is to find.
 */
const program = `
  const [, engineFile, kitFile, storageFile, folder, torn] = process.argv;
  const { openSqlite } = await import(engineFile);
  const { openOn, Tally, toChanged, toTallyStore } = await import(kitFile);
  const sqlite = await openSqlite({ folder });
  const engine = torn !== "torn" ? sqlite : toChanged(sqlite, {
    commit: async (checkpoint, writes) => {
      await sqlite.append("main", [{ id: crypto.randomUUID(), expect: [], events: [], documents: writes }]);
      await new Promise((resolve) => setTimeout(resolve, 5));
      return sqlite.commit(checkpoint, []);
    },
  });
  const { subscription } = await import(storageFile);
  const { appendFileSync } = await import("node:fs");
  const take = (_, { position }) => appendFileSync(folder + "/taken", position + "\\n");
  const listener = subscription("listener", { events: Tally, handle: { Added: take } });
  const backend = await openOn(engine, [toTallyStore(), listener]);
  for (let client = 0; client < 8; client++) void (async () => {
    for (;;) {
      await backend.call("tally.add", { id: "id" + client, amount: 1 });
      process.stdout.write("added\\n");
    }
  })();
`;

/** Lets the program run until it has acknowledged so much, and kills it in the middle of the next. */
async function shoot(folder: string, after: number, ...options: string[]): Promise<void> {
  const files = ["../engines/sqlite/index.ts", "./test-kit.test-d.ts", "./index.ts"].map(
    (file) => new URL(file, import.meta.url).href,
  );
  const flags = ["--conditions=trilith-source", "--input-type=module", "-e", program];
  const child = spawn(process.execPath, [...flags, ...files, folder, ...options], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  let acknowledged = 0;
  for await (const _ of createInterface({ input: child.stdout })) if (++acknowledged === after) child.kill("SIGKILL");
}

/** How many events there are, and how many the rows have counted once they have caught up. */
async function count(folder: string): Promise<{ readonly events: number; readonly counted: number }> {
  const engine = await openSqlite({ folder });
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

async function checkpointOf(folder: string, reader: string): Promise<Place> {
  const engine = await openSqlite({ folder });
  try {
    return await engine.checkpoint("main", reader);
  } finally {
    await engine.close();
  }
}

const some = (): number => 1 + Math.floor(Math.random() * 400);

test(
  "rows that follow the log have counted every event exactly once, whenever the process is killed",
  async () => {
    const { folder, remove } = toFolder();
    try {
      let last = 0;
      for (let round = 0; round < rounds; round++) {
        await shoot(folder, some());
        const { events, counted } = await count(folder);
        expect(counted).toBe(events);
        expect(events).toBeGreaterThan(last);
        last = events;
      }
      // The subscription beside them took what it took at least once, and is not past what it never took.
      const taken = readFileSync(join(folder, "taken"), "utf8").trimEnd().split("\n").map(Number);
      const { position } = await checkpointOf(folder, "listener");
      expect(position).toBeGreaterThan(0);
      expect(new Set(taken.filter((one) => one <= position)).size).toBe(position);
    } finally {
      remove();
    }
  },
  20_000 + 5_000 * rounds,
);

test("the check above can fail: rows and checkpoint in two commits are caught by it", async () => {
  const { folder, remove } = toFolder();
  try {
    let twice = false;
    for (let round = 0; round < 20 && !twice; round++) {
      await shoot(folder, some(), "torn");
      const { events, counted } = await count(folder);
      twice = counted > events;
    }
    expect(twice).toBe(true);
  } finally {
    remove();
  }
}, 60_000);
