import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { anonymous, command, contract, event, silent, systemClock, upcast } from "trilith/contracts";
import { openPostgres } from "trilith/postgres";
import { entity, store } from "trilith/storage";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { type Engine, openStorage, type Storage } from "../src/storage/host.ts";
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

/** Starts a process with old code, or with newer that has a way up, or also one down. `up` is what it says of that. */
function startNode(schema: string, code: "old" | "up" | "down", lease = "30s") {
  const file = fileURLToPath(new URL("version-node.ts", import.meta.url));
  const child = fork(file, [postgres.url, schema, code, lease], {
    execPath: process.execPath,
    execArgv: ["--conditions=trilith-source"],
  });
  children.push(child);
  const answers = new Map<number, (answer: unknown) => void>();
  const up = new Promise((resolve) => answers.set(0, resolve));
  child.on("message", ({ number, answer }: { number: number; answer: unknown }) => answers.get(number)?.(answer));
  let asked = 0;
  const ask = (what: string): Promise<any> => {
    // whatever the question's answer is
    const number = ++asked;
    const answered = new Promise((resolve) => answers.set(number, resolve));
    child.send({ number, ask: what });
    return answered;
  };
  return {
    up,
    ask,
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
type Node = ReturnType<typeof startNode>;
const eventually = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 60_000, interval: 20 });
async function goesOn(...nodes: readonly Node[]): Promise<void> {
  for (const node of nodes) {
    const before = await node.ask("written");
    await eventually(async () => expect(await node.ask("written")).toBeGreaterThan(before + 20));
  }
}
/** How many events there are of each version, and what they weigh in all. */
async function inLog(schema: string) {
  const rows = await postgres.query(
    `select version, count(*)::integer as count, sum(coalesce((data::json ->> 'grams')::integer, round((data::json ->> 'kilos')::numeric * 1000)))::integer as grams
     from ${schema}.event join ${schema}.type on type.id = event.type group by version order by version`,
  );
  return {
    versions: rows.map(({ version }) => Number(version)),
    count: rows.reduce((sum, { count }) => sum + count, 0),
    grams: rows.reduce((sum, { grams }) => sum + grams, 0),
  };
}
/** The rows of a node are those of all events, each once. */
async function complete(schema: string, ...nodes: readonly Node[]): Promise<void> {
  const { count, grams } = await inLog(schema);
  for (const node of nodes) {
    await eventually(async () => {
      for (const total of await node.ask("totals")) expect(total).toMatchObject({ count, grams });
    });
    expect((await node.ask("status")).stopped).toEqual([]);
  }
}

test("old code and new write and read together; what is new is written once the old has ended, and no reader stops", async () => {
  const schema = postgres.freshSchema();
  const old = startNode(schema, "old");
  expect(await old.up).toBe("up");
  await old.ask("go");
  await goesOn(old);
  const next = [startNode(schema, "down"), startNode(schema, "down")];
  const [one, other] = next as [Node, Node]; // there are two
  for (const node of next) expect(await node.up).toBe("up");
  for (const node of next) await node.ask("go");
  await goesOn(old, ...next);
  expect((await inLog(schema)).versions).toEqual([1]);
  const by = [{ process: expect.stringMatching(/^old \d+$/), reads: 1 }];
  expect((await one.ask("status")).held).toMatchObject([{ event: "parcels.Weighed", version: 2, writes: 1, by }]);

  expect((await old.ask("stop")).failures).toEqual([]);
  const { count } = await inLog(schema); // the others go on
  await eventually(async () => {
    for (const total of await old.ask("totals")) expect(total.count).toBeGreaterThanOrEqual(count);
  });
  expect((await old.ask("status")).stopped).toEqual([]);
  expect(await old.ask("told")).toBeGreaterThan(0);
  await old.close();
  await eventually(async () => expect((await inLog(schema)).versions).toEqual([1, 2]));
  await goesOn(...next);
  const late = startNode(schema, "old");
  expect(await late.up).toContain("parcels.Weighed in version 2, and this code knows it up to version 1.");
  await goesOn(one, other);
  for (const node of next) expect((await node.ask("stop")).failures).toEqual([]);
  await complete(schema, ...next);
}, 120_000);

test("without a way down, new code waits for what runs; what was killed counts until its lease is over", async () => {
  const schema = postgres.freshSchema();
  const old = startNode(schema, "old", "6s");
  expect(await old.up).toBe("up");
  await old.ask("go");
  const next = startNode(schema, "up", "6s");
  expect(await next.up).toBe("up");
  await goesOn(old);
  const refused = /^parcels\.Weighed is not written in version 2 yet, because the process \S+ cannot read that\./;
  expect(await next.ask("once")).toMatch(refused);
  await goesOn(old);
  expect((await old.ask("status")).stopped).toEqual([]);
  await old.kill();
  expect(await next.ask("once")).toMatch(refused);
  await eventually(async () => expect(await next.ask("once")).toBe("written"));
  expect((await inLog(schema)).versions).toEqual([1, 2]);
  await complete(schema, next);
  expect((await next.ask("status")).reports.at(-1)).toBe("parcels.Weighed is written in version 2 from now on.");
}, 120_000);

test("where old code begins at the moment at which new code writes, one of the two gives way, and never both go on", async () => {
  const schema = postgres.freshSchema();
  const engines = [
    await openPostgres({ url: postgres.url, schema }),
    await openPostgres({ url: postgres.url, schema }),
  ];
  const [one, other] = engines as [Engine, Engine]; // there are two
  const outcomes = { waited: 0, refused: 0 };
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
  let ahead = 0; // by how many ms the new code is ahead, so that each overtakes the other now and then
  for (let round = 0; round < 40; round++) {
    const log = `log-${round}`;
    const next = await openStorage([toNotes(2)], { engine: one, clock: systemClock, log });
    const write = next.providers.find(({ operation }) => operation === "notes.write");
    const call = { principal: anonymous, trace: silent, aborted: new AbortController().signal };
    const writes = async () => {
      await pause(-ahead);
      return write?.handle({ id: "a" }, call, { id: "a" });
    };
    const begins = async (): Promise<Storage> => {
      await pause(ahead);
      return openStorage([toNotes(1)], { engine: other, clock: systemClock, log });
    };
    const [written, begun] = await Promise.allSettled([writes(), begins()]);
    expect([written.status, begun.status].toSorted()).toEqual(["fulfilled", "rejected"]);
    const versions = (await one.types(log)).map(({ version }) => version);
    expect(versions).toEqual(written.status === "fulfilled" ? [2] : []);
    outcomes[written.status === "fulfilled" ? "refused" : "waited"]++;
    ahead += written.status === "fulfilled" ? -2 : 2;
    if (begun.status === "fulfilled") await begun.value.close();
    await next.close();
  }
  expect(Math.min(outcomes.waited, outcomes.refused)).toBeGreaterThan(0);
  for (const engine of engines) await engine.close();
}, 120_000);

/** A store of notes, whose event has come to a version. */
function toNotes(version: 1 | 2) {
  const Note = z.object({ id: z.string() });
  const Notes = contract("notes", "1.0.0", {
    write: command({ input: Note }),
    Written: event(Note, { version, from: version === 1 ? [] : [upcast(Note, (old) => old)] }),
  });
  const notes = entity("note", {
    events: Notes,
    state: Note,
    initial: { id: "" },
    evolve: { Written: (_, note) => note },
  });
  return store(
    Notes,
    { notes },
    { write: (note, { notes }) => notes(note.id).decide((_, { Written }) => Written(note)) as never },
  ); // its state is no output
}
