// Growing answers and chosen fields from end to end: real upstreams, a real backend, real sockets.
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { json, latest, list, many, prefer, source, view } from "../aggregation/index.ts";
import { contract, query } from "../contracts/index.ts";
import { backend, type Running } from "./index.ts";

const Cities = contract("cities", "1.0.0", {
  page: query({
    input: z.object({ city: z.string() }),
    output: z.object({ name: z.string(), people: z.int().optional(), mayor: z.string().optional() }),
    http: "GET /cities/{city}",
    access: "public",
  }),
  list: query({
    input: z.object({}),
    output: z.object({
      items: z.array(z.object({ name: z.string(), people: z.int().optional() })),
      complete: z.boolean(),
      missing: z.array(z.string()).optional(),
    }),
    http: "GET /cities",
    access: "public",
  }),
  some: query({
    input: z.object({ cities: z.array(z.string()).max(5) }),
    output: z.object({
      items: z.array(
        z.object({
          key: z.string(),
          state: z.enum(["found", "missing", "unavailable", "invalid"]),
          value: z.object({ name: z.string(), people: z.int().optional(), mayor: z.string().optional() }).optional(),
          problem: z.string().optional(),
        }),
      ),
    }),
    http: "GET /some-cities",
    access: "public",
  }),
});
const City = z.object({ name: z.string(), people: z.int(), on: z.iso.date(), mayor: z.string().optional() });
const names = ["guide", "census", "council"] as const;
const toSource = <const Name extends string>(name: Name) =>
  source(name, { get: json("https://cities.test/{city}", City), asOf: "on", attempts: 1 });
const [guide, census, council] = [toSource("guide"), toSource("census"), toSource("council")];

const page = view(Cities.page, {
  budget: "2s",
  require: [guide],
  fields: { name: prefer(guide), people: latest(guide, census), mayor: prefer(council) },
});

const Row = z.object({ name: z.string(), people: z.int() });
const registers = (["north", "south"] as const).map((name) =>
  source(name, { get: json("https://cities.test/all", z.array(Row)), attempts: 1 }),
);
const [north, south] = registers as [(typeof registers)[number], (typeof registers)[number]]; // there are two
const all = list(Cities.list, {
  budget: "2s",
  same: "name",
  fields: { name: prefer(north, south), people: prefer(north, south) },
  orderBy: ["name"],
});
const some = many(Cities.some, page, { keys: "cities", as: "city" });

/** Others may keep the machine busy. */
const patient = { timeout: 60_000 };
let data: string;
let upstream: Server;
let running: Running;
let delays: { readonly [source: string]: number } = {};
/** As a delay: the upstream answers when the test says so. */
const untilReleased = Number.POSITIVE_INFINITY;
const held: (() => void)[] = [];
let cutOff = 0;
const asked: string[] = [];
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), "trilith-growing-"));
  upstream = createServer((request, response) => {
    const [, name = "", place = ""] = request.url?.split("/") ?? [];
    asked.push(name);
    const isRegister = name === "north" || name === "south";
    const body: unknown = isRegister
      ? [{ name, people: 1 }]
      : { name, people: name.length, on: name === "census" ? "2026-02-02" : "2026-01-01", mayor: "Ada" };
    const answer = (): void => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(body));
    };
    const delay = delays[`${name}/${place}`] ?? delays[name] ?? 0;
    if (delay === untilReleased) held.push(answer);
    const timer = delay === untilReleased ? undefined : setTimeout(answer, delay);
    response.once("close", () => {
      clearTimeout(timer);
      if (!response.writableFinished) cutOff += 1;
    });
  }).listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const address = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const urls = Object.fromEntries(
    [...names, "north", "south"].map((name) => [`TRILITH_SOURCE_${name.toUpperCase()}_URL`, `${address}/${name}`]),
  );
  const environment = { PORT: "0", TRILITH_DATA: data, TRILITH_LOG: "fatal", ...urls };
  running = await backend("cities", { aggregation: [page, all, some] }).start({ environment });
});
afterAll(async () => {
  await running.stop();
  upstream.close();
  await rm(data, { recursive: true });
});

const accept = { headers: { accept: "text/event-stream" } };
interface Heard {
  readonly event: string;
  readonly data: any; // whatever the test expects there
}
/** Releases what is held once so much was said. */
async function hear(path: string, until = "\n\n"): Promise<readonly Heard[]> {
  let text = "";
  for await (const chunk of (await fetch(running.url + path, accept)).body ?? []) {
    text += Buffer.from(chunk).toString();
    if (text.includes(until)) for (const answer of held.splice(0)) answer();
  }
  return text
    .split("\n\n")
    .filter(Boolean)
    .map((block) => {
      const [event = "", data = ""] = block.split("\n").map((line) => line.slice(line.indexOf(":") + 2));
      return { event, data: JSON.parse(data) };
    });
}
/** These answers have no lists and no levels, so a step is a field. */
const applied = (events: readonly Heard[]): unknown =>
  events.reduce<{ [field: string]: unknown }>((answer, { event, data }) => {
    if (event === "answer") return data.data;
    for (const { op, path, value } of data.patch ?? []) {
      if (op === "remove") delete answer[path.slice(1)];
      else answer[path.slice(1)] = value;
    }
    return answer;
  }, {});

it("comes to the plain answer, however the upstreams are timed", async () => {
  const wait = fc.constantFrom(0, 0, 5, 15, 30);
  await fc.assert(
    fc.asyncProperty(fc.record({ guide: wait, census: wait, council: wait }), async (given) => {
      delays = given;
      const events = await hear("/cities/oslo");
      const { data: plain, meta } = (await (
        await fetch(`${running.url}/cities/oslo?meta=true`)
      ).json()) as Heard["data"];
      expect(applied(events)).toEqual(plain);
      const last = events.at(-1);
      expect(last?.event).toBe("complete");
      expect(last?.data.meta.fields.people.source).toBe(meta.fields.people.source);
    }),
    { numRuns: 25 },
  );
  delays = {};
});

it("shows first what is there, and then what came later", async () => {
  delays = { census: untilReleased };
  const [first, ...others] = await hear("/cities/oslo", '"pending":["census"]');
  expect(first).toMatchObject({
    event: "answer",
    data: { data: { name: "guide", people: 5 }, pending: expect.arrayContaining(["census"]) },
  });
  expect(others.at(-2)?.data).toMatchObject({ patch: [{ op: "replace", path: "/people", value: 6 }], pending: [] });
  delays = {};
});

it("shows the lists that are there first, and then those that came later", async () => {
  delays = { south: untilReleased };
  const events = await hear("/cities");
  expect(events[0]).toMatchObject({
    event: "answer",
    data: { data: { items: [{ name: "north" }], complete: false, missing: ["south"] }, pending: ["south"] },
  });
  expect(events.map(({ event }) => event)).toEqual(["answer", "patch", "complete"]);
  expect(events[1]?.data.patch).toEqual(
    expect.arrayContaining([
      { op: "add", path: "/items/1", value: { name: "south", people: 1 } },
      { op: "replace", path: "/complete", value: true },
    ]),
  );
  expect(events[2]?.data.meta.sources).toMatchObject({ north: { state: "fresh" }, south: { state: "fresh" } });
  delays = {};
});

it("shows each of many keys as soon as something is known of it", async () => {
  delays = { "guide/oslo": untilReleased };
  const events = await hear("/some-cities?cities=oslo&cities=rome");
  expect(events[0]).toMatchObject({
    event: "answer",
    data: { data: { items: [{ key: "rome", state: "found", value: { name: "guide" } }] } },
  });
  expect(events[0]?.data.pending).toContain("guide");
  expect(events.at(-1)?.event).toBe("complete");
  expect(events.at(-1)?.data.meta.items).toMatchObject([{ key: "oslo" }, { key: "rome" }]);
  delays = {};
});

it.each([
  ["a thing", "/cities/oslo", { census: 60_000, council: 60_000 }, 2],
  ["a list", "/cities", { south: 60_000 }, 1],
  ["many things", "/some-cities?cities=oslo&cities=rome", { "guide/oslo": 60_000, "council/rome": 60_000 }, 2],
])("lets go of the upstreams when the listener to %s goes away", async (_, path, given, count) => {
  delays = given;
  cutOff = 0;
  const socket = connect(Number(new URL(running.url).port), "127.0.0.1");
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n`);
  const [chunk] = await once(socket.setEncoding("utf8"), "data");
  expect(chunk).toContain("200 OK");
  socket.destroy();
  await expect.poll(() => cutOff, patient).toBe(count);
  delays = {};
});

it("asks only the sources of the fields that are wanted", async () => {
  asked.length = 0;
  const answer = await fetch(`${running.url}/cities/oslo?fields=mayor`);
  expect(await answer.json()).toEqual({ mayor: "Ada" });
  expect(asked).toEqual(["council"]);
});

it("refuses a field that the contract does not declare, and says which there are", async () => {
  const answer = await fetch(`${running.url}/cities/oslo?fields=mayor,colour`);
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({
    code: "UnknownField",
    detail: 'There is no field "colour" to choose. The answer has: mayor, name, people.',
    issues: [{ path: "/fields" }],
  });
});
