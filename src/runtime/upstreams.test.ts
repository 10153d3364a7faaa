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
import { byName } from "./upstreams.ts";

const Cities = contract("cities", "1.0.0", {
  page: query({ input: z.object({ city: z.string() }), output: z.object({ name: z.string().optional() }) }),
});
const nobody: Dispatch = {
  call: () => Promise.reject(new Error("Nobody was to be called.")),
  void: () => Promise.reject(new Error("Nobody was to be called.")),
};
let connections = 0;
const server = createServer((_, response) => {
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
