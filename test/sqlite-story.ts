// A short story that a process writes to SQLite: `node sqlite-story.ts <folder> <alone> <together>`, with so many appends
// one after the other and then so many at once. It prints each append's id with what became of it, and ends by itself.
import type { Fault } from "trilith/contracts";
import { openSqlite } from "trilith/sqlite";

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const [folder = "", alone, together] = process.argv.slice(2);
const engine = await openSqlite({ folder }).catch((error: Error) => {
  say(`refused ${error.message}`);
  process.exit(1);
});
let drawn = 0;
async function append(): Promise<void> {
  const id = `00000000-0000-7000-8000-${(drawn++).toString(16).padStart(12, "0")}`;
  const events = ["a/1", `b/${drawn}`].map((stream) => ({ stream, type: "t.Said", version: 1, data: '"x"' }));
  const documents = [{ collection: "counts", increment: "all", by: { n: 1 }, initial: { n: 0 } }];
  const written = engine.append("main", [{ id, expect: [], events, documents, receipt: { key: id, digest: "d" } }]);
  await written.then(
    ([outcome]) => say(`${id} ${outcome?.ok ? "acknowledged" : JSON.stringify(outcome)}`),
    ({ code, outcome, message }: Fault) => say(`${id} ${code} ${outcome} ${message}`),
  );
}

const defined = engine.define({ name: "counts", columns: [], indexes: [] });
await defined.then(
  () => say("defined"),
  (error: Error) => say(`not defined ${error.message}`),
);
for (let n = 0; n < Number(alone); n++) await append();
await Promise.all(Array.from({ length: Number(together) }, append));
await engine.close().catch((error: Error) => say(`not closed ${error.message}`));
say("closed");
