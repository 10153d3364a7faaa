// A process that is told of tallies on PostgreSQL: `node subscriber.ts <url> <schema> <start>`. Its hours are minutes, from
// an instant that all of them share, so that nobody waits long for the lease of one that was killed. It prints what it takes.
import { systemClock } from "trilith/contracts";
import { openPostgres } from "trilith/postgres";
import { subscription } from "trilith/storage";
import { openOn, Tally, toTallyStore } from "../src/storage/test-kit.test-d.ts";

const [url = "", schema = "", start = ""] = process.argv.slice(2);
const speed = 60;
const clock = {
  ...systemClock,
  now: () => Number(start) + (Date.now() - Number(start)) * speed,
  after: (ms: number, wake: () => void) => systemClock.after(ms / speed, wake),
};
const listener = subscription("listener", {
  events: Tally,
  handle: {
    Added: async ({ id, amount }, { position }) => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 8));
      process.stdout.write(`took ${JSON.stringify({ id, amount, position, at: Date.now() })}\n`);
    },
  },
});
const engine = await openPostgres({ url, schema, connections: 2 });
await openOn(engine, [toTallyStore(), listener], { clock });
process.stdout.write("open\n");
