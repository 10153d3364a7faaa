import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { z } from "zod";
import { command, contract, event, failure, query } from "../contracts/index.ts";
import { workflow } from "../orchestration/index.ts";
import { entity, store, subscription } from "../storage/index.ts";
import { backend } from "./index.ts";

const Names = z.object({ id: z.string() });
const Counters = contract("counters", "1.0.0", {
  add: command({
    input: Names.extend({ by: z.int() }),
    output: z.int(),
    failures: { TooMuch: failure(409, "It would overflow.") },
  }),
  get: query({ input: Names, output: z.int(), http: "GET /counters/{id}", access: "public" }),
  Added: event(Names.extend({ by: z.int() })),
});
const Sums = contract("sums", "1.0.0", {
  twice: command({
    input: Names.extend({ by: z.int() }),
    output: z.int(),
    failures: { TooMuch: failure(409, "It would overflow.") },
  }),
});
const counter = entity("counter", {
  events: Counters,
  state: z.object({ sum: z.int() }),
  initial: { sum: 0 },
  evolve: { Added: ({ sum }, { by }) => ({ sum: sum + by }) },
});
const counters = store(
  Counters,
  { counter },
  {
    add: async ({ id, by }, { counter, fail }) =>
      (await counter(id).decide(({ sum }, { Added }) => (sum + by > 100 ? fail.TooMuch() : Added({ id, by })))).sum,
    get: async ({ id }, { counter }) => (await counter(id).state())?.sum ?? 0,
  },
);
const twice = workflow(Sums.twice, { version: 1, uses: [Counters] }, async (input, { counters }) => {
  await counters.add(input).undo(() => counters.add({ ...input, by: -input.by }));
  return counters.add(input);
});
const sums = backend("sums", { storage: [counters], orchestration: [twice] });

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), "trilith-backend-"));
});
afterEach(() => rm(data, { recursive: true, force: true }));
const environment = () => ({ PORT: "0", TRILITH_DATA: data, TRILITH_LOG: "fatal" });

it("is called by its own process through a typed client, and forgets nothing between two starts", async () => {
  const first = await sums.start({ environment: environment() });
  expect(await first.client(Sums).twice({ id: "a", by: 3 })).toBe(6);
  await first.stop();
  const second = await sums.start({ environment: environment() });
  expect(await second.client(Counters).get({ id: "a" })).toBe(6);
  expect(await (await fetch(`${second.url}/counters/a`)).json()).toBe(6);
  await second.stop();
});

it("ends with the failures of its contract, and has undone what was done on the way", async () => {
  const running = await sums.start({ environment: environment() });
  await expect(running.client(Sums).twice({ id: "a", by: 60 })).rejects.toMatchObject({
    code: "TooMuch",
    operation: "sums.twice",
  });
  expect(await running.client(Counters).get({ id: "a" })).toBe(0);
  await running.stop();
});

it("hands events to a subscription that belongs to no store, and goes on where it was after a restart", async () => {
  const taken: string[] = [];
  let enough = Promise.withResolvers<void>();
  const listener = subscription("listener", {
    events: Counters,
    handle: {
      Added: ({ id }) => {
        taken.push(id);
        enough.resolve();
      },
    },
  });
  const listening = backend("sums", { storage: [counters, listener] });
  for (const id of ["a", "b"]) {
    const running = await listening.start({ environment: environment() });
    enough = Promise.withResolvers<void>();
    await running.client(Counters).add({ id, by: 3 });
    await enough.promise;
    expect(await (await fetch(`${running.url}/readyz`)).text()).toContain('\\"listener\\" hands over');
    await running.stop();
  }
  expect(taken).toEqual(["a", "b"]);
});

it("checks what goes into an operation, and keeps out what the contract does not declare", async () => {
  const running = await sums.start({ environment: environment() });
  const client = running.client(Counters);
  await expect(client.add({ id: "a", by: "3" } as never)).rejects.toMatchObject({
    code: "InvalidInput",
    issues: [{ path: "/by" }],
  });
  expect(await client.add({ id: "a", by: 3, wide: true } as never)).toBe(3);
  await running.stop();
});

it("gives one key one effect", async () => {
  const running = await sums.start({ environment: environment() });
  const client = running.client(Counters, { key: "k" });
  expect([await client.add({ id: "a", by: 3 }), await client.add({ id: "a", by: 3 })]).toEqual([3, 3]);
  await expect(client.add({ id: "a", by: 4 })).rejects.toMatchObject({ code: "KeyReused" });
  await running.stop();
});

it("does not start with a contract that is used and implemented by nobody, and says so", async () => {
  const broken = backend("broken", { orchestration: [twice] } as never);
  await expect(broken.start({ environment: environment() })).rejects.toThrow(
    /"counters" is used, but nobody here implements it/,
  );
});

it("does not start twice on one data folder, and leaves the first one alone", async () => {
  const first = await sums.start({ environment: environment() });
  await expect(sums.start({ environment: environment() })).rejects.toThrow(new RegExp(String(process.pid)));
  expect(await first.client(Counters).get({ id: "a" })).toBe(0);
  await first.stop();
});

it("can be there twice in one process: nothing of it is global", async () => {
  const one = await sums.start({ environment: environment() });
  const other = await sums.start({ environment: { ...environment(), TRILITH_DATA: join(data, "other") } });
  await one.client(Counters).add({ id: "a", by: 1 });
  expect(await other.client(Counters).get({ id: "a" })).toBe(0);
  await Promise.all([one.stop(), other.stop()]);
});

it("lets code of its own process read along its log", async () => {
  const running = await sums.start({ environment: environment() });
  await running.client(Sums).twice({ id: "a", by: 3 });
  await running.client(Counters).add({ id: "b", by: 5 });
  const log = running.log(Counters);
  const told: unknown[] = [];
  for await (const { event, payload, stream } of log.read({ after: 1 })) told.push([event, payload.by, stream]);
  expect(told).toEqual([
    ["Added", 3, "counter/a"],
    ["Added", 5, "counter/b"],
  ]);
  expect(await log.revision("counter/a")).toBe(1);
  await running.stop();
});
