import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { command, contract, event, query, signal } from "../src/contracts/index.ts";
import { openPostgres } from "../src/engines/postgres/index.ts";
import { workflow } from "../src/orchestration/index.ts";
import { backend, type Running } from "../src/runtime/index.ts";
import { readModel, store } from "../src/storage/index.ts";
import { replays } from "../src/testing/index.ts";
import { openDatabase, type TestDatabase } from "./shared-postgres.ts";

// What a workflow says reaches the real log, the real journal and real callers.
const Report = z.object({ n: z.int() });
const Reports = contract("reports", "1.0.0", {
  count: query({ input: z.object({}), output: z.array(Report), http: "GET /reports", access: "public" }),
});
const Rounds = contract("rounds", "1.0.0", {
  make: command({
    input: Report,
    output: z.int(),
    progress: z.object({ done: z.int() }),
    signals: { next: signal(Report, { access: "public" }) },
    http: "POST /rounds",
    access: "public",
  }),
  begin: command({
    input: Report,
    output: z.object({ child: z.string(), result: z.int() }),
    http: "POST /begin",
    access: "public",
  }),
  plain: command({ input: Report, http: "POST /plain", access: "public" }),
  Made: event(Report),
});

const made = readModel("made", {
  version: 1,
  events: Rounds,
  row: Report.extend({ id: z.string() }),
  key: "id",
  indexes: [],
  on: { Made: ({ n }, rows, { id }) => rows.put({ n, id }) },
});
const reports = store(
  Reports,
  { made },
  { count: async (_, { made }) => (await made.find({})).map(({ n }) => ({ n })) },
);
const make = workflow(Rounds.make, { version: 1 }, async ({ n }, { run }) => {
  run.progress({ done: n });
  await run.emit(Rounds.Made, { n });
  if (n >= 3) return n;
  await run.signal.next;
  throw run.continueAsNew({ n: n + 1 });
});
const begin = workflow(Rounds.begin, { version: 1, uses: [Rounds] }, async (input, { run }) => {
  const child = await run.child(Rounds.make, input);
  return { child: child.run, result: await child.result() };
});
const plain = workflow(Rounds.plain, { version: 1 }, async (_, { run }) => run.sleep("1 hour"));
const rounds = backend("rounds", { storage: [reports], orchestration: [make, begin, plain] });

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await openDatabase();
}, 120_000);
afterAll(() => postgres.remove());

describe.each(["sqlite", "postgres"])("on %s", (engine) => {
  let data: string;
  let running: Running;
  let schema: string;
  const start = async () =>
    rounds.start({
      environment: { PORT: "0", TRILITH_DATA: data, TRILITH_LOG: "fatal" },
      ...(engine === "postgres" && { engine: await openPostgres({ url: postgres.url, schema }) }),
    });
  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), "trilith-language-"));
    schema = postgres.freshSchema();
    running = await start();
  });
  afterEach(async () => {
    await running.stop();
    await rm(data, { recursive: true, force: true });
  });

  const post = (path: string, body: unknown) =>
    fetch(`${running.url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", prefer: "wait=0" },
      body: JSON.stringify(body),
    });
  const get = (path: string, signal?: AbortSignal) => fetch(`${running.url}${path}`, signal ? { signal } : {});
  const json = async (path: string) => (await get(path)).json() as Promise<{ [field: string]: unknown }>;
  const begun = async (n: number): Promise<string> =>
    ((await (await post("/rounds", { n })).json()) as { run: string }).run;

  it("a run's events reach read models, once each, whatever node it continues on", async () => {
    const run = await begun(1);
    for (const n of [1, 2]) {
      await expect.poll(() => json("/reports"), { timeout: 60_000 }).toHaveLength(n);
      await running.stop();
      running = await start();
      await post(`/runs/${run}/signals/next`, { n });
    }
    await expect.poll(async () => (await json(`/runs/${run}`)).state, { timeout: 60_000 }).toBe("done");
    expect(await json(`/runs/${run}`)).toMatchObject({ output: 3, run });
    expect(((await json("/reports")) as unknown as { n: number }[]).map(({ n }) => n).sort()).toEqual([1, 2, 3]);
    const history = JSON.parse(JSON.stringify(await running.history(run)));
    expect(history.entries.filter(({ type }: { type: string }) => type === "Continued")).toHaveLength(2);
    await replays(make, history);
  });

  it("a run begins another one, leaves memory while it waits, and is told of its end", async () => {
    const { run } = (await (await post("/begin", { n: 2 })).json()) as { run: string };
    await expect.poll(() => json("/reports"), { timeout: 60_000 }).toEqual([{ n: 2 }]);
    await expect.poll(async () => (await json(`/runs/${run}`)).state, { timeout: 60_000 }).toBe("waiting");
    const begun = (await running.history(run)).entries.find(({ type }) => type === "StepDone") as unknown as {
      wire: { run: string };
    };
    await running.stop();
    running = await start();
    await post(`/runs/${begun.wire.run}/signals/next`, { n: 1 });
    await expect.poll(async () => (await json(`/runs/${run}`)).state, { timeout: 60_000 }).toBe("done");
    expect(await json(`/runs/${run}`)).toMatchObject({ output: { child: begun.wire.run, result: 3 } });
  });

  it("a run's progress is shown, and followed from wherever somebody listens, up to its end", async () => {
    const run = await begun(1);
    await expect.poll(async () => (await json(`/runs/${run}`)).progress).toEqual({ done: 1 });
    const answer = await get(`/runs/${run}/progress`);
    expect(answer.headers.get("content-type")).toContain("text/event-stream");
    const events: unknown[] = [];
    const listening = (async () => {
      let text = "";
      for await (const chunk of (answer.body as ReadableStream<BufferSource>).pipeThrough(new TextDecoderStream())) {
        text += chunk;
        events.splice(0, events.length, ...eventsIn(text));
      }
    })();
    for (const n of [1, 2]) {
      await expect.poll(() => events, { timeout: 60_000 }).toHaveLength(n);
      await post(`/runs/${run}/signals/next`, { n });
    }
    await listening;
    expect(events).toEqual([
      ["progress", { done: 1 }],
      ["progress", { done: 2 }],
      ["progress", { done: 3 }],
      ["end", { run, state: "done" }],
    ]);
  });

  it("a listener that goes away is forgotten, and the backend stops at once", async () => {
    const run = await begun(1);
    const leaving = new AbortController();
    const answer = await get(`/runs/${run}/progress`, leaving.signal);
    await answer.body?.getReader().read();
    leaving.abort();
    const staying = await get(`/runs/${run}/progress`);
    const before = performance.now();
    await running.stop();
    expect(performance.now() - before).toBeLessThan(15_000);
    await staying.text().catch(() => "");
    running = await start();
  });

  it("a run whose contract declares no progress cannot be followed", async () => {
    const { run } = (await (await post("/plain", { n: 1 })).json()) as { run: string };
    const answer = await get(`/runs/${run}/progress`);
    expect([answer.status, (await answer.json()) as unknown]).toMatchObject([404, { code: "UnknownRoute" }]);
    expect((await get("/runs/nobody/progress")).status).toBe(404);
  });
});

const eventsIn = (text: string): readonly unknown[] =>
  [...text.matchAll(/^event: (\w+)\ndata: (.*)\n$/gm)].map(([, name, data]) => [name, JSON.parse(data ?? "")]);
