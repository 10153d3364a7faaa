import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, symlink, writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import type { SpanRecord } from "../telemetry/index.ts";
import type { Hello } from "./console-feed.ts";
import { answering, type Started, startGateway } from "./start-gateway.test-d.ts";

let started: Started | undefined;
afterEach(() => started?.stop());
const start = async (...given: Parameters<typeof startGateway>): Promise<Started> => {
  started = await startGateway(...given);
  return started;
};

interface Told {
  readonly event: string;
  readonly data: unknown;
}
/** The events of a feed, one after the other. */
async function* eventsOf(answer: Response): AsyncGenerator<Told> {
  let text = "";
  for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const parts = text.split("\n\n");
    text = parts.pop() ?? "";
    for (const part of parts) {
      const [, event, data] = /^event: (.*)\ndata: (.*)$/.exec(part) ?? [];
      if (event && data) yield { event, data: JSON.parse(data) };
    }
  }
}

test("the feed says who speaks, then what was, then what comes, as it comes", async () => {
  const { get, telemetry } = await start(answering({ shelf: "a", count: 1 }), {
    layerOf: (operation) => (operation === "trips.shelf" ? "aggregation" : undefined),
  });
  await get("/shelf");
  await expect.poll(() => telemetry.feed.recent()[0]?.status).toBe("ok");
  const answer = await get("/console/feed");
  expect(answer.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
  const events = eventsOf(answer);
  const hello = (await events.next()).value as Told;
  expect(hello.event).toBe("hello");
  const { contracts, ...who } = hello.data as Hello;
  expect(who).toEqual({
    name: "test",
    version: "1.2.0",
    pid: process.pid,
    startedAt: expect.any(String),
    canCrash: false,
  });
  expect(contracts[0]).toMatchObject({ name: "trips", version: "1.2.0" });
  expect(contracts[0]?.operations).toContainEqual({ name: "shelf", kind: "query", layer: "aggregation" });
  expect(contracts[0]?.operations).toContainEqual({ name: "book", kind: "command" });

  const past = (await events.next()).value as Told;
  expect(past).toMatchObject({ event: "span", data: { kind: "request", name: "GET /shelf", status: "ok" } });
  const finish = Promise.withResolvers<void>();
  const work = telemetry.tracing.begin().span("run", "trips.book", {}, () => finish.promise);
  expect((await events.next()).value).toMatchObject({ data: { name: "trips.book", status: "open" } });
  finish.resolve();
  await work;
  const end = ((await events.next()).value as Told).data as SpanRecord;
  expect(end).toMatchObject({ name: "trips.book", status: "ok" });
  expect(end).toEqual(telemetry.feed.recent().at(-1));
  await events.return(undefined);
});

test("feeds end when the gateway closes", async () => {
  const { get, gateway } = await start(answering({}));
  const events = eventsOf(await get("/console/feed"));
  await events.next();
  const begun = performance.now();
  await gateway.close();
  expect((await events.next()).done).toBe(true);
  expect(performance.now() - begun).toBeLessThan(10_000);
});

test("a console that is switched off is not there", async () => {
  const { get, post } = await start(answering({}), { settings: { console: "off", supervised: true } });
  for (const path of ["/console", "/console/feed"]) expect((await get(path)).status).toBe(404);
  expect((await post("/console/crash", {})).status).toBe(404);
});

test.each([
  ["under another name (DNS rebinding)", { host: "evil.test:80" }],
  ["through a proxy", { "x-forwarded-for": "203.0.113.9" }],
  ["through a proxy that says it in the new way", { forwarded: "for=203.0.113.9" }],
])("the console on loopback asks for a scope %s", async (_how, headers) => {
  const { url, key } = await start(answering({}));
  expect(await statusOf(url, "GET", "/console/feed", headers)).toBe(401);
  const authorization = `Bearer ${await key("watcher", "console:read")}`;
  expect(await statusOf(url, "GET", "/console", { ...headers, authorization })).toBe(404);
});

const outside = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.family === "IPv4" && !one.internal)?.address;
test("the console on an open address asks everybody for a scope", async () => {
  const { get, key, url } = await start(answering({}), { settings: { host: "0.0.0.0", supervised: true } });
  expect((await get("/console/feed")).status).toBe(401);
  expect((await get("/console/feed", { headers: { "x-api-key": await key("other", "trips:book") } })).status).toBe(403);
  const answer = await get("/console/feed", { headers: { "x-api-key": await key("watcher", "console:read") } });
  expect(answer.status).toBe(200);
  await answer.body?.cancel();
  if (outside === undefined) return;
  const elsewhere = url.replace("localhost", outside);
  expect(await statusOf(elsewhere, "POST", "/console/crash", { origin: elsewhere })).toBe(404);
});

test("pages are served with a strict policy, and nothing outside their folder", async () => {
  const folder = await mkdtemp(join(tmpdir(), "console-"));
  const assets = join(folder, "console");
  await mkdir(join(assets, "assets"), { recursive: true });
  await mkdir(join(assets, "docs"));
  await writeFile(join(folder, "secret.txt"), "secret");
  await symlink(join(folder, "secret.txt"), join(assets, "link.txt"));
  await writeFile(join(assets, ".hidden"), "secret");
  await writeFile(join(assets, "index.html"), "<!doctype html><title>console</title>");
  await writeFile(join(assets, "assets", "app-1a2b.js"), "export {};");
  await writeFile(join(assets, "docs", "index.html"), "<!doctype html><title>docs</title>");
  await writeFile(join(assets, "docs", "swagger-ui-bundle.js"), "window.SwaggerUIBundle = {};");
  const { url, get } = await start(answering({}), { assets });

  const page = await get("/console");
  expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  expect(page.headers.get("content-security-policy")).toMatch(
    /^default-src 'none'; script-src 'self';.*connect-src 'self'/,
  );
  expect(page.headers.get("cache-control")).toBe("no-cache");
  const etag = page.headers.get("etag") ?? "";
  expect((await get("/console", { headers: { "if-none-match": etag } })).status).toBe(304);
  const script = await get("/console/assets/app-1a2b.js");
  expect([script.status, script.headers.get("content-type")]).toEqual([200, "text/javascript; charset=utf-8"]);
  expect(script.headers.get("cache-control")).toContain("immutable");
  expect(await (await get("/console/assets/app-1a2b.js", { method: "HEAD" })).text()).toBe("");

  for (const path of [
    "/console/../secret.txt",
    "/console/%2e%2e/secret.txt",
    "/console/..%2fsecret.txt",
    "/console/link.txt",
    "/console/.hidden",
    "/console/assets",
    "/console/nothing.js",
    "/console/a%00b",
  ]) {
    expect([path, await statusOf(url, "GET", path, {})]).toEqual([path, 404]);
  }
  expect(await statusOf(url, "POST", "/console/index.html", {})).toBe(405);

  expect((await get("/docs")).headers.get("location")).toBe("/docs/");
  const docs = await get("/docs/");
  expect(docs.status).toBe(200);
  expect(docs.headers.get("content-security-policy")).toContain("connect-src 'self'");
  expect((await get("/docs/swagger-ui-bundle.js")).status).toBe(200);
  expect((await get("/docs/nothing.js")).status).toBe(404);
});

test("pages that were not built say what to do", async () => {
  const { get } = await start(answering({}), { assets: "nowhere" });
  for (const path of ["/console", "/docs/"]) {
    const answer = await get(path);
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain("npm run build");
  }
});

test("the API describes itself", async () => {
  const { get } = await start(answering({}), { longRunning: ["trips.rename"] });
  const document = (await (await get("/openapi.json")).json()) as { readonly paths: { readonly [path: string]: any } }; // read by hand below
  expect(document).toMatchObject({ openapi: "3.1.0", info: { title: "test", version: "1.2.0" } });
  expect(Object.keys(document.paths)).toContain("/trips/{trip}");
  expect(document.paths["/trips/{trip}"].put.responses).toHaveProperty("202");
});

test.each([
  ["not supervised", false, {}],
  ["not the page's own origin", true, { origin: "http://evil.test" }],
  ["no origin at all", true, { origin: undefined }],
  ["another site, by the browser's word", true, { "sec-fetch-site": "cross-site" }],
  ["another name for this machine", true, { host: "evil.test", origin: "http://evil.test" }],
  ["a proxy", true, { "x-forwarded-for": "203.0.113.9" }],
])("nobody crashes the process: %s", async (_why, supervised, headers) => {
  const { url } = await start(answering({}), { settings: { supervised } });
  expect(await statusOf(url, "POST", "/console/crash", { origin: url, ...headers })).toBe(404);
});

test("the page's button kills the process at once", async () => {
  const script = fileURLToPath(new URL("./start-gateway.test-d.ts", import.meta.url));
  const code = `
    const { startGateway, answering } = await import(${JSON.stringify(script)});
    const { url } = await startGateway(answering({}), { settings: { supervised: true } });
    console.log(url);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const [url] = (await once(createInterface(child.stdout), "line")) as [string];
  const feed = eventsOf(await fetch(`${url}/console/feed`));
  expect((await feed.next()).value).toMatchObject({ data: { canCrash: true, pid: child.pid } });
  expect(await statusOf(url, "POST", "/console/crash", { origin: url, "sec-fetch-site": "same-origin" })).toBe(202);
  expect(await ended).toEqual([null, "SIGKILL"]);
  await expect(feed.next()).rejects.toThrow();
});

/** The status of a request whose headers and path are sent as they are, which fetch would not do. */
async function statusOf(
  url: string,
  method: string,
  path: string,
  headers: Record<string, string | undefined>,
): Promise<number> {
  const { hostname, port } = new URL(url);
  const given = Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const [answer] = await once(httpRequest({ hostname, port, path, method, headers: given }).end(), "response");
  answer.resume();
  return answer.statusCode;
}
