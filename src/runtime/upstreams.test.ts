// From TRILITH_SOURCE_…_URL to the socket: names that lead where nobody said they may.
import type { lookup } from "node:dns";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { provideViews } from "../aggregation/host.ts";
import { json, prefer, source, type ViewMeta, view } from "../aggregation/index.ts";
import { anonymous, contract, type Dispatch, query, silent, systemClock } from "../contracts/index.ts";
import { createHttp, toUpstream } from "../transports/http/index.ts";
import { backend } from "./index.ts";
import { readSettings } from "./settings.ts";
import { byName, toConnections } from "./upstreams.ts";

const Cities = contract("cities", "1.0.0", {
  page: query({ input: z.object({ city: z.string() }), output: z.object({ name: z.string().optional() }) }),
});
const nobody: Dispatch = {
  call: () => Promise.reject(new Error("Nobody was to be called.")),
  void: () => Promise.reject(new Error("Nobody was to be called.")),
};
let connections = 0;
const server = createServer(({ url }, response) => {
  if (url?.startsWith("/hang")) return;
  response.setHeader("content-type", "application/json");
  response.end('{"name":"inner"}');
}).on("connection", () => {
  connections += 1;
});
let port = 0;
beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** Asks a source whose address is in the settings, where each name leads to these addresses, one look after the other. */
async function ask(host: string, leadsTo: readonly string[], more: { readonly [name: string]: string } = {}, asks = 1) {
  const guide = source("vendor-guide", {
    get: json("https://guide.test/{city}", z.object({ name: z.string() })),
    attempts: 1,
  });
  const page = view(Cities.page, { budget: "2s", fields: { name: prefer(guide) } });
  const settings = readSettings({ TRILITH_SOURCE_VENDOR_GUIDE_URL: `http://${host}:${port}`, ...more });
  const { urls, inner } = byName(backend("cities", { aggregation: [page] }).composition, settings).sources;
  let looks = 0;
  const resolve = ((_: string, { all }: { all: boolean }, done: (...args: unknown[]) => void) => {
    const address = leadsTo[Math.min(looks, leadsTo.length - 1)] ?? "";
    looks += 1;
    const family = address.includes(":") ? 6 : 4;
    if (all) done(null, [{ address, family }]);
    else done(null, address, family);
  }) as typeof lookup; // as much of it as the client uses
  const http = createHttp({ resolve, connectTimeoutMs: 200 });
  const ports = { dispatch: nobody, clock: systemClock, random: Math.random };
  const views = provideViews([page], { upstream: toUpstream(http), ...ports, origins: urls, inner });
  const call = { principal: anonymous, trace: silent, aborted: new AbortController().signal };
  const states: string[] = [];
  connections = 0;
  for (let count = 0; count < asks; count++) {
    const reply = await views.providers[0]?.handle({ city: `c${count}` }, call, undefined);
    const { state = "", problem = "" } = (reply as { meta: ViewMeta }).meta.sources["vendor-guide"] ?? {};
    states.push(`${state} ${problem.includes("inner address") ? "refused" : ""}`.trim());
  }
  await views.close();
  await http.close();
  return states;
}

describe("an address in the settings", () => {
  it.each(["127.0.0.1", "localhost"])("is an inner one where it says so itself: %s", async (host) => {
    expect(await ask(host, ["127.0.0.1"])).toEqual(["fresh"]);
  });

  it.each(["127.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1"])(
    "whose name leads to %s is not connected to",
    async (address) => {
      expect(await ask("api.vendor.test", [address])).toEqual(["down refused"]);
      expect(connections).toBe(0);
    },
  );

  it("is looked at for each connection: a name that led elsewhere before is refused", async () => {
    expect(await ask("api.vendor.test", ["4000::1", "127.0.0.1"], {}, 2)).toEqual(["down", "down refused"]);
    expect(connections).toBe(0);
  });

  it("may lead to an inner one where the settings say so", async () => {
    const allowed = { TRILITH_SOURCE_VENDOR_GUIDE_INNER: "on" };
    expect(await ask("guide.cluster.test", ["127.0.0.1"], allowed)).toEqual(["fresh"]);
  });
});

describe("two sources behind one address", () => {
  const Answer = z.object({ name: z.string() });
  const Tide = z.object({ tide: z.string() });
  const Towns = contract("towns", "1.0.0", {
    page: query({
      input: z.object({ town: z.string() }),
      output: z.object({ name: z.string().optional(), tide: z.string().optional() }),
    }),
  });
  const healthy = source("healthy", { get: json("https://towns.test/{town}", Answer), concurrency: 8 });
  const hanging = source("hanging", {
    get: json("https://towns.test/hang/{town}", Tide),
    concurrency: 70,
    attempts: 1,
    breaker: false,
  });
  const page = view(Towns.page, { budget: "1s", fields: { name: prefer(healthy), tide: prefer(hanging) } });

  it("have the connections of both, and remote contracts their own beside them", () => {
    const settings = readSettings({
      TRILITH_SOURCE_HEALTHY_URL: "http://10.0.0.1:80/v2",
      TRILITH_SOURCE_HANGING_URL: "http://10.0.0.1",
    });
    const connections = toConnections(backend("towns", { aggregation: [page] }).composition, settings);
    expect(connections("http://10.0.0.1")).toBe(78);
    expect(connections("https://elsewhere.test")).toBe(64);
  });

  it("do not hold each other up where one hangs", async () => {
    const url = `http://127.0.0.1:${port}`;
    const settings = readSettings({ TRILITH_SOURCE_HEALTHY_URL: url, TRILITH_SOURCE_HANGING_URL: url });
    const { composition } = backend("towns", { aggregation: [page] });
    const http = createHttp({ connections: toConnections(composition, settings) });
    const { urls } = byName(composition, settings).sources;
    const ports = { dispatch: nobody, clock: systemClock, random: Math.random, origins: urls };
    const views = provideViews([page], { upstream: toUpstream(http), ...ports });
    const call = { principal: anonymous, trace: silent, aborted: new AbortController().signal };
    const replies = await Promise.all(
      Array.from({ length: 75 }, (_, at) => views.providers[0]?.handle({ town: `t${at}` }, call, undefined)),
    );
    const states = replies.map((reply) => (reply as { meta: ViewMeta }).meta.sources.healthy?.state);
    expect(new Set(states)).toEqual(new Set(["fresh"]));
    await views.close();
    await http.close();
  });
});
