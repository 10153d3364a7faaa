// A page of fifty items from three upstreams over real sockets: how many requests that takes.
import { expect, test } from "vitest";
import { z } from "zod";
import { provideViews } from "../../aggregation/host.ts";
import { csv, json, list, many, nested, prefer, source, view, xml } from "../../aggregation/index.ts";
import { contract, query, systemClock } from "../../contracts/index.ts";
import { createHttp } from "./client.ts";
import { nobody, serve, toCall } from "./test-kit.test-d.ts";
import { toUpstream } from "./upstream.ts";

const Harbour = z.object({
  id: z.string(),
  name: z.string(),
  tide: z.object({ high: z.string().optional() }).optional(),
  ships: z.object({ count: z.int().optional() }).optional(),
});
const Harbours = contract("harbours", "1.0.0", {
  list: query({
    input: z.object({ after: z.string().optional() }),
    output: z.object({ items: z.array(Harbour), complete: z.boolean(), next: z.string().optional() }),
  }),
  page: query({
    input: z.object({ id: z.string() }),
    output: z.object({ high: z.string().optional(), count: z.int().optional(), depth: z.int().optional() }),
  }),
  pages: query({
    input: z.object({ ids: z.array(z.string()).max(50) }),
    output: z.object({
      items: z.array(
        z.object({
          key: z.string(),
          state: z.enum(["found", "missing", "unavailable", "invalid"]),
          value: z
            .object({ high: z.string().optional(), count: z.int().optional(), depth: z.int().optional() })
            .optional(),
          problem: z.string().optional(),
        }),
      ),
    }),
  }),
});
const register = source("register", {
  get: json("https://register.test/all", z.array(Harbour.pick({ id: true, name: true }))),
});
const tides = source("tides", {
  batch: csv("https://tides.test/?id={id}", z.object({ id: z.string(), high: z.string() })),
  match: "id",
});
const ships = source("ships", {
  batch: xml("https://ships.test/?id={id}", "harbours.harbour", z.object({ id: z.string(), count: z.coerce.number() })),
  match: "id",
});
const depths = source("depths", {
  batch: json("https://depths.test/?id={id}", z.array(z.object({ id: z.string(), depth: z.int() }))),
  match: "id",
});

const harbours = list(Harbours.list, {
  budget: "5s",
  same: "id",
  fields: {
    id: prefer(register),
    name: prefer(register),
    tide: nested({ high: prefer(tides) }),
    ships: nested({ count: prefer(ships) }),
  },
});
const page = view(Harbours.page, {
  budget: "5s",
  fields: { high: prefer(tides), count: prefer(ships), depth: prefer(depths) },
});
const pages = many(Harbours.pages, page, { keys: "ids", as: "id" });

async function world() {
  const asked: string[] = [];
  const ids = Array.from({ length: 120 }, (_, n) => `h${String(n).padStart(3, "0")}`);
  const server = await serve((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const name = url.pathname.split("/")[1] ?? "";
    asked.push(name);
    const keys = (url.searchParams.get("id") ?? "").split(",");
    const bodies: { readonly [name: string]: readonly [type: string, body: string] } = {
      register: ["application/json", JSON.stringify(ids.map((id) => ({ id, name: `Harbour ${id}` })))],
      tides: ["text/csv", `id,high\n${keys.map((id) => `${id},12:${id.slice(-2)}`).join("\n")}\n`],
      ships: [
        "application/xml",
        `<harbours>${keys.map((id) => `<harbour><id>${id}</id><count>3</count></harbour>`).join("")}</harbours>`,
      ],
      depths: ["application/json", JSON.stringify(keys.map((id) => ({ id, depth: 9 })))],
    };
    const [type, body] = bodies[name] ?? ["text/plain", ""];
    response.setHeader("content-type", type).end(body);
  });
  const http = createHttp({});
  const names = ["register", "tides", "ships", "depths"];
  const bound = provideViews([harbours, pages], {
    upstream: toUpstream(http),
    dispatch: nobody,
    clock: systemClock,
    random: Math.random,
    origins: Object.fromEntries(names.map((name) => [name, `${server.url}/${name}`])),
  });
  return {
    asked,
    ids,
    async answer(at: number, input: object) {
      const reply = await bound.providers[at]?.handle(input, toCall(), input);
      return (reply as { readonly output: any }).output; // whatever it answers
    },
    async [Symbol.asyncDispose]() {
      await bound.close();
      await http.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

test("a page of a list is one request for the list and one for each source that its items ask", async () => {
  await using there = await world();
  const first = await there.answer(0, {});
  expect(first.items).toHaveLength(50);
  expect(first.items[49]).toEqual({ id: "h049", name: "Harbour h049", tide: { high: "12:49" }, ships: { count: 3 } });
  expect(there.asked.toSorted()).toEqual(["register", "ships", "tides"]);
  const second = await there.answer(0, { after: first.next });
  expect(second.items[0].id).toBe("h050");
  expect(there.asked).toHaveLength(6);
});

test("fifty keys from three sources are three requests", async () => {
  await using there = await world();
  const { items } = await there.answer(1, { ids: there.ids.slice(0, 50) });
  expect(items).toHaveLength(50);
  expect(items[7]).toEqual({ key: "h007", state: "found", value: { high: "12:07", count: 3, depth: 9 } });
  expect(there.asked.toSorted()).toEqual(["depths", "ships", "tides"]);
});
