import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { openPostgres } from "trilith/postgres";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { openDatabase, type TestDatabase } from "./shared-postgres.ts";

let postgres: TestDatabase;
const children: ChildProcess[] = [];
beforeAll(async () => {
  postgres = await openDatabase();
}, 120_000);
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});
afterAll(() => postgres.remove());

type Kept = "inline" | "async";
interface Count {
  readonly group: number;
  readonly count: number;
  readonly sum?: number;
}
/** Starts a process with one version of the code. It is up when what it keeps inline has caught up. */
async function startNode(schema: string, version: 1 | 2, kept: Kept) {
  const file = fileURLToPath(new URL("model-node.ts", import.meta.url));
  const child = fork(file, [postgres.url, schema, String(version), kept], {
    execPath: process.execPath,
    execArgv: ["--conditions=trilith-source"],
  });
  children.push(child);
  const answers = new Map<number, (answer: unknown) => void>();
  const up = new Promise((resolve) => answers.set(0, resolve));
  child.on("message", ({ number, answer }: { number: number; answer: unknown }) => answers.get(number)?.(answer));
  let asked = 0;
  const ask = (what: string, reader = ""): Promise<any> => {
    // whatever the question's answer is
    const number = ++asked;
    const answered = new Promise((resolve) => answers.set(number, resolve));
    child.send({ number, ask: what, reader });
    return answered;
  };
  return {
    up,
    ask,
    /** How many events are in its rows, and the sum of what they say. */
    total: async () => {
      const counts: readonly Count[] = await ask("counts");
      return {
        events: counts.reduce((sum, { count }) => sum + count, 0),
        sum: counts.reduce((total, { sum = 0 }) => total + sum, 0),
      };
    },
    close: async () => {
      const closed = once(child, "close");
      await ask("close");
      await closed;
    },
    kill: async () => {
      child.kill("SIGKILL");
      await once(child, "close");
    },
  };
}
type Node = Awaited<ReturnType<typeof startNode>>;
const eventually = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 60_000, interval: 20 });

/** It has written, and each of its reads was answered. */
async function goesOn(node: Node): Promise<void> {
  const before = await node.ask("written");
  await eventually(async () => expect(await node.ask("written")).toBeGreaterThan(before + 20));
}
async function headOf(schema: string): Promise<number> {
  const [row] = await postgres.query(`select max(position) as head from ${schema}.event`);
  return Number(row.head);
}
/** The sum of the numbers in all events, as they are in the log. */
async function sumOf(schema: string): Promise<number> {
  const [row] = await postgres.query(`select sum((data::json ->> 'n')::integer) as sum from ${schema}.event`);
  return Number(row.sum);
}
/** Stops writing. What failed meanwhile, but for what `allowed` says. */
async function stop(nodes: readonly Node[], allowed = ""): Promise<void> {
  for (const node of nodes) {
    const { failures }: { readonly failures: readonly string[] } = await node.ask("stop");
    expect(failures.filter((failure) => failure !== allowed)).toEqual([]);
  }
}
/** The rows of each node are those of all events, each once. */
async function complete(schema: string, ...nodes: readonly Node[]): Promise<void> {
  const events = await headOf(schema);
  for (const node of nodes) {
    await eventually(async () => expect((await node.total()).events).toBe(events));
    expect(await node.ask("status")).toMatchObject({ behind: 0, ready: true, parked: 0 });
  }
}

/** While a model is rebuilt, what is read of it is what there is so far. */
const noRows = "There are no rows.";

describe.each(["inline", "async"] as const)("what is kept %s", (kept) => {
  test("a new version is built beside the old one, which is written and read meanwhile; and going back is no matter", async () => {
    const schema = postgres.freshSchema();
    const old = await startNode(schema, 1, kept);
    await old.up;
    await old.ask("fill");
    await old.ask("go");
    const next = await startNode(schema, 2, kept);
    let isUp = false;
    void next.up.then(() => {
      isUp = true;
    });
    while (!isUp) await goesOn(old);
    await eventually(async () => expect(await next.ask("status")).toMatchObject({ ready: true, version: 2 }));
    await next.ask("go");
    await Promise.all([goesOn(old), goesOn(next)]);

    // Neither may take the other's away.
    expect(await old.ask("retired")).toEqual(["notes.count@2"]);
    expect(await old.ask("drop", "notes.count@2")).toContain("is read by another process that is running");
    expect(await next.ask("drop", "notes.count@1")).toContain("is read by another process that is running");

    await stop([old, next]);
    await complete(schema, old, next);
    expect((await next.total()).sum).toBe(await sumOf(schema));

    // Back to the old code, with a process of it that starts now.
    await next.close();
    await old.ask("go");
    await goesOn(old);
    const again = await startNode(schema, 1, kept);
    await again.up;
    await again.ask("go");
    await Promise.all([goesOn(old), goesOn(again)]);
    expect(await old.ask("drop", "notes.count@2")).toBe("dropped");
    expect(await old.ask("retired")).toEqual([]);
    await stop([old, again]);
    await complete(schema, old, again);

    // And forward once more, from the log as it is.
    const last = await startNode(schema, 2, kept);
    await last.up;
    await complete(schema, last);
    expect((await last.total()).sum).toBe(await sumOf(schema));
  }, 120_000);

  test("a rebuild on one node, while others write and read, takes every event once, also where that node is killed", async () => {
    const schema = postgres.freshSchema();
    const [one, other] = [await startNode(schema, 2, kept), await startNode(schema, 2, kept)];
    await Promise.all([one.up, other.up]);
    await one.ask("fill");
    await Promise.all([one.ask("go"), other.ask("go")]);
    await Promise.all([goesOn(one), goesOn(other)]);
    for (let round = 0; round < 3; round++) {
      expect(await (round % 2 ? other : one).ask("rebuild", "notes.count@2")).toBeUndefined();
      await Promise.all([goesOn(one), goesOn(other)]);
    }
    await stop([one, other], noRows);
    await complete(schema, one, other);
    expect((await one.total()).sum).toBe(await sumOf(schema));

    await other.ask("go");
    await one.ask("rebuild", "notes.count@2");
    await one.kill();
    await goesOn(other);
    await stop([other], noRows);
    await complete(schema, other);
    expect((await other.total()).sum).toBe(await sumOf(schema));
    const engine = await openPostgres({ url: postgres.url, schema });
    expect(await engine.check()).toEqual([]);
    await engine.close();
  }, 120_000);
});
