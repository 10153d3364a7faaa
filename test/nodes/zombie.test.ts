import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { systemClock } from "../../src/contracts/index.ts";
import { openPostgres } from "../../src/engines/postgres/index.ts";
import { toRunId } from "../../src/orchestration/journal/identity.ts";
import { openRunJournal } from "../../src/runtime/run-journal.ts";
import { startNodeProcess } from "../chaos/processes.ts";
import { openDatabase, type TestDatabase } from "../shared-postgres.ts";

const file = fileURLToPath(new URL("./zombie-backend.ts", import.meta.url));
const leaseMs = 1_000;
let postgres: TestDatabase;
let folder: string;
beforeAll(async () => {
  postgres = await openDatabase();
  folder = await mkdtemp(join(tmpdir(), "trilith-zombie-"));
}, 120_000);
afterAll(async () => {
  await postgres.remove();
  await rm(folder, { recursive: true, force: true });
});

it("a node that was held beyond its lease writes nothing into runs that others have, and goes on with what is its own", {
  timeout: 120_000,
}, async () => {
  await using ends = new AsyncDisposableStack();
  // An outside service that lets the first call hang until it is told otherwise.
  const calls: (() => void)[] = [];
  const service = createServer((_, response) => {
    calls.push(() => response.end("done"));
    if (calls.length > 1) calls.at(-1)?.();
  }).listen(0, "127.0.0.1");
  await once(service, "listening");
  ends.defer(() => void service.close());
  const environment = {
    ...{ TRILITH_POSTGRES: postgres.url, TRILITH_LEASE: `${leaseMs}ms`, TRILITH_DATA: folder, TRILITH_LOG: "fatal" },
    ...{ TRILITH_CONSOLE: "off", OUTSIDE: `http://127.0.0.1:${(service.address() as AddressInfo).port}` },
  };
  const zombie = await startNodeProcess(environment, file);
  ends.defer(() => zombie.end());
  const survivor = await startNodeProcess(environment, file);
  ends.defer(() => survivor.end());
  const ask = async (url: string | undefined, key: string, wait: number): Promise<Response> =>
    fetch(`${url}/visits`, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": key, prefer: `wait=${wait}` },
      body: JSON.stringify({ id: key }),
    });

  expect((await ask(zombie.url, "held", 0)).status).toBe(202);
  while (calls.length < 1) await pause(10);
  const thaw = zombie.freeze();
  const held = performance.now();
  const answer = await ask(survivor.url, "held", 15); // joins the run, which lives on the node that is held
  expect(await answer.json()).toEqual({ by: "survivor" });
  const adoptedMs = performance.now() - held;
  console.info(`adopted and ended after ${Math.round(adoptedMs)} ms, with a lease of ${leaseMs} ms`);
  expect(adoptedMs).toBeLessThan(2 * leaseMs + 5_000);

  thaw();
  calls[0]?.(); // the zombie's own call is answered now: it has a result, and may not write it
  expect((await ask(zombie.url, "fresh", 10)).status).toBe(200);
  const engine = await openPostgres({ url: postgres.url, connections: 1 });
  ends.defer(() => engine.close());
  const journal = await openRunJournal(engine, systemClock);
  const entries = await journal.read(toRunId("anonymous", "visits.make", "held"));
  expect(entries.filter(({ type }) => type === "Claimed")).toHaveLength(1);
  expect(entries.map((entry) => ("path" in entry ? `${entry.type} ${entry.path}` : entry.type))).toEqual([
    ...["Started", "StepStarted guests.note", "StepDone guests.note", "StepStarted outside", "Claimed"],
    ...["StepDone outside", "StepStarted guests.leave", "StepDone guests.leave", "Ended"],
  ]);
  const events = await engine.read("main", { after: 0, limit: 100 });
  const held2 = events.filter(({ data }) => (JSON.parse(data) as { readonly id: string }).id === "held");
  expect(held2.map(({ type }) => type)).toEqual(["guests.Noted", "guests.Left"]);
});
