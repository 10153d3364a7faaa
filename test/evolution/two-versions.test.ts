import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Trip, TripsClient } from "../../examples/trips/run/client.ts";
import { toEnvironment } from "../../examples/trips/run/environment.ts";
import { launchUpstreams, type Upstreams } from "../../examples/trips/upstreams/launch.ts";
import { wellBehaved } from "../../examples/trips/upstreams/settings.ts";
import { contractsCommand } from "../../src/cli/contracts-command.ts";
import { createApiKey } from "../../src/runtime/index.ts";
import { freePort, type Program, startProgram } from "../program.ts";

// The example grows by a major version while it has events stored and runs under way. Both backends are processes.
const root = resolve(import.meta.dirname, "../..");
const first = join(root, "examples/trips/backend.ts");
const second = join(import.meta.dirname, "trips-2/backend.ts");
const lock = join(root, "examples/trips/contracts.lock.json");

let data: string;
let upstreams: Upstreams;
let program: Program;
let url: string;
let key: string;
/** An outside caller that was written for version 1, and is never touched. */
let old: TripsClient;

async function start(file: string): Promise<void> {
  program = await startProgram(
    `exec "${process.execPath}" --conditions=trilith-source --disable-warning=ExperimentalWarning "${join(root, "src/cli/main.ts")}" start "${file}"`,
    {
      folder: root,
      environment: { ...toEnvironment(upstreams.urls, data), TRILITH_LOG: "info", PORT: new URL(url).port },
      until: /is up at/,
    },
  );
}
const dear = "HNL-STL-20010110-1907"; // waits for an approval
const tripOn = (flight: string): Trip => ({
  ...{ flight, booking: randomUUID(), traveller: "Ada" },
  ...{ card: "card-1815", lastKnownFare: 123.45 },
});
const headers = () => ({ authorization: `Bearer ${key}`, "content-type": "application/json" });
const get = (path: string) => fetch(`${url}${path}`, { headers: headers() });
const json = async (path: string) => (await get(path)).json() as Promise<{ readonly [field: string]: unknown }>;
const post = (path: string, body: object, more: { readonly [name: string]: string } = {}) =>
  fetch(`${url}${path}`, { method: "POST", headers: { ...headers(), ...more }, body: JSON.stringify(body) });
async function ask(...args: string[]) {
  const said: string[] = [];
  const write = (text: string): void => void said.push(text);
  return { code: await contractsCommand(args, { say: write, complain: write }), said: said.join("\n") };
}

beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), "trilith-two-versions-"));
  upstreams = await launchUpstreams({ data, behaviour: { all: wellBehaved } });
  url = `http://127.0.0.1:${await freePort()}`;
  key = await createApiKey(join(data, "keys.json"), {
    id: "agency",
    scopes: ["trips:book", "trips:approve", "bookings:read"],
  });
  old = new TripsClient(url, key);
  await start(first);
}, 120_000);
afterAll(async () => {
  await program?.[Symbol.asyncDispose]();
  await upstreams?.stop();
  await rm(data, { recursive: true, force: true });
});

describe("the example in a second major version, on the data of the first", { timeout: 90_000 }, () => {
  const stored = tripOn("ABQ-DAL-20010227-1430");
  const waiting = tripOn(dear);
  let ticket: string;
  let run: string;

  it("is announced, and may be deployed beside the first, which has events stored and a run under way", async () => {
    const booked = await old.book(stored, 20);
    expect(booked.kind).toBe("ticketed");
    ticket = booked.kind === "ticketed" ? booked.ticket : "";
    expect((await get("/v2/trips")).status).toBe(404);
    const judged = await ask("diff", second, "--lock", lock, "--json");
    expect([judged.code, judged.said]).toEqual([0, expect.stringContaining('"event.version-raised"')]);
    ({ run } = await old.book(waiting, 0));
    await expect.poll(() => old.state(run), { timeout: 60_000 }).toBe("waiting");
    const deployable = await ask("deployable", second, "--against", url, "--json");
    // Nodes of the first version stop at new events, so the two do not run at the same time; that is the one thing said.
    const { obstacles } = JSON.parse(deployable.said) as { obstacles: { rule: string }[] };
    expect(obstacles.map(({ rule }) => rule)).toEqual(["event.version-raised"]);
  });

  it("takes over from a process that is killed: the run that began under version 1 ends, and an old caller is told as ever", async () => {
    await program[Symbol.asyncDispose](); // SIGKILL
    await start(second);
    expect(await old.state(run)).toBe("waiting");
    // A call is repeated across the deployment, with its key: it is the same trip.
    expect(await old.book(waiting, 0)).toMatchObject({ kind: "under way", run: `${run}@1` });
    expect(await old.approve(run, "the manager")).toBe(202);
    await expect.poll(() => old.state(run), { timeout: 60_000 }).toBe("done");
    const output = { ticket: expect.stringMatching(/^T-/) };
    expect(await json(`/runs/${run}`)).toMatchObject({ run, operation: "trips.book", state: "done" });
    expect((await json(`/runs/${run}`)).output).toEqual(output);
    expect((await json(`/runs/${run}@1`)).output).toEqual(output);
    expect((await json(`/runs/${run}@2`)).output).toEqual({ ...output, cabin: "economy" });
    expect((await get(`/runs/${run}@3`)).status).toBe(404);
  });

  it("has lost nothing: what was stored is read as the second version says it", async () => {
    expect(await json(`/bookings/${stored.booking}`)).toEqual({
      ...{ flight: stored.flight, booking: stored.booking, traveller: "Ada", cabin: "economy" },
      ...{ status: "ticketed", ticket },
    });
    expect(await json(`/bookings/${waiting.booking}`)).toMatchObject({ status: "ticketed", cabin: "economy" });
  });

  it("answers an old client as before, and tells it in headers that its version goes", async () => {
    const trip = tripOn("ABQ-DFW-20010217-0858");
    const answer = await post("/trips", trip, { "idempotency-key": trip.booking, prefer: "wait=20" });
    expect([answer.status, await answer.json()]).toEqual([200, { ticket: expect.stringMatching(/^T-/) }]);
    expect(
      Object.fromEntries(["deprecation", "sunset", "link"].map((name) => [name, answer.headers.get(name)])),
    ).toEqual({
      deprecation: "@1793491200",
      sunset: "Sat, 01 May 2027 23:59:59 GMT",
      link: '</v2/trips>; rel="successor-version"',
    });
    expect(answer.headers.get("location")).toMatch(/^\/runs\/[\w-]+%401$/);
    expect(await json(`/bookings/${trip.booking}`)).toMatchObject({ cabin: "economy", status: "ticketed" });
  });

  it("tells an old client failures by the names and types that it knows", async () => {
    const trip = tripOn("XXX-YYY-20010217-0858");
    const unknown = await post("/trips", trip, { "idempotency-key": trip.booking, prefer: "wait=20" });
    expect([unknown.status, await unknown.json()]).toEqual([
      404,
      expect.objectContaining({ code: "UnknownFlight", type: "urn:trilith:failure:trips.book:UnknownFlight" }),
    ]);
    // What version 1 demands is refused by version 1, and a field of version 2 is none of its own.
    expect((await post("/trips", { ...tripOn(dear), cabin: "business" })).status).toBe(422);
  });

  it("serves new callers at its own route", async () => {
    const trip = { ...tripOn("ABQ-DFW-20010217-0858"), cabin: "business" };
    const answer = await post("/v2/trips", trip, { "idempotency-key": trip.booking, prefer: "wait=20" });
    expect([answer.status, await answer.json()]).toEqual([
      200,
      { ticket: expect.stringMatching(/^T-/), cabin: "business" },
    ]);
    expect([answer.headers.get("deprecation"), answer.headers.get("location")]).toEqual([
      null,
      expect.stringMatching(/^\/runs\/[\w-]+%402$/),
    ]);
    expect(await json(`/bookings/${trip.booking}`)).toMatchObject({ cabin: "business" });
  });

  it("passes an old client's signal on as the second version takes it", async () => {
    const trip = tripOn(dear);
    const { run: begun } = await old.book(trip, 0);
    await expect.poll(() => old.state(begun), { timeout: 60_000 }).toBe("waiting");
    expect(await old.approve(begun, "the manager")).toBe(202);
    await expect.poll(() => old.state(begun), { timeout: 60_000 }).toBe("done");
  });

  it("counts who calls which version, and describes both", async () => {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    const line = (version: string) =>
      new RegExp(
        `trilith_contract_calls_total{contract="trips",version="${version}",operation="book",caller="key:agency"} (\\d+)`,
      ).exec(metrics)?.[1];
    expect([line("1.0.0"), line("2.0.0")]).toEqual(["5", "1"]);
    const { paths } = (await json("/openapi.json")) as { paths: Record<string, { post?: object }> };
    expect(paths["/trips"]?.post).toMatchObject({ operationId: "trips@1.book", deprecated: true });
    expect(paths["/v2/trips"]?.post).toMatchObject({ operationId: "trips.book" });
  });
});
