import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { launchUpstreams } from "../upstreams/launch.ts";
import { wellBehaved } from "../upstreams/settings.ts";
import { TripsClient } from "./client.ts";
import { makeKeys, prepareFolder, toEnvironment } from "./environment.ts";
import { readTrace } from "./spans.ts";
import { type Page, tellPage, tellTrace } from "./story.ts";
import { DidNotStart, supervise } from "./supervisor.ts";

/** Books one trip and fetches one page, tells both stories, and ends. Leaves nothing behind unless it was given a folder. */
export async function once(): Promise<void> {
  const given = process.env.TRILITH_DATA;
  const data = given === undefined ? await mkdtemp(join(tmpdir(), "trilith-once-")) : resolve(given);
  await using ends = new AsyncDisposableStack();
  if (given === undefined) ends.defer(() => rm(data, { recursive: true, force: true }));
  await prepareFolder(data);
  const upstreams = ends.use(await launchUpstreams({ data, quiet: true, behaviour: { all: wellBehaved } }));
  const keys = await makeKeys(data);
  const environment = {
    PORT: "0",
    ...(process.env.PORT !== undefined && { PORT: process.env.PORT }),
    ...toEnvironment(upstreams.urls, data),
  };
  const backend = await supervise({ environment }).catch((error: unknown) => {
    if (error instanceof DidNotStart) throw new Error("Nothing was booked.", { cause: error });
    throw error;
  });
  ends.defer(() => backend.stop());
  const client = new TripsClient(backend.url, keys.newcomer);

  // The payment is made, but its answer gets lost: the step is tried again with the same key, and charges nothing twice.
  await upstreams.control("payments", { next: ["reset-after-work"] });
  const flight = "ABQ-DAL-20010227-1430";
  const booked = await client.book({
    flight,
    booking: randomUUID(),
    traveller: "Ada Lovelace",
    card: "card-1815",
    lastKnownFare: 199.99,
  });
  if (booked.kind !== "ticketed") throw new Error(`The trip was not ticketed: ${JSON.stringify(booked)}`);
  console.log(
    `\nA trip was booked: ${flight}, ticket ${booked.ticket}, ${booked.ms.toFixed(0)} ms.\nThe payment service lost its first answer on the way.\n`,
  );
  console.log(tellTrace(await readTrace(backend.url, booked.trace)));

  await upstreams.control("ourairports", { mode: "down" });
  const response = await client.get("/airports/ABQ?meta=true");
  const trace = response.headers.get("trace-id") ?? "";
  if (!response.ok) throw new Error(`The page was not answered: ${response.status} ${await response.text()}`);
  console.log("\nA page was fetched: airport ABQ, while the registry ourairports was down.\n");
  console.log(tellPage((await response.json()) as Page));
  console.log(`\n${tellTrace(await readTrace(backend.url, trace))}\n`);
}
