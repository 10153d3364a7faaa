import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { TripsClient } from "../examples/trips/run/client.ts";
import { launchBrowser, openPage } from "./browser.ts";
import { buildConsole } from "./built-console.ts";
import { type Example, startExample, temporaryFolder } from "./example.ts";
import { startTripsBackend } from "./trips-backend.ts";

let browser: Browser;
let screenshots: string;
let page: Page;
let complaints: string[] = [];
beforeAll(async () => {
  await buildConsole();
  browser = await launchBrowser();
  // Kept after the test: pictures are for people to look at.
  screenshots = process.env.TRILITH_SCREENSHOTS ?? (await mkdtemp(join(tmpdir(), "trilith-live-")));
  await mkdir(screenshots, { recursive: true });
}, 120_000);
afterAll(() => browser?.close());
afterEach(() => {
  expect(complaints).toEqual([]);
});

/** Opens the console of a backend. Every request that leaves it, and every error, is a complaint. */
async function open(url: string): Promise<void> {
  complaints = [];
  page = await openPage(browser, { viewport: { width: 1440, height: 900 }, colorScheme: "dark" });
  page.on("request", (request) => {
    if (!request.url().startsWith(`${url}/`)) complaints.push(`left the origin: ${request.url()}`);
  });
  page.on("pageerror", (error) => complaints.push(`threw: ${error.message}`));
  page.on("console", (message) => {
    // A connection that breaks or is refused is what a crash looks like; the browser notes it.
    if (message.type() === "error" && !/ERR_(CONNECTION|EMPTY|INCOMPLETE)/.test(message.text()))
      complaints.push(`said: ${message.text()}`);
  });
  await page.goto(`${url}/console`);
}

describe.skipIf(process.platform !== "linux")("the console of the running example", () => {
  let example: Example;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let client: TripsClient;
  beforeAll(async () => {
    folder = await temporaryFolder();
    example = startExample({ by: "node", env: { TRILITH_DATA: folder.path } });
    const [, url = ""] = await example.says(/console +(http:\/\/127\.0\.0\.1:\d+)\/console[\s\S]*Ctrl-C/, 60_000);
    client = new TripsClient(url, await readFile(join(folder.path, "newcomer.key"), "utf8"));
    await open(url);
  }, 120_000);
  afterAll(async () => {
    await page?.close();
    client?.close();
    await example?.[Symbol.asyncDispose]();
    await folder?.[Symbol.asyncDispose]();
  });

  it("shows its traffic as it comes in, and what it is made of", { timeout: 120_000 }, async () => {
    await sees("Live");
    const rows = page.locator(".row");
    await expect.poll(() => rows.count(), { timeout: 60_000 }).toBeGreaterThan(3);
    const before = await rows.count();
    await expect.poll(() => rows.count(), { timeout: 60_000 }).toBeGreaterThan(before);
    expect(await page.title()).toBe("trips · Trilith");
    await expect.poll(() => textOf(page.locator(".diagram")), { timeout: 60_000 }).toMatch(/6 contracts/);
    await expect
      .poll(() => textOf(page.locator(".diagram")), { timeout: 60_000 })
      .toMatch(/delays[\s\S]*faa[\s\S]*openflights[\s\S]*ourairports[\s\S]*fares[\s\S]*payments/);
    await expect.poll(() => textOf(page.locator(".card.of-aggregation")), { timeout: 60_000 }).toMatch(/ourairports/);
    await expect
      .poll(() => textOf(page.locator(".card.of-storage")), { timeout: 60_000 })
      .toMatch(/log main at [\d,]+\s+log runs at [\d,]+/);
    await picture("live");
  });

  it("draws a trip from the request to the disk", { timeout: 120_000 }, async () => {
    await choose(/POST \/trips[\s\S]*Done[\s\S]*200/);
    const lines = await linesOf();
    for (const [at, line] of [/^request, POST \/trips, 200, /, /^call, trips\.book, /, /^run, trips\.book, /].entries())
      expect(lines[at]).toMatch(line);
    const steps = lines.filter((line) => /^(step|signal|fallback), /.test(line)).map((line) => line.split(", ")[1]);
    expect(steps.filter((step) => step !== "approved")).toEqual(
      expect.arrayContaining(["bookings.hold", "fares.quote", "payments.charge", "bookings.ticket"]),
    );
    expect(lines.filter((line) => line.startsWith("append, main, "))).toHaveLength(3);
    expect(lines).toContainEqual(expect.stringMatching(/^http, POST \/charge, /));
    // The run's own journal is drawn as marks on its line.
    expect(await page.locator(".kind-run .mark-journal").count()).toBeGreaterThan(2);
    await page.getByRole("treeitem", { name: /^step, payments\.charge/ }).hover();
    await page.getByRole("complementary", { name: "Details" }).getByText("payments.charge").first().waitFor();
    await picture("live-trip");
    // Time in other people's services is theirs, and neither the gateway's nor orchestration's.
    expect(await textOf(page.locator(".legend"))).toMatch(/remote\s+\d/);
  });

  it("draws a page out of its sources", { timeout: 120_000 }, async () => {
    await choose(/GET \/airports\/\w{3}[\s\S]*Done[\s\S]*200/);
    const lines = await linesOf();
    expect(lines.slice(0, 3)).toEqual([
      expect.stringMatching(/^request, GET \/airports\/\{iata\}, 200, /),
      expect.stringMatching(/^call, airports\.page, /),
      expect.stringMatching(/^view, airports\.page, /),
    ]);
    expect(lines.filter((line) => line.startsWith("source, ")).map((line) => line.split(", ")[1])).toEqual(
      expect.arrayContaining(["openflights", "ourairports", "faa", "delays"]),
    );
    await picture("live-view");
  });

  it("says why a trip came to nothing", { timeout: 120_000 }, async () => {
    const trip = { traveller: "Ada", card: "card-1815", lastKnownFare: 199.99 };
    const { code } = refusal(await client.book({ ...trip, flight: "ABQ-DAL-20010101-0000", booking: randomUUID() }));
    expect(code).toBe("UnknownFlight");
    await choose(/UnknownFlight/);
    expect((await linesOf()).filter((line) => line.startsWith("undo, "))).toEqual([
      expect.stringMatching(/^undo, bookings\.release, /),
    ]);
    await page.locator(".details").getByText("There is no such flight.").waitFor();
    await picture("live-undone");
  });

  it("is crashed from its button, reconnects by itself, and shows the runs go on where they were", {
    timeout: 60_000,
  }, async () => {
    await page.keyboard.press("Escape");
    const trip = { flight: "", traveller: "Ada", card: "card-1815", lastKnownFare: 199.99 };
    const flights = [
      "ABQ-ATL-20010217-1205",
      "ABQ-DFW-20010217-0858",
      "ABQ-PHX-20010109-0853",
      "ABQ-LAS-20010130-0635",
    ];
    const pid = await textOf(page.locator(".top-version"));
    await Promise.all(flights.map((flight) => client.book({ ...trip, flight, booking: randomUUID() }, 0)));
    await page.getByRole("button", { name: /Crash the process/ }).click();
    await sees("The process is gone.");
    await (await page.locator(".strip.is-down").elementHandle())?.waitForElementState("stable");
    await picture("live-gone");
    await expect.poll(() => textOf(page.locator(".live")), { timeout: 60_000 }).toBe("Live");
    await expect.poll(() => textOf(page.locator(".top-version"))).not.toBe(pid);
    const strip = page.locator(".strip.is-back");
    await expect
      .poll(() => textOf(strip), { timeout: 60_000 })
      .toMatch(/(\d+) runs? w(?:as|ere) under way when the process died; \1 went on, (?:\d+) ha(?:ve|s) ended/);
    expect(await textOf(strip)).toMatch(/Process \d+ was gone for [\d.]+ m?s/);
    expect(example.out()).toMatch(/the backend was killed \(SIGKILL\)/);

    await choose(/POST \/trips[\s\S]*resumed/);
    expect(await linesOf()).toContainEqual(expect.stringMatching(/^run, trips\.book, resumed, /));
    expect(await textOf(page.locator(".crash-label"))).toMatch(/^crashed · restarted after [\d.]+ m?s$/);
    await picture("live-resumed");
  });
});

it("offers no crash where nobody would start the process again", { timeout: 120_000 }, async () => {
  await using trips = await startTripsBackend({ TRILITH_SUPERVISED: "off" });
  await open(trips.url);
  await fetch(`${trips.url}/airports/ABQ`);
  await page.locator(".row").first().waitFor();
  await sees("Live");
  expect(await page.getByRole("button", { name: /Crash/ }).count()).toBe(0);
  const origin = { origin: trips.url, "content-type": "application/json" };
  const refused = await fetch(`${trips.url}/console/crash`, { method: "POST", headers: origin, body: "{}" });
  expect(refused.status).toBe(404);
  await page.close();
});

/** The newest trace whose row reads like that, once there is one. */
async function choose(pattern: RegExp): Promise<void> {
  await page.mouse.move(720, 20); // under a pointer the list holds still
  const found = page.locator(".row button").filter({ hasText: pattern }).first();
  const id = await found.getAttribute("data-trace", { timeout: 60_000 });
  const row = page.locator(`[data-trace="${id}"]`); // by then a newer one may read like that too
  await row.click();
  await expect.poll(() => row.getAttribute("aria-current")).toBe("true");
  await page.mouse.move(720, 20);
}
const refusal = (booked: Awaited<ReturnType<TripsClient["book"]>>): { readonly code: string } =>
  booked.kind === "refused" ? booked : { code: booked.kind };
const sees = (text: string | RegExp): Promise<void> => page.getByText(text).first().waitFor({ timeout: 60_000 });
// biome-ignore lint/performance/useDomNodeTextContent: what a person reads is what is asked
const textOf = (part: Locator): Promise<string> => part.innerText();
const picture = (name: string): Promise<unknown> => page.screenshot({ path: join(screenshots, `${name}.png`) });
const linesOf = async (): Promise<string[]> => {
  await page.getByRole("treeitem").first().waitFor();
  return page.getByRole("treeitem").evaluateAll((lines) => lines.map((line) => line.getAttribute("aria-label") ?? ""));
};
