// A process that appends to PostgreSQL from many clients: `node postgres-writer.ts <url> <schema> <name> [early|slow]`. It
// prints the id of each append once it is acknowledged, or with "early" before it is asked for. With "slow" its clients rest
// for a millisecond between two appends.
import { flushCompileCache } from "node:module";
import { setTimeout as pause } from "node:timers/promises";
import { openPostgres } from "trilith/postgres";

const [url = "", schema = "", name = "0", when = ""] = process.argv.slice(2);
const engine = await openPostgres({ url, schema, connections: 2 });
await engine.define({ name: "counts", columns: [], indexes: [] });
let next = 0;
const toId = (): string =>
  `00000000-000${name}-7000-8000-${(Date.now() * 1_000 + next++).toString(16).padStart(12, "0").slice(-12)}`;
const say = (line: string): void => void process.stdout.write(`${line}\n`);
say("open");
flushCompileCache(); // where there is one; who is killed keeps none by itself

process.on("message", () => {
  ending = true;
});
let ending = false;
await Promise.all(
  Array.from({ length: 8 }, async (_, client) => {
    let revision = -1;
    while (!ending) {
      const id = toId();
      const shared = `shared/${Math.floor(Math.random() * 3)}`;
      const kind = Math.random();
      const events = [`client/${name}-${client}`, shared, shared].map((stream) => ({
        stream,
        type: "t.Said",
        version: 1,
        data: "1",
      }));
      if (when === "early") say(id);
      const [outcome] = await engine.append("main", [
        {
          id,
          events,
          receipt: { key: id, digest: "d" },
          readers: ["r"],
          // Some lose a race for a stream that others write to as well; some cannot be, which undoes their whole group.
          expect: kind < 0.3 ? [{ stream: shared, revision }] : [],
          documents:
            kind > 0.97
              ? [{ collection: "counts", increment: "text", by: { n: 1 }, initial: { n: "not a number" } }]
              : [{ collection: "counts", increment: "all", by: { appends: 1 }, initial: { appends: 0 } }],
        },
      ]);
      if (outcome?.ok && "revisions" in outcome) {
        revision = outcome.revisions[shared] ?? -1;
        if (when !== "early") say(id);
      } else if (outcome && !outcome.ok && outcome.why === "conflict") revision = outcome.actual;
      if (when === "slow") await pause(1);
    }
  }),
);
await engine.close();
say("closed");
process.disconnect();
