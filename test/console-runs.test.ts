import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { command, contract, failure, signal } from "../src/contracts/index.ts";
import { workflow } from "../src/orchestration/index.ts";
import { backend, type Running } from "../src/runtime/index.ts";
import { launchBrowser, openPage } from "./browser.ts";
import { buildConsole } from "./built-console.ts";

const Orders = contract("orders", "1.0.0", {
  place: command({
    input: z.object({
      id: z.string(),
      tenant: z.string(),
      soldOut: z.boolean().optional(),
      broken: z.boolean().optional(),
    }),
    output: z.object({ placed: z.string() }),
    failures: { SoldOut: failure(409, "Nothing is left.") },
    signals: { approved: signal(z.object({ by: z.string() }), { access: "orders:approve" }) },
    http: "POST /orders",
    access: "public",
  }),
});
const place = workflow(
  Orders.place,
  { version: 1, tags: ({ tenant }) => ({ tenant }) },
  async (order, { run, fail }) => {
    if (order.soldOut) throw fail.SoldOut();
    await run.step("hold stock", () => order.id).undo(() => {});
    if (order.broken) await run.step("pay", () => Promise.reject(new Error("The bank is closed.")), { attempts: 2 });
    const { by } = await run.signal.approved;
    return { placed: `${order.id} by ${by}` };
  },
);

let browser: Browser;
let running: Running;
let folder: string;
let screenshots: string;
let page: Page;
let complaints: string[] = [];
beforeAll(async () => {
  await buildConsole();
  browser = await launchBrowser();
  folder = await mkdtemp(join(tmpdir(), "trilith-console-runs-"));
  screenshots = process.env.TRILITH_SCREENSHOTS ?? folder;
  await mkdir(screenshots, { recursive: true });
  running = await backend("shop", { orchestration: [place] }).start({
    environment: { PORT: "0", TRILITH_DATA: folder, TRILITH_LOG: "fatal" },
  });
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await running?.stop();
  await rm(folder, { recursive: true, force: true });
});
afterEach(async () => {
  await page?.close();
  expect(complaints).toEqual([]);
});

async function open(at: string, width = 1440): Promise<void> {
  complaints = [];
  page = await openPage(browser, { viewport: { width, height: 900 }, colorScheme: "dark" });
  page.on("request", (request) => {
    if (!request.url().startsWith(`${running.url}/`)) complaints.push(`left the origin: ${request.url()}`);
  });
  page.on("pageerror", (error) => complaints.push(`threw: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !/status of 422/.test(message.text())) complaints.push(`said: ${message.text()}`);
  });
  await page.goto(`${running.url}/console${at}`);
}
const begin = async (order: object): Promise<string> => {
  const answer = await fetch(`${running.url}/orders`, {
    method: "POST",
    headers: { "content-type": "application/json", prefer: "wait=0" },
    body: JSON.stringify({ tenant: "acme", ...order }),
  });
  return ((await answer.json()) as { readonly run: string }).run;
};
const becomes = (run: string, state: string) =>
  expect.poll(async () => (await running.runs.status(run))?.state, { timeout: 60_000 }).toBe(state);
const sees = (text: string | RegExp) =>
  page.getByText(text).filter({ visible: true }).first().waitFor({ timeout: 60_000 });
const button = (name: string) => page.getByRole("button", { name, exact: true });
const picture = (name: string) => page.screenshot({ path: join(screenshots, `runs-${name}.png`) });

describe("the runs in the console", () => {
  it("are listed, found by state, tag and id, and show an expected failure as an answer", async () => {
    const waits = await begin({ id: "a" });
    await begin({ id: "b", soldOut: true, tenant: "beta" }); // may be answered at once, with the failure
    await begin({ id: "c", broken: true });
    await expect.poll(async () => (await running.runs.list({ states: ["failed"] })).runs.length).toBe(2);
    await open("");
    await page.getByRole("link", { name: "Runs" }).click();
    await sees("Declined · SoldOut");
    const rows = page.locator(".row");
    await expect.poll(() => rows.count()).toBe(3);
    expect(await page.locator(".row .badge.is-failed").allInnerTexts()).toEqual(["Failed"]);
    await page.getByLabel("Runs in which state").selectOption("waiting");
    await expect.poll(() => rows.count()).toBe(1);
    await page.getByLabel("Runs in which state").selectOption("all");
    await page.getByLabel("Find runs by operation, tag, key or id").fill("tenant=beta");
    await expect.poll(() => rows.count()).toBe(1);
    await page.getByLabel("Find runs by operation, tag, key or id").fill(waits);
    await expect.poll(() => rows.count()).toBe(1);
    await page.getByLabel("Find runs by operation, tag, key or id").fill("");
    await expect.poll(() => rows.count()).toBe(3);
    await rows.filter({ hasText: "Failed" }).click();
    await sees("The bank is closed. · 2 attempts");
    await picture("failed");
    expect(await button("Cancel").isDisabled()).toBe(true);
    expect(await button("Retry").isDisabled()).toBe(true);
    expect(await button("Retry").getAttribute("title")).toBe("What it did was undone.");
  });

  it("are paused with the reason in plain words, resumed, and given a signal", async () => {
    const run = await begin({ id: "d" });
    await open(`#run=${run}`);
    await sees("hold stock");
    expect(await button("Resume").isDisabled()).toBe(true);
    await button("Pause").click();
    await sees("Why it is paused");
    await sees("Paused by anonymous");
    expect(await button("Pause").isDisabled()).toBe(true);
    await picture("paused");
    await button("Resume").click();
    await expect.poll(() => page.getByText("Why it is paused").count()).toBe(0);
    await page.getByRole("button", { name: "Send “approved”…" }).click();
    await page.getByRole("textbox").last().fill("{by}");
    await button("Send it").click();
    await sees(/This is no JSON/);
    await page.getByRole("textbox").last().fill('{"by": 7}');
    await button("Send it").click();
    await sees(/not what the signal "approved" carries/);
    await page.getByRole("button", { name: "Send “approved”…" }).click();
    await page.getByRole("textbox").last().fill('{"by": "Ann"}');
    await button("Send it").click();
    await becomes(run, "done");
    await sees("Done");
    await sees("from anonymous");
    await picture("done");
  });

  it("are cancelled and terminated only when that was said twice", async () => {
    const run = await begin({ id: "e" });
    await open(`#run=${run}`);
    await button("Cancel").click();
    await sees("What the run has done is undone, and it ends.");
    await button("Not now").click();
    expect((await running.runs.status(run))?.state).not.toBe("cancelled");
    await button("Cancel").click();
    await page.getByLabel("Reason, for the journal").fill("a duplicate");
    await picture("cancelling");
    await button("Cancel the run").click();
    await becomes(run, "cancelled");
    await sees("by anonymous: a duplicate");
    await sees("Cancelled");
    await picture("cancelled");
    const other = await begin({ id: "f" });
    await page.goto(`${running.url}/console#run=${other}`);
    await sees("hold stock");
    await button("Terminate").click();
    await sees(/Nothing is undone/);
    await button("Terminate the run").click();
    await becomes(other, "terminated");
  });

  it("are forked from a step with another input", async () => {
    const run = await begin({ id: "g" });
    await open(`#run=${run}`);
    await sees("hold stock");
    await button("Fork…").click();
    await page.getByLabel("From").selectOption("signal approved");
    await page.getByRole("textbox").last().fill('{"id": "h", "tenant": "forks"}');
    await picture("fork");
    expect(await page.getByText("Does again").count()).toBe(0);
    await page.getByLabel("From").selectOption("");
    await sees("hold stock");
    await sees("Does again what this run has done");
    await button("Fork the run, and do it again").waitFor();
    await picture("fork-again");
    await page.getByLabel("From").selectOption("signal approved");
    await button("Fork the run").click();
    await sees(/as a fork of/);
    const [fork] = (await running.runs.list({ tags: { tenant: "forks" } })).runs;
    expect(page.url()).toContain(fork?.run ?? "nothing");
    await sees("copied");
    await picture("forked");
  });

  it("fit on a small screen", async () => {
    const run = await begin({ id: "i" });
    await open("#runs", 420);
    await sees("orders.place");
    await picture("small-list");
    await page.goto(`${running.url}/console#run=${run}`);
    await sees("hold stock");
    await picture("small");
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
  });
});
