import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { launchUpstreams, type Upstreams } from "../upstreams/launch.ts";
import { wellBehaved } from "../upstreams/settings.ts";
import { TripsClient } from "./client.ts";
import { makeKeys, toEnvironment } from "./environment.ts";
import { holdFolder, prepareFolder } from "./folder.ts";
import { paint } from "./paint.ts";
import { readTrace } from "./spans.ts";
import { type Page, tellPage, tellTrace } from "./story.ts";
import { supervise } from "./supervisor.ts";

/** Books one trip and fetches one page, tells both stories, and ends. Leaves nothing behind unless it was given a folder. */
export async function once(): Promise<void> {
  const given = process.env.TRILITH_DATA;
  const data = given ? resolve(given) : await mkdtemp(join(tmpdir(), "trilith-once-"));
  await using ends = new AsyncDisposableStack();
  if (!given) ends.defer(() => rm(data, { recursive: true, force: true }));
  await prepareFolder(data);
  const held = holdFolder(data);
  ends.defer(() => held.release());
  const upstreams = ends.use(await launchUpstreams({ data, quiet: true, behaviour: { all: wellBehaved } }));
  // A port of its own unless one was asked for: the example may be running beside it.
  // And no reports of flights beside the two stories, which would be in their log.
  const environment = {
    ...toEnvironment(upstreams.urls, data),
    PORT: process.env.PORT || "0",
    TRIPS_REPORTS_URL: "",
  };
  const backend = await supervise({ environment });
  ends.defer(() => backend.stop());
  const client = new TripsClient(backend.url, (await makeKeys(data)).newcomer);
  console.log(await tellTrip(client, backend.url, upstreams));
  console.log(await tellAirport(client, backend.url, upstreams));
}

async function tellTrip(client: TripsClient, url: string, upstreams: Upstreams): Promise<string> {
  // The payment is made, but its answer gets lost: the step is tried again with the same payment, and charges nothing twice.
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
  const books = (await (await fetch(`${upstreams.urls.payments}/ledger/totals`)).json()) as Totals;
  return `
${paint("bold", "1. A trip is booked")}: ${flight} for Ada Lovelace, ticket ${booked.ticket}, in ${booked.ms.toFixed(0)} ms

  Orchestration decides and writes each step to its journal (log runs); storage keeps the seat and the ticket (log
  main); fares and payments are other people's services. The payment was made and its answer got lost, so the step
  was tried again. The payment service's own books: asked ${times(books.chargeAttempts)}, charged ${times(books.charged)}, $${(books.chargedCents / 100).toFixed(2)}.

${tellTrace(await readTrace(url, booked.trace))}`;
}

/** Its budget is milliseconds: on a machine that is busy, the first answer may be that there is none yet. */
async function untilAvailable(ask: () => Promise<Response>): Promise<Response> {
  for (let tries = 1; ; tries++) {
    const response = await ask();
    if (response.status !== 503 || tries === 5) return response;
    await response.body?.cancel();
  }
}

interface Totals {
  readonly chargeAttempts: number;
  readonly charged: number;
  readonly chargedCents: number;
}
const times = (count: number): string => ["never", "once", "twice"][count] ?? `${count} times`;

async function tellAirport(client: TripsClient, url: string, upstreams: Upstreams): Promise<string> {
  await upstreams.control("ourairports", { mode: "down" });
  const response = await untilAvailable(() => client.get("/airports/ABQ?meta=true"));
  const trace = response.headers.get("trace-id") ?? "";
  if (!response.ok) throw new Error(`The page was not answered: ${response.status} ${await response.text()}`);
  return `
${paint("bold", "2. A page is fetched")}: airport ABQ, while the registry ourairports is down

  Aggregation asked three registries that disagree and a departure board, all at once. The registry that is down costs
  what it would have said and not the answer: each field says who it is from, by which rule, and what was not taken.

${tellPage((await response.json()) as Page)}

${tellTrace(await readTrace(url, trace))}
`;
}
