import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contractsCommand } from "../src/cli/contracts-command.ts";
import { launchBrowser, openPage } from "./browser.ts";
import { startTripsBackend, type TripsBackend } from "./trips-backend.ts";

const root = resolve(import.meta.dirname, "..");
let folder: string;
let trips: TripsBackend;
let token: string;
/** The client, as Node runs it. Its types are looked at by the compiler below. */
let createClient: (options: object) => any; // the file is written by this test

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trilith-client-"));
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  trips = await startTripsBackend();
  token = await trips.keyFor("trips:book", "trips:approve", "bookings:read");
  const quiet = { say: () => {}, complain: (text: string) => console.error(text) };
  const out = join(folder, "client.ts");
  const backend = join(root, "test/evolution/trips-2/backend.ts");
  expect(await contractsCommand(["client", backend, "--out", join(folder, "client-2.ts")], quiet)).toBe(0);
  expect(await contractsCommand(["client", join(root, "examples/trips/backend.ts"), "--out", out], quiet)).toBe(0);
  ({ createClient } = await import(/* @vite-ignore */ pathToFileURL(out).href));
}, 120_000);
afterAll(async () => {
  await trips?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const cheap = "ABQ-DAL-20010227-1430";
const tripOn = (flight: string) => ({
  ...{ flight, booking: crypto.randomUUID(), traveller: "Ada" },
  ...{ card: "card-1815", lastKnownFare: 123.45 },
});
const client = (more: object = {}) => createClient({ url: trips.url, token, ...more });

describe("a client that is written from contracts", { timeout: 120_000 }, () => {
  it("imports nothing, and compiles as strictly as can be, with failures that are told apart", async () => {
    const source = await readFile(join(folder, "client.ts"), "utf8");
    expect(source).not.toMatch(/^import\b/m);
    await writeFile(
      join(folder, "use.ts"),
      `import { createClient, type TripsBookFailure } from "./client.ts";
import { createClient as createNext } from "./client-2.ts";
const client = createClient({ url: "http://localhost", token: async () => "t" });
const trip = { flight: "F", booking: "B", traveller: "T", card: "C", lastKnownFare: 1 };
export async function use(): Promise<string> {
  const booked = await client.trips.book(trip, { signal: AbortSignal.timeout(1) });
  if (booked.ok) return booked.value.ticket;
  switch (booked.failure.code) {
    case "SoldOut": { const status: 409 | number = booked.failure.kind === "failure" ? booked.failure.status : 0; return String(status); }
    case "Pending": return booked.failure.kind === "pending" ? booked.failure.run : "";
    default: return booked.failure.kind === "fault" ? booked.failure.message : booked.failure.code;
  }
}
export const failure: TripsBookFailure = { kind: "failure", code: "NotApproved", status: 403, message: "", retry: "never" };
// @ts-expect-error a field is missing
void client.trips.book({ flight: "F" });
// @ts-expect-error there is no such status
void client.bookings.list({ flight: "F", status: "lost" });
// @ts-expect-error another type
void client.trips.book.signals.approved("run", { by: 1 });
const page = await client.airports.page({ iata: "ABQ" });
if (page.ok) { const latitude: number | undefined = page.value.position?.latitude; void latitude; }
const next = createNext({ url: "http://localhost" });
void next.tripsV1.book(trip);
void next.trips.book({ ...trip, cabin: "business" });
// @ts-expect-error the present version wants a cabin
void next.trips.book(trip);
`,
    );
    await writeFile(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        compilerOptions: {
          ...{ strict: true, noEmit: true, module: "esnext", moduleResolution: "bundler", target: "es2024" },
          ...{ lib: ["es2024", "dom", "dom.iterable"], types: [], allowImportingTsExtensions: true },
          ...{ exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noImplicitOverride: true },
          ...{ noUnusedLocals: false, verbatimModuleSyntax: true, erasableSyntaxOnly: true },
        },
        include: ["*.ts"],
      }),
    );
    const tsc = join(root, "node_modules/typescript/lib/tsc.js");
    const { stdout } = await promisify(execFile)(process.execPath, [tsc, "-p", folder]).catch((error) => error);
    expect(stdout).toBe("");
  });

  it("books, reads, and tells a declared failure from everything else", async () => {
    const trip = tripOn(cheap);
    const booked = await client().trips.book(trip);
    expect(booked).toMatchObject({
      ok: true,
      value: { ticket: expect.stringMatching(/^T-/) },
      run: expect.any(String),
    });
    expect(await client().bookings.get({ booking: trip.booking })).toMatchObject({
      ok: true,
      value: { status: "ticketed" },
    });
    expect(await client().bookings.list({ flight: cheap, status: "ticketed" })).toMatchObject({
      ok: true,
      value: expect.arrayContaining([expect.objectContaining({ booking: trip.booking })]),
    });
    expect(await client().bookings.get({ booking: crypto.randomUUID() })).toMatchObject({
      ok: false,
      failure: { kind: "failure", code: "NotFound", status: 404 },
    });
    expect(await client().trips.book({ ...trip, lastKnownFare: -1 })).toMatchObject({
      ok: false,
      failure: { kind: "fault", code: "InvalidInput", issues: [{ path: "/lastKnownFare" }] },
    });
    expect(await client({ token: "nobody" }).trips.book(trip)).toMatchObject({
      ok: false,
      failure: { code: "Unauthenticated" },
    });
  });

  it("follows a command that takes its time, gives it back where its patience ends, and joins it with its key", async () => {
    const trip = tripOn("HNL-STL-20010110-1907");
    const pending = await client().trips.book(trip, { patienceMs: 900, idempotencyKey: "the-trip" });
    expect(pending).toMatchObject({ ok: false, failure: { kind: "pending", idempotencyKey: "the-trip" } });
    const { run } = pending.failure;
    const joined = client().trips.book(trip, { idempotencyKey: "the-trip", patienceMs: 20_000 });
    await expect
      .poll(async () => (await client().trips.book.signals.approved(run, { by: "the manager" })).ok, {
        timeout: 60_000,
      })
      .toBe(true);
    expect(await joined).toMatchObject({ ok: true, value: { ticket: expect.stringMatching(/^T-/) }, run });
    const twice = await client().trips.book({ ...trip, card: "another" }, { idempotencyKey: "the-trip" });
    expect(twice).toMatchObject({ ok: false, failure: { code: "KeyReused" } });
  });

  it("sends again what got no answer, with the same key, and gives up when it is told to", async () => {
    const seen: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers["idempotency-key"] as string | undefined);
      if (seen.length === 1) request.socket.destroy();
      else if (seen.length === 2) response.writeHead(503, { "retry-after": "0" }).end();
      else if (seen.length === 3)
        response.writeHead(200, { "content-type": "application/json" }).end('{"ticket":"T-1"}');
    });
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await client({ url }).trips.book(tripOn(cheap))).toEqual({ ok: true, value: { ticket: "T-1" } });
    expect([seen.length, new Set(seen).size]).toEqual([3, 1]);
    const gone = new AbortController();
    setTimeout(() => gone.abort(new Error("Enough.")), 100);
    expect(await client({ url }).trips.book(tripOn(cheap), { signal: gone.signal })).toMatchObject({
      ok: false,
      failure: { kind: "fault", code: "Aborted" },
    });
    server.closeAllConnections();
    server.close();
    expect(await client({ url, attempts: 1 }).trips.book(tripOn(cheap))).toMatchObject({
      ok: false,
      failure: { kind: "fault", code: "Unreachable", retry: "later" },
    });
  });

  it("works in a browser", async () => {
    await build({
      ...{ root: folder, logLevel: "silent", configFile: false },
      build: {
        lib: { entry: join(folder, "client.ts"), formats: ["iife"], name: "Trips", fileName: "client" },
        minify: false,
      },
    });
    const script = await readFile(join(folder, "dist/client.iife.js"), "utf8");
    const browser = await launchBrowser();
    try {
      const page = await openPage(browser, { bypassCSP: true });
      await page.goto(`${trips.url}/openapi.json`);
      await page.evaluate(script);
      const told = await page.evaluate(
        ([key, flight]) =>
          (globalThis as any).Trips.createClient({
            // what the script above has put there
            url: location.origin,
            token: key,
          }).bookings.list({ flight }),
        [token, cheap],
      );
      expect(told).toMatchObject({ ok: true, value: expect.any(Array) });
    } finally {
      await browser.close();
    }
  });
});
