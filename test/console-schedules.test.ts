import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page, Request } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { command, contract, signal } from "../src/contracts/index.ts";
import { machine, schedule, workflow } from "../src/orchestration/index.ts";
import { backend, createApiKey, type Running } from "../src/runtime/index.ts";
import { launchBrowser, openPage } from "./browser.ts";
import { buildConsole } from "./built-console.ts";

const Reports = contract("reports", "1.0.0", {
  make: command({ input: z.object({ day: z.string() }), http: "POST /reports", access: "public" }),
});
const Doors = contract("doors", "1.0.0", {
  watch: command({
    input: z.object({ door: z.string() }),
    signals: {
      opened: signal(z.object({}), { access: "doors:tell" }),
      shut: signal(z.object({}), { access: "doors:tell" }),
      gone: signal(z.object({}), { access: "doors:tell" }),
    },
    progress: z.object({ state: z.string() }),
    http: "POST /doors",
    access: "public",
  }),
});
const input = (at: Date) => ({ day: at.toISOString() });
const orchestration = [
  workflow(Reports.make, { version: 1, uses: [] }, async () => {}),
  schedule(Reports.make, { cron: "0 6 * * 1-5", zone: "Europe/Berlin", input, name: "daily" }),
  schedule(Reports.make, { cron: "* * * * * *", zone: "UTC", input, name: "busy" }),
  machine(Doors.watch, {
    version: 1,
    context: ({ door }) => ({ door }),
    progress: ({ state }) => ({ state: String(state) }),
    initial: "shut",
    states: {
      shut: { on: { opened: "open", gone: "removed" } },
      open: { on: { shut: "shut" }, after: { "10 minutes": "alarm" } },
      alarm: { on: { shut: "shut" } },
      removed: { type: "final" },
    },
  }),
];

let browser: Browser;
let running: Running;
let folder: string;
let page: Page;
const keys: Record<string, string> = {};
const complaints: string[] = [];
beforeAll(async () => {
  await buildConsole();
  browser = await launchBrowser();
  folder = await mkdtemp(join(tmpdir(), "trilith-console-schedules-"));
  const keysFile = join(folder, "keys.json");
  const scopes = { reader: ["runs:read"], operator: ["runs:read", "runs:operate"] };
  for (const [id, own] of Object.entries(scopes)) keys[id] = await createApiKey(keysFile, { id, scopes: own });
  running = await backend("doors", { orchestration }).start({
    environment: { PORT: "0", TRILITH_DATA: folder, TRILITH_KEYS_FILE: keysFile, TRILITH_LOG: "fatal" },
  });
  page = await openPage(browser, { viewport: { width: 1440, height: 900 }, colorScheme: "dark" });
  page.on("pageerror", (error) => complaints.push(`threw: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`said: ${message.text()}`);
  });
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await running?.stop();
  await rm(folder, { recursive: true, force: true });
});

const screenshots = process.env.TRILITH_SCREENSHOTS;
const picture = async (name: string): Promise<void> => {
  if (screenshots === undefined) return;
  await mkdir(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}.png`) });
};
const ask = async (who: string | undefined, method: string, path: string, sent?: unknown) => {
  // As a proxy passes it on, so that the console's trust in this machine does not count.
  const headers = {
    ...{ "x-forwarded-for": "203.0.113.9", ...(who && { authorization: `Bearer ${keys[who]}` }) },
    ...(sent !== undefined && { "content-type": "application/json" }),
  };
  const answer = await fetch(running.url + path, {
    method,
    headers,
    body: sent === undefined ? null : JSON.stringify(sent),
  });
  return { status: answer.status, body: (await answer.json()) as any }; // looked at below
};
const toJson = (text: string): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", prefer: "wait=0" },
  body: text,
});

describe("schedules over HTTP", () => {
  it("are listed with what is next and last and owed, for those who may see runs", async () => {
    const named = async (name: string) => {
      const { body } = await ask("reader", "GET", "/runs/schedules");
      return body.schedules.find((one: { readonly name: string }) => one.name === name);
    };
    expect(await named("daily")).toEqual({
      ...{ name: "daily", operation: "reports.make", cron: "0 6 * * 1-5", zone: "Europe/Berlin" },
      ...{ paused: false, owed: 0, next: expect.stringMatching(/T0[45]:00:00\.000Z$/) },
    });
    await expect.poll(async () => (await named("busy")).lastRun, { timeout: 60_000 }).toBeTypeOf("string");
    const { last, lastRun } = await named("busy");
    expect(new Date(last).getUTCMilliseconds()).toBe(0);
    expect(await running.runs.status(lastRun)).toMatchObject({ operation: "reports.make" });
    expect((await ask(undefined, "GET", "/runs/schedules")).status).toBe(401);
    const { paths } = (await ask(undefined, "GET", "/openapi.json")).body;
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining(["/runs/schedules", "/runs/schedules/{schedule}/pause", "/runs/machines"]),
    );
  });

  it("are paused and resumed by those who may operate", async () => {
    expect((await ask("reader", "POST", "/runs/schedules/daily/pause")).status).toBe(403);
    expect((await ask("operator", "POST", "/runs/schedules/nightly/pause")).status).toBe(404);
    const paused = await ask("operator", "POST", "/runs/schedules/daily/pause");
    expect(paused).toMatchObject({ status: 200, body: { name: "daily", paused: true } });
    expect(paused.body.next).toBeUndefined();
    expect(paused.body.pause).toEqual({ by: "key:operator", at: expect.any(String) });
    const silly = await ask("operator", "POST", "/runs/schedules/daily/resume", { reason: "done" });
    expect(silly).toMatchObject({ status: 422, body: { detail: expect.stringContaining('no "reason" here') } });
    expect((await running.schedules()).find(({ name }) => name === "daily")?.paused).toBe(true);
    const resumed = await ask("operator", "POST", "/runs/schedules/daily/resume");
    expect(resumed.body).toMatchObject({ paused: false, next: expect.any(String) });
  });
});

describe("the console", () => {
  it("shows the schedules, leads to the last run, and holds one", async () => {
    await page.goto(`${running.url}/console`);
    await page.getByRole("link", { name: "Schedules" }).click();
    const row = (name: string) => page.getByRole("row").filter({ hasText: name });
    await row("daily").getByText("Europe/Berlin").waitFor();
    await row("daily").getByText("06:00").waitFor();
    await row("daily").getByRole("button", { name: "Pause" }).click();
    await row("daily").getByText("Paused").waitFor();
    await picture("schedules");
    await row("daily").getByRole("button", { name: "Resume" }).click();
    await row("daily").getByText("06:00").waitFor();
    await row("busy").getByRole("link", { name: "its run" }).click();
    await page.getByText("reports.make").first().waitFor();
    expect(page.url()).toContain("#run=");
    expect(complaints).toEqual([]);
  });

  it("keeps to what was done when an older answer arrives after it", async () => {
    let letGo = () => {};
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    await page.goto(`${running.url}/console#schedules`);
    const row = page.getByRole("row").filter({ hasText: "daily" });
    await row.getByRole("button", { name: "Pause" }).waitFor();
    // The next look has its answer, which travels for as long as the test wants.
    let first: Request | undefined;
    const looked = new Promise<Request>((resolve) => {
      void page.route("**/runs/schedules", async (route, request) => {
        if (first) return route.continue();
        first = request;
        const response = await route.fetch();
        resolve(request);
        await held;
        await route.fulfill({ response });
      });
    });
    const late = await looked;
    await row.getByRole("button", { name: "Pause" }).click();
    await row.getByText("Paused").waitFor();
    const arrived = page.waitForEvent("requestfinished", (request) => request === late);
    letGo();
    await arrived;
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
    expect(await row.getByRole("button").textContent()).toBe("Resume");
    await page.unroute("**/runs/schedules");
    await row.getByRole("button", { name: "Resume" }).click();
    await row.getByText("06:00").waitFor();
  });

  it("draws the machine on a run's page, with the state that it is in", async () => {
    const answer = await fetch(`${running.url}/doors`, toJson('{"door": "front"}'));
    const { run } = (await answer.json()) as { readonly run: string };
    await page.goto(`${running.url}/console#run=${run}`);
    const here = page.locator('.machine-state[aria-current="step"]');
    await here.getByText("shut", { exact: true }).waitFor();
    expect(await page.locator(".machine-state").count()).toBe(4);
    await running.runs.of(Doors.watch).signal(run, "opened", {});
    await here.getByText("open", { exact: true }).waitFor();
    await here.getByText("after 10 min → alarm").waitFor();
    await picture("machine");
    const { machines } = (await ask("reader", "GET", "/runs/machines")).body;
    expect(Object.keys(machines)).toEqual(["doors.watch@1"]);
    expect(machines["doors.watch@1"].mermaid).toContain("stateDiagram-v2");
    expect((await ask(undefined, "GET", "/runs/machines")).status).toBe(401);
    expect(complaints).toEqual([]);
  });
});
