import { expect, test } from "vitest";
import { z } from "zod";
import { command, contract, event, Fault, query, silent, systemClock } from "../src/contracts/index.ts";
import { type Engine, openStorage } from "../src/storage/host.ts";
import { entity, type Rows, readModel, store } from "../src/storage/index.ts";
import { toChanged } from "../src/storage/test-kit.test-d.ts";
import { type StoresUnderTest, testStores } from "../src/testing/index.ts";
import { onBothEngines } from "./both-engines.ts";

const Line = z.object({ id: z.string(), n: z.number() });
type Line = z.infer<typeof Line>;
const Notes = contract("notes", "1.0.0", {
  write: command({ input: z.object({ lines: z.array(Line) }) }),
  good: query({ input: z.object({}), output: z.array(z.string()) }),
  bad: query({ input: z.object({}), output: z.array(z.string()) }),
  Written: event(Line),
});
type Handle = (line: Line, rows: Rows<Line, Line, "id">) => void;

/** Two read models of the same events, of which one is written with less care. */
function toNotes(handle: Handle) {
  const notes = entity("note", { events: Notes, state: z.null(), initial: null, evolve: { Written: () => null } });
  const shape = { version: 1, events: Notes, row: Line, key: "id", indexes: ["n"] } as const;
  const good = readModel("good", { ...shape, on: { Written: (line, rows) => rows.put(line) } });
  const bad = readModel("bad", { ...shape, on: { Written: handle } });
  const ids = (rows: readonly Line[]): string[] => rows.map(({ id }) => id);
  return store(
    Notes,
    { notes, good, bad },
    {
      write: async ({ lines }, { notes }) => {
        for (const line of lines) await notes(line.id).decide((_, { Written }) => Written(line));
      },
      good: async (_, { good }) => ids(await good.find({})),
      bad: async (_, { bad }) => ids(await bad.find({})),
    },
  );
}
const mended: Handle = (line, rows) => rows.put(line);
const throwing: Handle = (line, rows) => {
  if (line.n === 13) throw new Error("Not thirteen.");
  rows.put(line);
};
const unstorable: Handle = (line, rows) => {
  rows.put(line);
  if (line.n === 13) rows.patch(line.id, { n: "thirteen" as never });
};
const groundless: Handle = (line, rows) => {
  if (line.n === 13) rows.increment(line.id, { n: "much" as never });
  else rows.put(line);
};

/** A command waits for the parking for a moment only, and a busy machine may take longer. */
const eventually = <T>(look: () => Promise<T>) => expect.poll(look, { timeout: 60_000, interval: 20 });
const write = (stores: StoresUnderTest, ...lines: Line[]) => stores.client(Notes).write({ lines });
const line = (id: string, n = 1): Line => ({ id, n });

onBothEngines((tellIt) => {
  const story = (tell: (engine: Engine) => Promise<void>) => () => tellIt(tell);
  const parkedOf = async ({ storage }: StoresUnderTest, model: string) =>
    (await storage.parked(`notes.${model}@1`)).map(({ position, reason }) => ({ position, reason }));

  test.each([
    ["a handler that throws", throwing, "Not thirteen."],
    ["a row that the engine cannot hold", unstorable, "cannot hold"],
    ["a field that cannot be added to", groundless, "much"],
  ])("%s fails no command: the event is parked with the reason, and taken once it is mended", (_, handle, reason) =>
    story(async (engine) => {
      {
        await using stores = await testStores([toNotes(handle)], { engine });
        await write(stores, line("a"));
        await write(stores, line("b"), line("c", 13), line("d"));
        await eventually(() => parkedOf(stores, "bad")).toEqual([
          { position: 3, reason: expect.stringContaining(reason) },
        ]);
        await eventually(() => stores.client(Notes).bad({})).toEqual(["a", "b", "d"]);
        await write(stores, line("e"));
        await eventually(() => stores.client(Notes).bad({})).toEqual(["a", "b", "d", "e"]);
        expect(await stores.client(Notes).good({})).toEqual(["a", "b", "c", "d", "e"]);
        expect(await parkedOf(stores, "good")).toEqual([]);
      }
      await using stores = await testStores([toNotes(mended)], { engine });
      expect(await stores.storage.resume("notes.bad@1")).toEqual({ done: 1, parked: 0 });
      expect(await stores.client(Notes).bad({})).toEqual(["a", "b", "c", "d", "e"]);
    })(),
  );

  test("a command whose model was left out has happened, though the engine is away a moment later", () =>
    story(async (engine) => {
      let isAway = false;
      const away = () => Promise.reject(new Fault("Unavailable", "The disk sleeps.", { outcome: "not done" }));
      const leaving = toChanged(engine, {
        append: async (log, appends) => {
          const outcomes = await engine.append(log, appends);
          isAway ||= appends.some(({ events }) => events.length > 0);
          return outcomes;
        },
        head: (log) => (isAway ? away() : engine.head(log)),
      });
      await using stores = await testStores([toNotes(throwing)], { engine: leaving });
      await write(stores, line("a", 13));
      isAway = false;
      expect((await engine.head("main")).position).toBe(1);
      await eventually(() => parkedOf(stores, "bad")).toMatchObject([{ position: 1 }]);
    })());

  test("the model that can goes on in the commit of its event while its neighbour is left out", () =>
    story(async (engine) => {
      const led: string[] = [];
      const watched = toChanged(engine, {
        commit: (checkpoint, writes) => {
          led.push(checkpoint.reader);
          return engine.commit(checkpoint, writes);
        },
      });
      await using stores = await testStores([toNotes(unstorable)], { engine: watched });
      await write(stores, line("a"));
      await write(stores, line("b", 13));
      expect(await engine.checkpoint("main", "notes.good@1")).toMatchObject({ position: 2 });
      expect(await stores.client(Notes).good({})).toEqual(["a", "b"]);
      await eventually(async () => led).toContain("notes.bad@1");
      expect(led).not.toContain("notes.good@1");
    })());

  test("an event from outside of the stores, whose handler throws, is written and parked", () =>
    story(async (engine) => {
      const storage = await openStorage([toNotes(throwing)], { engine, clock: systemClock });
      const about = (key: string) => ({ category: "run-x", id: "r1", key, trace: silent });
      await storage.emit(Notes.Written, line("a", 13), about("k1"));
      await storage.emit(Notes.Written, line("b"), about("k2"));
      expect((await engine.head("main")).position).toBe(2);
      await eventually(() => storage.parked("notes.bad@1")).toMatchObject([{ position: 1, reason: "Not thirteen." }]);
      const keys = async () => (await engine.find("notes.bad@1", { limit: 9 })).map(({ key }) => key);
      await eventually(keys).toEqual(["b"]);
      await storage.close();
    })());

  test("what is appended while a model parks is not left out of it, also where nothing comes afterwards", () =>
    story(async (engine) => {
      const gate = Promise.withResolvers<void>();
      const slow = toChanged(engine, {
        commit: (checkpoint, writes) => gate.promise.then(() => engine.commit(checkpoint, writes)),
      });
      await using stores = await testStores([toNotes(throwing)], { engine: slow });
      await write(stores, line("a", 13));
      await write(stores, line("b"));
      gate.resolve();
      await eventually(() => stores.client(Notes).bad({})).toEqual(["b"]);
    })());

  test("a model that takes nothing stops after a thousand, and the commands go on", () =>
    story(async (engine) => {
      const never: Handle = () => {
        throw new Error("Never.");
      };
      await using stores = await testStores([toNotes(never)], { engine });
      for (let batch = 0; batch < 11; batch++)
        await write(stores, ...Array.from({ length: 100 }, (_, n) => line(`n${batch}-${n}`)));
      expect((await engine.head("main")).position).toBe(1_100);
      const model = async (name: string) =>
        (await stores.storage.status()).readModels.find(({ reader }) => reader === `notes.${name}@1`);
      await eventually(() => model("bad")).toMatchObject({
        parked: 1_000,
        stopped: expect.stringContaining("has parked 1000 events"),
      });
      await write(stores, line("last"));
      expect(await model("good")).toMatchObject({ behind: 0, parked: 0 });
    })());
});
