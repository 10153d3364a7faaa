// What an operator sees of sources, views and feeds: the console's page, drawn from a backend with real upstreams.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { feed, type Input, json, prefer, source, tumbling, view, windowed } from "../src/aggregation/index.ts";
import { command, contract, query } from "../src/contracts/index.ts";
import { backend, type Running } from "../src/runtime/index.ts";
import { store } from "../src/storage/index.ts";
import { launchBrowser, openPage } from "./browser.ts";
import { buildConsole } from "./built-console.ts";

const secret = "hush-4711";
const Cities = contract("cities", "1.0.0", {
  page: query({
    input: z.object({ city: z.string() }),
    output: z.object({
      name: z.string().optional(),
      people: z.number().optional(),
      mayor: z.string().optional(),
      rain: z.number().optional(),
    }),
    http: "GET /cities/{city}",
    access: "public",
  }),
});
const Hour = z.object({ station: z.string(), hour: z.int(), count: z.int() });
const Hours = contract("hours", "1.0.0", { record: command({ input: Hour }) });

interface Reading {
  readonly station: string;
  readonly at: number;
}
const day = Date.parse("2026-03-01T00:00:00Z");
const toInput = (name: string, minutes: readonly number[], isOver: boolean): Input<Reading> => ({
  name,
  at: ({ at }) => at,
  outOfOrder: "15m",
  async *read(after) {
    if (after === null || after === undefined)
      yield { records: minutes.map((minute) => ({ station: name, at: day + minute * 60_000 })), position: 1 };
    if (!isOver) await new Promise(() => {});
  },
});
const hourly = feed("hourly-rain", {
  // The second batch of minutes would be earlier than the watermark, so 30 is late once 300 was read.
  inputs: [
    toInput("north", [10, 70, 130, 200, 320], false),
    {
      ...toInput("south", [], false),
      async *read(after) {
        if (after === null || after === undefined) {
          yield {
            records: [40, 65, 310].map((minute) => ({ station: "south", at: day + minute * 60_000 })),
            position: 1,
          };
          yield { records: [30, 305].map((minute) => ({ station: "south", at: day + minute * 60_000 })), position: 2 };
        }
        await new Promise(() => {});
      },
    },
  ],
  stage: () =>
    windowed({
      windows: tumbling("1h"),
      allowedLateness: "30m",
      key: ({ station }: Reading) => station,
      aggregate: { initial: () => 0, add: (count) => count + 1, result: (count: number) => count },
    }),
  into: Hours.record,
  input: ({ key, start, value }) => ({ station: key, hour: start / 3_600_000, count: value }),
  key: ({ key, start, revision }) => `${key}/${start}/${revision}`,
});

let browser: Browser;
let running: Running;
let folder: string;
let upstream: Server;
const complaints: string[] = [];
beforeAll(async () => {
  await buildConsole();
  browser = await launchBrowser();
  folder = await mkdtemp(join(tmpdir(), "trilith-console-sources-"));
  upstream = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const city = pathname.split("/").at(-1) ?? "";
    const say = (status: number, body: unknown): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    if (pathname.startsWith("/registry")) return say(200, { name: city, people: city.length * 100_000 });
    if (pathname.startsWith("/census")) return say(200, { people: city === "oslo" ? 400_000 : 709_000 });
    if (pathname.startsWith("/townhall"))
      return say(200, { mayor: 17, token: "t-9", asked: request.headers.authorization });
    return say(503, { title: "Rain gauges are being cleaned." });
  });
  await new Promise<void>((ready) => upstream.listen(0, "127.0.0.1", ready));
  const origin = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;

  const registry = source("registry", {
    get: json(`${origin}/registry/{city}`, z.object({ name: z.string(), people: z.number() })),
    cacheFor: "1m",
  });
  const census = source("census", { get: json(`${origin}/census/{city}`, z.object({ people: z.number() })) });
  const townhall = source("townhall", { get: json(`${origin}/townhall/{city}`, z.object({ mayor: z.string() })) });
  const gauges = source("gauges", {
    get: json(`${origin}/gauges/{city}`, z.object({ rain: z.number() })),
    attempts: 1,
    breaker: { least: 3 },
  });
  const page = view(Cities.page, {
    budget: "5s",
    fields: {
      name: prefer(registry),
      people: prefer(census, registry),
      mayor: prefer(townhall),
      rain: prefer(gauges),
    },
  });
  running = await backend("cities", {
    aggregation: [page],
    storage: [store(Hours, {}, { record: async () => {} })],
    feeds: [hourly],
  }).start({
    environment: {
      PORT: "0",
      TRILITH_DATA: folder,
      TRILITH_LOG: "silent",
      TRILITH_SOURCE_TOWNHALL_TOKEN: secret,
    },
  });
  for (const city of ["oslo", "bergen", "oslo", "oslo", "bodo", "tromso"])
    expect((await fetch(`${running.url}/cities/${city}`)).status).toBe(200);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await running?.stop();
  upstream?.close();
  await rm(folder, { recursive: true, force: true });
});

const screenshots = process.env.TRILITH_SCREENSHOTS;
const picture = async (page: Page, name: string): Promise<void> => {
  if (screenshots === undefined) return;
  await mkdir(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}.png`) });
};
const open = async (colorScheme: "dark" | "light", width: number, height = 1100): Promise<Page> => {
  const page = await openPage(browser, { viewport: { width, height }, colorScheme });
  page.on("pageerror", (error) => complaints.push(`threw: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`said: ${message.text()}`);
  });
  await page.goto(`${running.url}/console`);
  await page.getByRole("link", { name: "Sources" }).click();
  return page;
};

describe("the console's page of sources", () => {
  it("shows of each source the breaker, answers, errors, percentiles and the cache", async () => {
    const page = await open("dark", 1440);
    const card = (name: string) => page.getByRole("article", { name, exact: true });
    const fact = async (name: string, title: string) =>
      card(name).locator(".facts > div").filter({ hasText: title }).locator("dd").first().textContent();
    await card("registry").getByText("breaker closed").waitFor();
    expect(await fact("registry", "Cache hits")).toBe("33 %");
    expect(await fact("registry", "p95")).toMatch(/^\d.* ms$/);
    expect(await card("registry").getByText("no errors").count()).toBe(1);

    await card("gauges").getByText("breaker open", { exact: true }).waitFor();
    const kinds = await card("gauges")
      .getByRole("list", { name: "Errors by kind" })
      .getByRole("listitem")
      .allTextContents();
    expect(kinds).toEqual(["failing 3", "breaker 3"]);
    expect(await card("gauges").getByRole("img").first().getAttribute("aria-label")).toBe("Answers: down 6");

    expect(await fact("townhall", "Invalid")).toBe("6");
    await card("townhall").getByText("cities.page").waitFor();
    await picture(page, "sources-dark");
    await page.close();
  });

  it("keeps what was invalid for a person, without what is secret", async () => {
    const page = await open("light", 1440);
    const card = page.getByRole("article", { name: "townhall", exact: true });
    await card.getByText("5 invalid answers kept, masked").click();
    const said = await card.locator("pre").first().textContent();
    expect(said).toBe('{"mayor":17,"token":"[secret]","asked":"[secret]"}');
    expect(await page.content()).not.toContain("hush-4711");
    await picture(page, "sources-light");
    await page.close();
  });

  it("counts the conflicts of each field of a view", async () => {
    const page = await open("dark", 1440);
    const table = page.getByRole("region", { name: "Conflicts" });
    await table.getByText("cities.page").waitFor();
    expect(await table.locator("tbody tr").count()).toBe(1);
    expect(await table.locator("tbody td").allTextContents()).toEqual(["cities.page", "6", "people", "3", "0"]);
    await page.close();
  });

  it("shows of each feed its inputs, where event time stands, what came late, and the node that has it", async () => {
    const page = await open("dark", 1440);
    const card = page.getByRole("article", { name: "hourly-rain" });
    await card.getByText("running").waitFor();
    await card.getByText(/^runs on this node, [0-9a-f]{8}$/).waitFor();
    const fact = (title: string) => card.locator(".facts > div").filter({ hasText: title }).locator("dd").textContent();
    await expect.poll(() => fact("Late records"), { timeout: 60_000 }).toBe("1");
    expect(await fact("Allowed lateness")).toBe("30 min");
    expect(await fact("Watermark")).toBe("1 Mar 2026, 04:55");
    const rows = card.locator("tbody tr");
    expect(await rows.nth(0).locator("td").allTextContents()).toEqual([
      ...["north", "active", "5", "1 Mar 2026, 05:05", "up to 15 min"],
    ]);
    expect(await rows.nth(1).locator("td").allTextContents()).toEqual([
      ...["south", "active", "5", "1 Mar 2026, 04:55", "up to 15 min"],
    ]);
    await card.scrollIntoViewIfNeeded();
    await picture(page, "sources-feeds-dark");
    await page.close();
  });

  it("has room on a narrow page, and complains of nothing", async () => {
    const page = await open("light", 390, 844);
    await page.getByRole("article", { name: "registry", exact: true }).waitFor();
    await picture(page, "sources-narrow");
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await page.close();
    expect(complaints).toEqual([]);
  });
});
