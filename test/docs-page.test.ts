import { mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser, openPage } from "./browser.ts";
import { buildConsole } from "./built-console.ts";
import { startTripsBackend, type TripsBackend } from "./trips-backend.ts";

let trips: TripsBackend;
let browser: Browser;
let screenshots: string;
beforeAll(async () => {
  await buildConsole();
  [trips, browser] = await Promise.all([startTripsBackend(), launchBrowser()]);
  // Kept after the test: pictures are for people to look at.
  screenshots = process.env.TRILITH_SCREENSHOTS ?? (await mkdtemp(join(tmpdir(), "trilith-docs-")));
  await mkdir(screenshots, { recursive: true });
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await trips?.[Symbol.asyncDispose]();
});

let page: Page;
let requested: string[];
let complaints: string[];
afterEach(async () => {
  await page?.close();
  expect(requested.filter((address) => !address.startsWith(`${trips.url}/`) && !address.startsWith("data:"))).toEqual(
    [],
  );
  expect(complaints).toEqual([]);
});

async function open(colorScheme: "dark" | "light"): Promise<void> {
  requested = [];
  complaints = [];
  page = await openPage(browser, { viewport: { width: 1440, height: 900 }, colorScheme });
  page.on("request", (request) => requested.push(request.url()));
  page.on("pageerror", (error) => complaints.push(`threw: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`said: ${message.text()}`);
  });
  await page.goto(`${trips.url}/docs`);
  await page.locator(".opblock").first().waitFor();
}
const operation = (path: string) => page.locator(".opblock").filter({ has: page.locator(`[data-path="${path}"]`) });
const picture = (name: string) => page.screenshot({ path: join(screenshots, `${name}.png`) });

describe("the API docs of the example", () => {
  it("show every operation that has a route, under its contract, and the runs", async () => {
    await open("dark");
    expect(page.url()).toBe(`${trips.url}/docs/`);
    const paths = await page
      .locator(".opblock-summary-path")
      .evaluateAll((all) => all.map((path) => (path as HTMLElement).dataset.path));
    expect(paths).toEqual([
      "/check-ins",
      "/bookings/{booking}",
      "/flights/{flight}/bookings",
      "/airports/{iata}/hours",
      "/trips",
      "/airports/{iata}",
      "/airports",
      "/runs/{run}",
      "/runs/{run}/progress",
      "/runs/{run}/signals/approved",
      "/runs",
      "/runs/counts",
      "/runs/machines",
      "/runs/{run}/history",
      ...["cancel", "terminate", "pause", "resume", "retry", "fork"].map((order) => `/runs/{run}/${order}`),
      "/runs/{run}/fork", // what it would do again, beside the fork itself
      "/runs/actions",
      "/runs/actions/{action}",
      "/runs/schedules",
      ...["pause", "resume"].map((order) => `/runs/schedules/{schedule}/${order}`),
    ]);
    await page.getByText("Seats on flights. Contract bookings 1.0.0.").waitFor();
    await page.getByText("One honest page out of three registries that disagree.").waitFor();
    await picture("docs-dark");
  });

  it("say of an operation what it takes, and every failure that it can answer with", async () => {
    await open("dark");
    await operation("/trips").click();
    const body = operation("/trips");
    await body.getByText("Nobody approved the fare in time.").waitFor();
    for (const code of ["200", "202", "401", "403", "404", "409", "422"])
      expect(await body.locator(`.response[data-code="${code}"]`).count()).toBe(1);
    await body.getByText("lastKnownFare").first().waitFor();
  });

  for (const scheme of ["dark", "light"] as const)
    it(`try an operation out against the backend itself (${scheme})`, async () => {
      await open(scheme);
      await operation("/airports/{iata}").click();
      await page.getByRole("button", { name: "Try it out" }).click();
      await page.getByPlaceholder("iata").fill("ABQ");
      await page.getByRole("button", { name: "Execute" }).click();
      const live = page.locator(".live-responses-table .response");
      await live.getByText('"Albuquerque International Sunport Airport"').waitFor();
      expect(await live.locator(".response-col_status").first().textContent()).toMatch(/^200/);
      expect(requested.filter((address) => address.startsWith(`${trips.url}/airports/ABQ`))).toHaveLength(1);
      await live.scrollIntoViewIfNeeded();
      await picture(`docs-tried-${scheme}`);
    });

  it("take an API key, and send it", async () => {
    await open("light");
    await page.getByRole("button", { name: "Authorize" }).first().click();
    await page
      .locator(".auth-container input")
      .first()
      .fill(await trips.keyFor("bookings:read"));
    await page.locator(".auth-btn-wrapper .authorize").first().click();
    await page.getByRole("button", { name: "Close" }).first().click();
    await operation("/flights/{flight}/bookings").click();
    await page.getByRole("button", { name: "Try it out" }).click();
    await page.getByPlaceholder("flight").fill("ABQ-DAL-20010227-1430");
    await page.getByRole("button", { name: "Execute" }).click();
    await expect
      .poll(() => page.locator(".live-responses-table .response .response-col_status").first().textContent())
      .toMatch(/^200/);
  });

  it("are a page of their own files, under a policy that lets nothing else in", async () => {
    const response = await fetch(`${trips.url}/docs`, { redirect: "manual" });
    expect([response.status, response.headers.get("location")]).toEqual([308, "/docs/"]);
    const [html, icon] = await Promise.all([fetch(`${trips.url}/docs/`), fetch(`${trips.url}/docs/favicon.svg`)]);
    const policy = html.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'; script-src 'self';");
    expect(policy).not.toMatch(/https?:|unsafe-eval|script-src[^;]*unsafe-inline|\*/);
    const text = await html.text();
    expect(text).not.toMatch(/<script(?![^>]+src=)|<style|https?:\/\//);
    expect(text).toContain('<link rel="icon" href="favicon.svg" type="image/svg+xml" />');
    expect([icon.status, icon.headers.get("content-type")]).toEqual([200, "image/svg+xml"]);
  });
});
