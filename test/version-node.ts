// A process that weighs parcels on PostgreSQL: `node version-node.ts <url> <schema> <old | up | down> <lease>`. Its code
// knows version 1 of an event, or version 2 with a way up, or also with a way down. It is asked through its channel.
import { command, contract, event, query, systemClock, upcast } from "trilith/contracts";
import { openPostgres } from "trilith/postgres";
import { entity, readModel, store, subscription } from "trilith/storage";
import { z } from "zod";
import { anonymous, type Call, type Duration, silent } from "../src/contracts/index.ts";
import { openStorage } from "../src/storage/host.ts";

const [url = "", schema = "", code = "old", lease = "30s"] = process.argv.slice(2);
const First = z.object({ id: z.string(), grams: z.int() });
const Second = z.object({ id: z.string(), kilos: z.number() });
const first = {
  schema: First,
  up: ({ id, grams }: z.infer<typeof First>) => ({ id, kilos: grams / 1_000 }),
  down: ({ id, kilos }: z.infer<typeof Second>) => ({ id, grams: Math.round(kilos * 1_000) }),
};
const isOld = code === "old";
const step = code === "down" ? upcast(first.schema, first.up, first.down) : upcast(first.schema, first.up);
const Parcels = contract("parcels", isOld ? "1.0.0" : "2.0.0", {
  weigh: command({ input: z.object({ id: z.string(), grams: z.int() }) }),
  all: query({ input: z.object({}), output: z.any() }),
  Weighed: isOld ? event(First) : event(Second, { version: 2, from: [step] }),
});
const gramsOf = (payload: { readonly grams?: number; readonly kilos?: number }): number =>
  payload.grams ?? Math.round((payload.kilos ?? 0) * 1_000);
const parcels = entity("parcel", {
  events: Parcels,
  state: z.object({ grams: z.int() }),
  initial: { grams: 0 },
  evolve: { Weighed: ({ grams }, payload) => ({ grams: grams + gramsOf(payload) }) },
});
const kinds = ["inline", "async"] as const;
const [inline, later] = kinds.map((kept) =>
  readModel(`total-${kept}`, {
    version: isOld ? 1 : 2,
    kept,
    events: Parcels,
    row: z.object({ id: z.string(), grams: z.int(), count: z.int() }),
    key: "id",
    on: { Weighed: (payload, rows) => rows.increment("all", { grams: gramsOf(payload), count: 1 }) },
  }),
);
if (!inline || !later) throw new Error("There are two kinds.");
let told = 0;
const mail = subscription("mail", { events: Parcels, partitions: 2, handle: { Weighed: () => void told++ } });
const declared = store(
  Parcels,
  { parcels, inline, later, mail },
  {
    weigh: ({ id, grams }, { parcels }) =>
      parcels(id).decide((_, { Weighed }) =>
        (Weighed as (payload: object) => ReturnType<typeof Weighed>)(
          isOld ? { id, grams } : { id, kilos: grams / 1_000 },
        ),
      ), // of either version
    all: async (_, { inline, later }) => [await inline.get("all"), await later.get("all")],
  },
);

const engine = await openPostgres({ url, schema, connections: 3 });
const reports: string[] = [];
const opening = openStorage([declared], {
  ...{ engine, clock: systemClock, process: `${code} ${process.pid}`, lease: lease as Duration },
  report: (sentence) => reports.push(sentence),
});
const storage = await opening.catch(async (error: Error) => {
  process.send?.({ number: 0, answer: error.message });
  await engine.close();
  process.disconnect();
  process.exit(1);
});
const call = (operation: string, input: unknown): Promise<any> => {
  const provider = storage.providers.find((one) => one.operation === `parcels.${operation}`);
  const by: Call = { principal: anonymous, trace: silent, aborted: new AbortController().signal };
  return Promise.resolve(provider?.handle(input, by, input)).then((reply) => (reply as { output?: unknown }).output);
};
const failures: string[] = [];
let written = 0;
let goesOn = false;
let writing: Promise<unknown> = Promise.resolve();
/** Adds to five parcels that all processes share, and looks at them. */
async function write(): Promise<void> {
  while (goesOn) {
    try {
      await call("weigh", { id: `parcel-${written % 5}`, grams: 1 + (written % 7) });
      written++;
      await call("all", {});
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
}
const ways: { readonly [ask: string]: () => unknown } = {
  go: () => {
    goesOn = true;
    writing = Promise.all([write(), write()]);
  },
  stop: async () => {
    goesOn = false;
    await writing;
    return { written, failures, reports };
  },
  once: () => call("weigh", { id: "parcel-0", grams: 1 }).then(() => "written"),
  written: () => written,
  told: () => told,
  totals: () => call("all", {}),
  status: async () => {
    const { readModels, subscriptions, held } = await storage.status();
    return { stopped: [...readModels, ...subscriptions].flatMap(({ stopped }) => stopped ?? []), held, reports };
  },
  close: async () => {
    await storage.close();
    await engine.close();
  },
};
process.on("message", async ({ number, ask }: { number: number; ask: string }) => {
  const answer = await Promise.resolve()
    .then(() => ways[ask]?.())
    .catch((error: Error) => error.message);
  process.send?.({ number, answer });
  if (ask === "close") process.disconnect();
});
process.send?.({ number: 0, answer: "up" });
