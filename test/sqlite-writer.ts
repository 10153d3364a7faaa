// A process that appends to SQLite from many clients: `node sqlite-writer.ts <folder> [early]`. Once it is told a position
// on its input, it opens the folder, says what stands after that position, and appends until it is killed. It prints the id
// of each append once it is acknowledged, or with "early" before it is asked for.
import { once } from "node:events";
import { flushCompileCache } from "node:module";
import { openSqlite } from "trilith/sqlite";

type Engine = Awaited<ReturnType<typeof openSqlite>>;
/** What a process says that comes upon a folder. */
export interface Found {
  readonly position: number;
  readonly epoch: number;
  /** How many appends the document has counted that travels with each. */
  readonly counted: number;
  /** In the log's order. */
  readonly events: readonly { readonly append: string; readonly stream: string; readonly revision: number }[];
  /** Appends that left events and no receipt. */
  readonly withoutReceipt: readonly string[];
}

const counts = { name: "counts", columns: [], indexes: [] };
const say = (line: string): void => void process.stdout.write(`${line}\n`);

if (import.meta.main) {
  const [folder = "", when = ""] = process.argv.slice(2);
  const [told] = (await once(process.stdin, "data")) as [Buffer];
  try {
    await write(folder, Number(told), when === "early");
  } catch (error) {
    say(`refused ${(error as Error).message}`);
    process.exit(1);
  }
}

async function write(folder: string, after: number, early: boolean): Promise<void> {
  const engine = await openSqlite({ folder });
  await engine.define(counts);
  say(JSON.stringify(await look(engine, after)));
  flushCompileCache(); // where there is one; who is killed keeps none by itself
  let next = Date.now() * 100;
  await Promise.all(
    Array.from({ length: 32 }, async (_, client) => {
      for (;;) {
        const id = `00000000-0000-7000-8000-${(next++).toString(16).padStart(12, "0")}`;
        if (early) say(id);
        await engine.append("main", [toAppend(client, id)]);
        if (!early) say(id);
      }
    }),
  );
}

function toAppend(client: number, id: string): Parameters<Engine["append"]>[1][number] {
  const streams = [`client/${client}`, `shared/${client % 3}`];
  const events = [...streams, ...streams].map((stream) => ({ stream, type: "t.Said", version: 1, data: "1" }));
  const documents = [{ collection: "counts", increment: "all", by: { n: 1 }, initial: { n: 0 } }];
  return { id, expect: [], events, documents, receipt: { key: id, digest: "d" }, readers: ["r"] };
}

/** A folder that has lived: its streams are old, and their entries are about to move together. */
export async function prepareFolder(folder: string): Promise<void> {
  const engine = await openSqlite({ folder });
  await engine.define(counts);
  const append = (from: number, to: number) =>
    engine.append(
      "main",
      Array.from({ length: to - from }, (_, n) => toAppend((from + n) % 32, `before ${from + n}`)),
    );
  await append(0, 32);
  const others = Array.from({ length: 1_100 }, (_, n) => ({ stream: `o/${n}`, type: "t.Said", version: 1, data: "1" }));
  await engine.append("other", [{ id: "others", expect: [], events: others }]);
  for (let from = 32; from < 2_032; from += 250) await append(from, from + 250);
  await engine.close();
}

async function look(engine: Engine, after: number): Promise<Found> {
  const events: { append: string; stream: string; revision: number }[] = [];
  for (let seen = after; ; ) {
    const page = await engine.read("main", { after: seen, limit: 1_000 });
    if (page.length === 0) break;
    for (const { id, stream, revision, position } of page) {
      if (position !== ++seen) throw new Error(`After position ${seen - 1} comes ${position}.`);
      events.push({ append: id.slice(0, id.lastIndexOf("/")), stream, revision });
    }
  }
  const withoutReceipt: string[] = [];
  for (const id of new Set(events.map(({ append }) => append)))
    if ((await engine.receipt("main", id)) === undefined) withoutReceipt.push(id);
  const [counted] = await engine.find("counts", { key: "all", limit: 1 });
  const { epoch, position } = await engine.checkpoint("main", "r");
  return { position, epoch, counted: (counted?.data as { n: number } | undefined)?.n ?? 0, events, withoutReceipt };
}
