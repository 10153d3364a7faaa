// A process that is told of tallies on PostgreSQL: `node subscriber.ts <url> <schema> <partitions>`. It prints what it takes.
import { openPostgres } from "trilith/postgres";
import { subscription } from "trilith/storage";
import { openOn, Tally, toTallyStore } from "../src/storage/test-kit.test-d.ts";

const [url = "", schema = "", partitions = "1"] = process.argv.slice(2);
const listener = subscription("listener", {
  events: Tally,
  partitions: Number(partitions),
  lease: "5s",
  handle: {
    Added: async ({ id, amount }, { position }) => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 8));
      process.stdout.write(`took ${JSON.stringify({ id, amount, position, at: Date.now() })}\n`);
    },
  },
});
const engine = await openPostgres({ url, schema, connections: 2 });
const backend = await openOn(engine, [toTallyStore({ kept: "inline" }), listener]);
process.on("SIGTERM", async () => {
  await backend.storage.close();
  await engine.close();
  process.stdout.write("closed\n");
});
process.stdout.write("open\n");
