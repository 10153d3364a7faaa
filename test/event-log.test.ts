import { expect, test } from "vitest";
import { z } from "zod";
import { command, contract, event, query, upcast } from "../src/contracts/index.ts";
import { entity, eventLog, store } from "../src/storage/index.ts";
import { testStores } from "../src/testing/index.ts";
import { onBothEngines } from "./both-engines.ts";

const Move = z.object({ item: z.string(), count: z.int() });
const Asked = z.object({
  after: z.int().optional(),
  until: z.int().optional(),
  events: z.array(z.enum(["Added", "Taken"])).optional(),
  categories: z.array(z.string()).optional(),
  streams: z.array(z.string()).optional(),
});
const Stock = contract("stock", "1.0.0", {
  add: command({ input: Move }),
  take: command({ input: Move, output: z.int() }),
  moves: query({ input: Asked, output: z.array(z.string()) }),
  last: query({ input: z.object({ item: z.string() }), output: z.array(z.string()) }),
  Added: event(Move),
  Taken: event(Move),
});
const Gates = contract("gates", "1.0.0", {
  open: command({ input: z.object({ gate: z.string() }) }),
  Opened: event(z.object({ gate: z.string() })),
});

const items = entity("item", {
  events: Stock,
  state: z.null(),
  initial: null,
  evolve: { Added: () => null, Taken: () => null },
});
const moves = eventLog("moves", { events: Stock });
const stock = store(
  Stock,
  { items, moves },
  {
    add: async (move, { items }) => {
      await items(move.item).decide((_, { Added }) => Added(move));
    },
    take: async (move, { items, moves }) => {
      const head = await moves.head();
      await items(move.item).decide((_, { Taken }) => Taken(move));
      return head;
    },
    moves: async ({ after, until, events, categories, streams }, { moves }) => {
      const told: string[] = [];
      const options = { events, categories, streams, after, until };
      for await (const { event, payload, stream, position } of moves.read(options))
        told.push(`${position} ${event} ${payload.count} ${stream}`);
      return told;
    },
    last: async ({ item }, { moves }) => {
      const told: string[] = [];
      for await (const { event, revision } of moves.stream(`item/${item}`, { backwards: true })) {
        told.push(`${revision} ${event}`);
        if (told.length === 2) break;
      }
      return told;
    },
  },
);
const gate = entity("gate", { events: Gates, state: z.null(), initial: null, evolve: { Opened: () => null } });
const gates = store(
  Gates,
  { gate },
  {
    open: async (input, { gate }) => {
      await gate(input.gate).decide((_, { Opened }) => Opened(input));
    },
  },
);

onBothEngines((story) => {
  test("a handler reads its log from a position, as of one, and by event, category and stream", () =>
    story(async (engine) => {
      await using stores = await testStores([stock, gates], { engine });
      const client = stores.client(Stock);
      await client.add({ item: "nuts", count: 5 });
      await stores.client(Gates).open({ gate: "north" });
      await client.add({ item: "bolts", count: 7 });
      expect(await client.take({ item: "nuts", count: 2 })).toBe(3);
      const all = ["1 Added 5 item/nuts", "3 Added 7 item/bolts", "4 Taken 2 item/nuts"];
      expect(await client.moves({})).toEqual(all);
      expect(await client.moves({ after: 1 })).toEqual(all.slice(1));
      expect(await client.moves({ until: 3 })).toEqual(all.slice(0, 2));
      expect(await client.moves({ events: ["Taken"] })).toEqual(all.slice(2));
      expect(await client.moves({ events: [] })).toEqual([]);
      expect(await client.moves({ streams: ["item/bolts", "gate/north"] })).toEqual([all[1]]);
      expect(await client.moves({ categories: ["gate"] })).toEqual([]);
      expect(await client.moves({ categories: ["item"], streams: ["item/nuts"], events: ["Added"] })).toEqual([all[0]]);
      expect(await client.last({ item: "nuts" })).toEqual(["1 Taken", "0 Added"]);
      await expect(client.moves({ streams: ["Nuts"] })).rejects.toThrow("is not a name for a stream");
      await expect(client.moves({ after: -1 })).rejects.toThrow("A log is read after a position");
    }));

  test("code that is no store reads it as well, page by page, and holds nothing once it is left", () =>
    story(async (engine) => {
      await using stores = await testStores([stock], { engine });
      const client = stores.client(Stock);
      await Promise.all(Array.from({ length: 1_200 }, (_, n) => client.add({ item: `i${n % 7}`, count: n })));
      const log = stores.storage.reading({ Added: Stock.Added });
      const positions: number[] = [];
      for await (const { event, payload, position, at } of log.read()) {
        expect([event, payload.count >= 0, at instanceof Date]).toEqual(["Added", true, true]);
        positions.push(position);
      }
      expect(positions).toEqual(Array.from({ length: 1_200 }, (_, n) => n + 1));
      const asked: number[] = [];
      for await (const { position } of log.read()) {
        asked.push(position);
        if (position === 3) break;
      }
      expect(asked).toEqual([1, 2, 3]);
      expect(await log.head()).toBe(1_200);
      expect(await log.revision("item/i0")).toBe(171);
      expect(await log.revision("item/never")).toBe(-1);
      const wrong = log.read({ events: ["Taken" as "Added"] });
      await expect(wrong[Symbol.asyncIterator]().next()).rejects.toThrow('"Taken", which is not declared there');
    }));

  test("events of earlier versions are read as the present one, and what the code does not know keeps it from opening", () =>
    story(async (engine) => {
      const Old = contract("parcels", "1.0.0", {
        weigh: command({ input: z.object({ id: z.string(), grams: z.number() }) }),
        Weighed: event(z.object({ grams: z.number() })),
      });
      const parcel = entity("parcel", { events: Old, state: z.null(), initial: null, evolve: { Weighed: () => null } });
      const olds = store(
        Old,
        { parcel },
        {
          weigh: async ({ id, grams }, { parcel }) => {
            await parcel(id).decide((_, { Weighed }) => Weighed({ grams }));
          },
        },
      );
      {
        await using stores = await testStores([olds], { engine });
        await stores.client(Old).weigh({ id: "p", grams: 1_500 });
      }
      const Present = contract("parcels", "2.0.0", {
        Weighed: event(z.object({ kilos: z.number() }), {
          version: 2,
          from: [upcast(z.object({ grams: z.number() }), ({ grams }) => ({ kilos: grams / 1_000 }))],
        }),
      });
      const Reports = contract("reports", "1.0.0", {
        weights: query({ input: z.object({}), output: z.array(z.number()) }),
        note: command({ input: z.object({}) }),
        Noted: event(z.object({})),
      });
      const weights = eventLog("weights", { events: Present });
      const reports = store(
        Reports,
        { weights },
        {
          note: async () => {},
          weights: async (_, { weights }) => {
            const kilos: number[] = [];
            for await (const { payload } of weights.read()) kilos.push(payload.kilos);
            return kilos;
          },
        },
      );
      {
        await using stores = await testStores([reports], { engine });
        expect(await stores.client(Reports).weights({})).toEqual([1.5]);
        await stores.storage.log.append({
          events: [{ stream: "parcel/p", type: "parcels.Weighed", version: 3, data: {} }],
        });
      }
      await expect(testStores([reports], { engine })).rejects.toThrow("this code knows it up to version 2");
    }));
});
