// Asks a server over HTTP: `node load-process.ts <origin> <file of requests> <parameter>`, in rounds.
import { pathToFileURL } from "node:url";
import { closedLoop } from "./closed-loop.ts";
import { Connection } from "./connection.ts";
import type { FromLoad, Requests, ToLoad } from "./load-messages.ts";
import { openLoop } from "./open-loop.ts";
import { Wrong } from "./subject.ts";

const [origin = "", file = "", parameter = ""] = process.argv.slice(2);
const { toRequests } = (await import(pathToFileURL(file).href)) as {
  toRequests(parameter: string): Requests;
};
const { next, check } = toRequests(parameter);
const connections: Connection[] = [];
const numbers: number[] = [];

async function ask(client: number): Promise<number> {
  connections[client] ??= new Connection(origin);
  const number = numbers[client] ?? 0;
  numbers[client] = number + 1;
  check(await connections[client].ask(next(client, number)), client, number);
  return 1;
}

process.on("message", async ({ round }: ToLoad) => {
  try {
    const { rate } = round;
    const measured = await (rate === undefined ? closedLoop(round, ask) : openLoop({ ...round, rate }, ask));
    process.send?.({ measured } satisfies FromLoad);
  } catch (error) {
    const failed = error instanceof Error ? error.message : String(error);
    process.send?.({ failed, wrong: error instanceof Wrong } satisfies FromLoad);
  }
});
process.on("disconnect", () => process.exit(0));
