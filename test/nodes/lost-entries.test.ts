// After a fail-over to a replica that lagged, others may have the revisions of what is lost.
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { command, contract, signal } from "../../src/contracts/index.ts";
import type { Admission, Entry, Line, Plan, RunRow } from "../../src/orchestration/host.ts";
import { workflow } from "../../src/orchestration/index.ts";
import { toFeedKeeping } from "../../src/runtime/feed-keeping.ts";
import { openRunJournal } from "../../src/runtime/run-journal.ts";
import { openTimetable } from "../../src/runtime/timetable.ts";
import type { Engine } from "../../src/storage/host.ts";
import { onPostgres, openDatabase, startNode, type TestDatabase } from "./world.ts";

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await openDatabase();
}, 120_000);
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

it("a schedule is not changed by who saw a turn that is lost, though another one has its number", async () => {
  await using world = await onPostgres(postgres);
  const engines = [await world.engine(), await world.engine()] as const;
  const [one, other] = [await openTimetable(engines[0], world.clock), await openTimetable(engines[1], world.clock)];
  const plan: Plan = { rule: "r", next: 1, owed: [], last: null, lastRun: null, paused: false };
  expect(await one.put("daily", plan, undefined)).toBe(true);
  // A plan that is made of a slot takes its place, and not what tells the slot apart.
  const first = await one.find("daily");
  const goBack = await mark();
  expect(await one.put("daily", { ...plan, ...first, next: 2 }, first)).toBe(true);
  const seen = await one.find("daily");
  expect(seen).toMatchObject({ turn: 1, next: 2 });

  await goBack();
  expect(await other.put("daily", { ...plan, paused: true }, await other.find("daily"))).toBe(true);
  expect(await other.find("daily")).toMatchObject({ turn: 1, paused: true });
  expect(await one.put("daily", { ...plan, ...seen, next: 3 }, seen)).toBe(false);
  const present = await one.find("daily");
  expect(present).toMatchObject({ turn: 1, paused: true });
  expect(await one.put("daily", { ...plan, ...present, next: 4 }, present)).toBe(true);
  expect(await one.find("daily")).toMatchObject({ turn: 2, next: 4, paused: true });
});

it("nobody is let in by who looked at a line of which the end is lost, though another one has its revision", async () => {
  await using world = await onPostgres(postgres);
  const { clock } = world;
  const journals = [
    await openRunJournal(await world.engine(), clock),
    await openRunJournal(await world.engine(), clock),
  ];
  const [one, other] = journals.map(({ line }) => line as Line) as [Line, Line]; // these journals have one
  const operation = "jobs.do";
  const ticket = { operation, turn: "", priority: 0, lane: "" };
  const rowOf = (run: string): RunRow => ({
    ...{ run, operation, workflow: `${operation}@1`, state: "queued", owner: null, wakeAt: null, startedAt: 1 },
    ...{ endedAt: null, startedBy: "ann", traceparent: "", reason: null, ticket },
  });
  const begin = (run: string, journal = journals[0]) =>
    journal?.append(run, -1, [{ type: "Queued", at: 1 }], { begin: rowOf(run) });
  const letIn = async (line: Line, seen: Awaited<ReturnType<Line["look"]>>, ...runs: string[]) => {
    const heads = seen.turns.flatMap(({ heads }) => heads.filter(({ run }) => runs.includes(run)));
    const admitted = heads.map((head) => ({ ...head, turn: "" }));
    return line.admit(operation, seen, {
      virtual: seen.virtual,
      admitted,
      turns: [],
      meters: new Map(),
    } satisfies Admission);
  };
  await begin("a");
  await begin("b");
  await begin("c");
  const goBack = await mark();
  expect(await letIn(one, await one.look(operation, 9), "a")).toBe(true);
  const seen = await one.look(operation, 9);
  expect(seen).toMatchObject({ revision: 0, entry: expect.any(String) });

  // The admission of "a" is lost, and another node lets "b" in instead.
  await goBack();
  expect(await letIn(other, await other.look(operation, 9), "b")).toBe(true);
  expect(await letIn(one, seen, "c")).toBe(false);
  const present = await one.look(operation, 9);
  expect(present.turns.flatMap(({ heads }) => heads.map(({ run }) => run))).toEqual(["a", "c"]);
  expect(await letIn(one, present, "c")).toBe(true);

  // A run whose place in the line is lost, and whose journal says something else by now.
  const goBackAgain = await mark();
  await begin("d");
  const withD = await one.look(operation, 9);
  await goBackAgain();
  await journals[1]?.append("d", -1, [{ type: "Paused", reason: "", at: 1 }], {
    begin: { ...rowOf("d"), state: "paused" },
  });
  expect(await letIn(one, withD, "d")).toBe(false);
});

it("a signal wakes a run that sleeps by another entry than the one that its sender saw, and that is lost", async () => {
  await using world = await onPostgres(postgres);
  const { clock } = world;
  const [one, other] = [
    await openRunJournal(await world.engine(), clock),
    await openRunJournal(await world.engine(), clock),
  ];
  const begin: RunRow = {
    ...{ run: "r", operation: "jobs.do", workflow: "jobs.do@1", state: "running", owner: null, wakeAt: null },
    ...{ startedAt: 1, endedAt: null, startedBy: "ann", traceparent: "", reason: null },
  };
  const said = (value: string): Entry => ({ type: "Progress", value, at: 1 });
  const sleep = (awaits: string) =>
    ({ row: { state: "waiting", wakeAt: null, awaits: [awaits], asleepAt: 1 } }) as const;
  const signal = { signal: "go", payload: {}, by: "bob", at: 7 };
  await one.append("r", -1, [said("begun")], { begin });
  const goBack = await mark();
  await one.append("r", 0, [said("waits for stop")], sleep("stop"));
  const seen = await one.find("r");
  await one.post("r", signal, seen);
  expect(await one.find("r")).toMatchObject({ wakeAt: null, unread: 1 });

  await goBack();
  await other.append("r", 0, [said("waits for go")], sleep("go"));
  await one.post("r", signal, seen);
  expect(await one.find("r")).toMatchObject({ wakeAt: 7, unread: 1 });
});

const Jobs = contract("jobs", "1.0.0", {
  do: command({
    input: z.object({}),
    output: z.array(z.int()),
    signals: { go: signal(z.object({ n: z.int() })) },
  }),
});
it("a run that has seen a signal that is lost takes the one that has its revision, and does nothing by the other", async () => {
  await using world = await onPostgres(postgres);
  const gate = Promise.withResolvers<string>();
  const taken: number[] = [];
  const two = workflow(Jobs.do, { version: 1 }, async (_, { run }) => {
    await run.step("wait", () => gate.promise);
    const first = await run.signal.go;
    taken.push(first.n);
    return [first.n, (await run.signal.go).n];
  });
  const other = await openRunJournal(await world.engine(), world.clock);
  const post = (run: string, n: number) =>
    other.post(run, { signal: "go", payload: { n }, by: "bob", at: world.clock.now() });
  const suspends: string[] = [];
  let isSeen = false;
  let losing: (() => Promise<void>) | undefined;
  const watched = async (): Promise<Engine> => {
    const engine = await world.engine();
    const append: Engine["append"] = async (log, group) => {
      const suspending = group.find(({ documents = [] }) => JSON.stringify(documents).includes('"asleepAt"'));
      const lose = suspending && losing;
      if (lose) {
        losing = undefined;
        suspends.push(...suspending.events.map(({ data }) => data));
        await lose();
      }
      return engine.append(log, group);
    };
    const read: Engine["read"] = async (log, query) => {
      const found = await engine.read(log, query);
      if (found.some(({ stream }) => stream.startsWith("inbox/"))) isSeen = true;
      return found;
    };
    return new Proxy(engine, {
      get(target, name: keyof Engine) {
        const member = target[name];
        return name === "append"
          ? append
          : name === "read"
            ? read
            : typeof member === "function"
              ? member.bind(target)
              : member;
      },
    });
  };
  const quickly = { workflows: [two], contracts: [Jobs], suspendAfterMs: 0 } as const;
  const node = await startNode({ ...world, engine: watched }, quickly);
  void node
    .client(Jobs, { key: "k" })
    .do({})
    .catch(() => {});
  let run = "";
  await world.until(async () => {
    run = (await node.runner.search({}, { limit: 1 })).runs[0]?.run ?? "";
    return (await other.read(run)).some(({ type }) => type === "StepStarted");
  });
  const goBack = await mark();
  expect(await node.runner.signal(run, "go", { n: 1 }, { id: "bob" })).toBe("taken");
  losing = async () => {
    await goBack();
    await post(run, 2);
  };
  await world.until(() => isSeen);
  gate.resolve("open");
  await world.until(() => losing === undefined);
  await world.until(async () =>
    (await other.read(run)).some((one) => one.type === "SignalTaken" && JSON.stringify(one.payload) === '{"n":2}'),
  );
  await post(run, 3);
  await world.until(async () => (await node.row(run))?.state === "done");
  expect(suspends.join()).toContain('"SignalTaken"');
  expect(taken[0]).toBe(1);
  expect((await node.runner.result(run, 0))?.output).toEqual([2, 3]);
  await node.stop();
});

/** What a replica that lagged knows, as it takes over. */
async function lose(after = 0): Promise<void> {
  const found = await postgres.query("select schemaname as schema from pg_tables where tablename = 'event_row'");
  for (const { schema } of found) await postgres.query(`delete from ${schema}.event_row where position > $1`, [after]);
  await postgres.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'trilith'",
  );
}

/** What a replica knows that lags from here on; gives what happens when it takes over: everything since is lost. */
async function mark(): Promise<() => Promise<void>> {
  const tables = await postgres.query(
    `select schemaname || '.' || tablename as name, tablename = 'event_row' as event from pg_tables
     where schemaname = (select schemaname from pg_tables where tablename = 'event_row' order by schemaname desc limit 1)
       and (tablename = 'event_row' or tablename like 'document%')`,
  );
  const event: string = tables.find((table) => table.event).name;
  const [{ position }] = (await postgres.query(`select coalesce(max(position), 0) as position from ${event}`)) as [any]; // one row
  const documents: readonly string[] = tables.flatMap(({ name, event }) => (event ? [] : [name]));
  const kept = `kept_${marks++}`;
  await postgres.query(`create schema ${kept}`);
  for (const name of documents)
    await postgres.query(`create table ${kept}.${name.split(".")[1]} as select revision, key, data from ${name}`);
  const back = documents.map((name) => {
    const copy = `${kept}.${name.split(".")[1]}`;
    return `delete from ${name}; insert into ${name} (revision, key, data) select * from ${copy};`;
  });
  return async () => {
    // At one moment for all who look, as it is with another server.
    const all = [event, ...documents].join(", ");
    const loss = `delete from ${event} where position > ${position};`;
    await postgres.query(`begin; lock table ${all} in access exclusive mode; ${back.join(" ")} ${loss} commit`);
    await lose(position);
  };
}
let marks = 0;
