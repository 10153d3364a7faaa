import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { command, contract, event, query, systemClock } from "../contracts/index.ts";
import { openSqlite } from "../engines/sqlite/index.ts";
import { type Engine, openStorage, type Storage } from "./host.ts";
import { entity, store } from "./index.ts";
import { toCall, toFolder } from "./test-kit.test-d.ts";

const Counters = contract("counters", "1.0.0", {
  add: command({ input: z.object({ id: z.string(), amounts: z.array(z.int()) }) }),
  asOf: query({ input: z.object({ id: z.string(), when: z.any() }), output: z.number().nullable() }),
  past: query({ input: z.object({ id: z.string(), most: z.int(), options: z.any() }), output: z.array(z.any()) }),
  Added: event(z.object({ amount: z.int() })),
});
const counters = entity("counter", {
  events: Counters,
  state: z.object({ sum: z.int() }),
  initial: { sum: 0 },
  evolve: { Added: ({ sum }, { amount }) => ({ sum: sum + amount }) },
});
const counterStore = store(
  Counters,
  { counters },
  {
    add: ({ id, amounts }, { counters }) =>
      counters(id).decide((_, { Added }) => amounts.map((amount) => Added({ amount }))),
    asOf: async ({ id, when }, { counters }) => (await counters(id).asOf(when))?.sum ?? null,
    past: async ({ id, most, options }, { counters }) => {
      const past = [];
      for await (const one of counters(id).history(options)) {
        past.push(one);
        if (past.length === most) break;
      }
      return past;
    },
  },
);

const { folder, remove } = toFolder();
let engine: Engine;
let storage: Storage;
let now = 1_000;
let reads = 0;
beforeAll(async () => {
  engine = await openSqlite({ folder, clock: { ...systemClock, now: () => now } });
  const counting = new Proxy(engine, {
    get: (target, name) => {
      if (name === "read") reads++;
      const member = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
  storage = await openStorage([counterStore], { engine: counting, clock: systemClock });
});
afterAll(async () => {
  await storage.close();
  await engine.close();
  remove();
});

async function call(operation: string, input: object): Promise<any> {
  const reply = await storage.providers.find((one) => one.operation === operation)?.handle(input, toCall(), input);
  return reply && "output" in reply ? reply.output : undefined;
}

test("an entity tells its past with payload, time, position and revision, forwards and backwards", async () => {
  await call("counters.add", { id: "told", amounts: [1, 2] });
  now += 10;
  await call("counters.add", { id: "other", amounts: [9] });
  await call("counters.add", { id: "told", amounts: [3] });
  const past = await call("counters.past", { id: "told", most: 10, options: {} });
  const { position: head } = await engine.head("main");
  expect(past).toEqual([
    {
      event: "Added",
      payload: { amount: 1 },
      id: expect.any(String),
      at: new Date(1_000),
      position: head - 3,
      revision: 0,
    },
    {
      event: "Added",
      payload: { amount: 2 },
      id: expect.any(String),
      at: new Date(1_000),
      position: head - 2,
      revision: 1,
    },
    {
      event: "Added",
      payload: { amount: 3 },
      id: expect.any(String),
      at: new Date(1_010),
      position: head,
      revision: 2,
    },
  ]);
  const amounts = async (options: object) =>
    (await call("counters.past", { id: "told", most: 10, options })).map(({ payload }: any) => payload.amount);
  expect(await amounts({ backwards: true })).toEqual([3, 2, 1]);
  expect(await amounts({ backwards: true, from: 1 })).toEqual([2, 1]);
  expect(await amounts({ from: 1 })).toEqual([2, 3]);
  expect(await amounts({ until: new Date(1_009) })).toEqual([1, 2]);
  expect(await amounts({ until: head - 3 })).toEqual([1]);
  await expect(amounts({ until: new Date(Number.NaN) })).rejects.toThrow("An instant or a position is needed");
});

test("the state as of any position or instant is the fold of the events until then", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ amounts: fc.array(fc.integer(), { minLength: 1, maxLength: 3 }), wait: fc.nat(2) }), {
        minLength: 1,
        maxLength: 8,
      }),
      async (steps) => {
        const id = crypto.randomUUID();
        const begin = (await engine.head("main")).position;
        const known: { position: number; at: number; sum: number }[] = [];
        let sum = 0;
        for (const { amounts, wait } of steps) {
          now += wait;
          await call("counters.add", { id, amounts });
          const from = begin + known.length;
          for (const [index, amount] of amounts.entries()) {
            sum += amount;
            known.push({ position: from + index + 1, at: now, sum });
          }
        }
        const asOf = (when: Date | number) => call("counters.asOf", { id, when });
        expect(await asOf(begin)).toBeNull();
        for (const one of known) {
          expect(await asOf(one.position)).toBe(one.sum);
          expect(await asOf(new Date(one.at))).toBe(known.findLast(({ at }) => at <= one.at)?.sum);
        }
      },
    ),
    { numRuns: 25 },
  );
});

test("a history that is left after its first event reads no further", async () => {
  for (let round = 0; round < 3; round++)
    await call("counters.add", { id: "long", amounts: Array.from({ length: 600 }, (_, amount) => amount) });
  reads = 0;
  expect(await call("counters.past", { id: "long", most: 1, options: {} })).toHaveLength(1);
  expect(reads).toBe(1);
  expect(await call("counters.past", { id: "long", most: 5_000, options: {} })).toHaveLength(1_800);
  expect(reads).toBeGreaterThan(4);
});
