// A process that counts notes on PostgreSQL, with one version of the code: `node model-node.ts <url> <schema> <version> <kept>`.
// It is asked through its channel, and answers each question with its number.
import { command, contract, event, query } from "trilith/contracts";
import { openPostgres } from "trilith/postgres";
import { entity, readModel, store } from "trilith/storage";
import { testStores } from "trilith/testing";
import { z } from "zod";

const [url = "", schema = "", version = "1", kept = "inline"] = process.argv.slice(2);
const Note = z.object({ id: z.string(), n: z.int() });
const Count = z.object({ group: z.int(), count: z.int(), sum: z.int().optional() });
const Notes = contract("notes", "1.0.0", {
  write: command({ input: Note }),
  counts: query({ input: z.object({}), output: z.array(Count) }),
  Written: event(Note),
});
const notes = entity("note", { events: Notes, state: z.object({}), initial: {}, evolve: { Written: () => ({}) } });
const counts = readModel("count", {
  version: Number(version),
  kept: kept as "inline" | "async",
  events: Notes,
  row: Count,
  key: "group",
  indexes: version === "1" ? [] : ["sum"],
  initial: { count: 0 },
  on: {
    // Increments, so that an event that is missed or taken twice stays visible for good.
    Written: ({ n }, rows) => rows.increment(n % 5, version === "1" ? { count: 1 } : { count: 1, sum: n }),
  },
});
const declared = store(
  Notes,
  { notes, counts },
  {
    write: (note, { notes }) => notes(note.id).decide((_, { Written }) => Written(note)),
    counts: (_, { counts }) => counts.find({}),
  },
);

const engine = await openPostgres({ url, schema, connections: 3 });
const stores = await testStores([declared], { engine });
const client = stores.client(Notes);
const failures: string[] = [];
let written = 0;
let goesOn = false;
let writing: Promise<unknown> = Promise.resolve();

/** Writes and reads, as users do, until it is told to stop. */
async function write(): Promise<void> {
  while (goesOn) {
    try {
      await client.write({ id: `${process.pid} ${written}`, n: ++written });
      const seen = await client.counts({});
      if (kept === "inline" && seen.length === 0) failures.push("There are no rows.");
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
}
const ways: { readonly [ask: string]: (reader: string) => unknown } = {
  go: () => {
    goesOn = true;
    writing = Promise.all([write(), write(), write()]);
  },
  stop: async () => {
    goesOn = false;
    await writing;
    return { written, failures };
  },
  written: () => written,
  fill: async () => {
    for (let n = 0; n < 2_000; n += 100)
      await Promise.all(
        Array.from({ length: 100 }, () => client.write({ id: `${process.pid} ${written}`, n: ++written })),
      );
  },
  counts: () => client.counts({}),
  status: async () => (await stores.storage.status()).readModels[0],
  rebuild: (reader) => stores.storage.rebuild(reader),
  retired: () => stores.storage.retired(),
  drop: (reader) => stores.storage.drop(reader).then(() => "dropped"),
  close: async () => {
    await stores.close();
    await engine.close();
  },
};
process.on("message", async ({ number, ask, reader }: { number: number; ask: string; reader: string }) => {
  const answer = await Promise.resolve(ways[ask]?.(reader)).catch((error: Error) => error.message);
  process.send?.({ number, answer });
  if (ask === "close") process.disconnect();
});
process.send?.({ number: 0 });
