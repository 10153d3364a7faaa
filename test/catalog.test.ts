import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contractsCommand } from "../src/cli/contracts-command.ts";
import type { Catalog } from "../src/evolution/index.ts";
import { launchBrowser, openPage } from "./browser.ts";
import { buildConsole } from "./built-console.ts";
import { startTripsBackend, type TripsBackend } from "./trips-backend.ts";

const root = resolve(import.meta.dirname, "..");
const second = join(root, "test/evolution/trips-2/backend.ts");
const lock = join(root, "examples/trips/contracts.lock.json");
let folder: string;
let trips: TripsBackend;
let browser: Browser;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trilith-catalog-"));
  await buildConsole();
  [trips, browser] = await Promise.all([startTripsBackend(), launchBrowser()]);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await trips?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function catalog(...args: string[]): Promise<string> {
  const said: string[] = [];
  const write = (text: string): void => void said.push(text);
  expect(await contractsCommand(["catalog", ...args], { say: write, complain: write })).toBe(0);
  return said.join("\n");
}

describe("trilith contracts catalog", { timeout: 120_000 }, () => {
  it("tells who answers for a contract, who implements and calls it, what changed, and what goes", async () => {
    const { contracts } = JSON.parse(await catalog(second, "--lock", lock)) as Catalog;
    const of = (name: string) => contracts.find((one) => one.name === name);
    expect(contracts.map(({ name, provided }) => `${name} ${provided}`).sort()).toEqual([
      "airports here",
      "bookings here",
      "fares elsewhere",
      "payments elsewhere",
      "punctuality here",
      "trips here",
    ]);
    expect(of("bookings")).toMatchObject({
      providers: { hold: "storage", get: "storage" },
      consumers: [
        "the workflow of trips.book, version 1",
        "the workflow of trips.book, version 2",
        "the workflow of trips.follow, version 1",
      ],
      contract: { owner: "trips", version: "2.0.0" },
    });
    const trips = of("trips");
    expect(trips?.versions.map(({ version, is, published }) => [version, is, published])).toEqual([
      ["2.0.0", "present", false],
      ["1.0.0", "older", true],
    ]);
    expect(trips?.versions[0]?.changes.map(({ rule }) => rule)).toContain("input.missing-field");
    expect(trips?.deprecations).toEqual([
      { what: "trips 1.0.0", since: "2026-11-01", sunset: "2027-05-01", instead: "POST /v2/trips, with a cabin." },
    ]);
  });

  it("writes a page and every document into a folder", async () => {
    expect(await catalog(second, "--lock", lock, "--out", join(folder, "site"))).toContain("beginning with index.html");
    const files = await readdir(join(folder, "site"));
    expect(files.sort()).toEqual([
      "arazzo.json",
      "asyncapi.json",
      "catalog.json",
      "index.html",
      "openapi.json",
      "schemas",
    ]);
    expect(await readdir(join(folder, "site/schemas"))).toContain("bookings.SeatHeld.json");
    const browserPage = await openPage(browser);
    await browserPage.setContent(await readFile(join(folder, "site/index.html"), "utf8"));
    expect(await browserPage.locator("section#trips").textContent()).toContain("POST /v2/trips");
    await browserPage.close();
  });
});

describe("a backend that runs", { timeout: 120_000 }, () => {
  it("leads to its documents from /.well-known/api-catalog (RFC 9727)", async () => {
    const answer = await fetch(`${trips.url}/.well-known/api-catalog`);
    expect(answer.headers.get("content-type")).toBe(
      'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"',
    );
    const { linkset } = (await answer.json()) as { linkset: Record<string, { href: string }[]>[] };
    const hrefs = ["service-desc", "service-doc", "service-meta", "status"].flatMap((rel) => linkset[0]?.[rel] ?? []);
    expect(hrefs.map(({ href }) => href)).toContain("/asyncapi.json");
    for (const { href } of hrefs) expect((await fetch(new URL(href, trips.url))).status, href).toBe(200);
    expect((await fetch(`${trips.url}/.well-known/api-catalog`, { method: "HEAD" })).headers.get("link")).toContain(
      "api-catalog",
    );
  });

  it("shows its contracts in the console, with who has called them", async () => {
    const key = await trips.keyFor("bookings:read");
    const headers = { authorization: `Bearer ${key}` };
    await fetch(`${trips.url}/bookings/${crypto.randomUUID()}`, { headers });
    const page = await openPage(browser, { viewport: { width: 1280, height: 900 } });
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    await page.goto(`${trips.url}/console`);
    await page.getByRole("link", { name: "Contracts" }).click();
    const bookings = page.getByRole("region", { name: "bookings", exact: true });
    await bookings.getByText("GET /bookings/{booking}").waitFor();
    expect(await bookings.textContent()).toMatch(
      /Owner: trips[\s\S]*SoldOut 409[\s\S]*SeatHeld v1[\s\S]*workflow of trips\.book/,
    );
    expect(await bookings.textContent()).toMatch(/key:key-\d+ → get of 1\.0\.0: 1/);
    if (process.env.TRILITH_SCREENSHOTS)
      await page.screenshot({ path: join(process.env.TRILITH_SCREENSHOTS, "contracts.png") });
    await page.getByRole("link", { name: "Live" }).click();
    await page.getByRole("heading", { name: "Contracts" }).waitFor({ state: "hidden" });
    expect(complaints).toEqual([]);
    await page.close();
  });
});
