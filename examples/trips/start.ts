// npm start: the whole example, alive. npm start -- --once: one trip and one page, told and done.
import { parseArgs } from "node:util";
import { readSettings } from "trilith";
import { live } from "./run/live.ts";
import { once } from "./run/once.ts";
import { DidNotStart } from "./run/supervisor.ts";

const usage = `npm start                starts the example: upstreams, backend, traffic, console
npm start -- --once      books one trip, fetches one airport page with a registry down, tells both stories, and ends

PORT=4400 HOST=127.0.0.1 TRILITH_DATA=.data/trips and every setting of docs/guides/configuration.md`;

try {
  const { values } = parseArgs({ options: { once: { type: "boolean" }, help: { type: "boolean", short: "h" } } });
  if (values.help) console.log(usage);
  else {
    readSettings(process.env); // what is misspelt is said before anything is started
    await (values.once ? once() : live());
  }
  process.exit();
} catch (error) {
  // A backend that did not start has said why itself.
  if (!(error instanceof DidNotStart)) console.error(error instanceof Error ? error.message : error);
  process.exit(error instanceof DidNotStart ? error.code : 1);
}
