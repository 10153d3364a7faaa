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
import { json, latest, prefer, source, view } from "../aggregation/index.ts";
import { contract, query } from "../contracts/index.ts";
import { backend, type Running } from "./index.ts";

const Cities = contract("cities", "1.0.0", {
  page: query({
    input: z.object({ city: z.string() }),
    output: z.object({ name: z.string(), people: z.int().optional(), mayor: z.string().optional() }),
    http: "GET /cities/{city}",
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

/** Others may keep the machine busy. */
const patient = { timeout: 15_000 };
let data: string;
let upstream: Server;
let running: Running;
let delays: { readonly [source: string]: number } = {};
let cutOff = 0;
const asked: string[] = [];
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), "trilith-growing-"));
  upstream = createServer((request, response) => {
    const [, name = ""] = request.url?.split("/") ?? [];
    asked.push(name);
    const body = { name, people: name.length, on: name === "census" ? "2026-02-02" : "2026-01-01", mayor: "Ada" };
    const timer = setTimeout(() => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(body));
    }, delays[name] ?? 0);
    response.once("close", () => {
      clearTimeout(timer);
      if (!response.writableFinished) cutOff += 1;
    });
  }).listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const address = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const urls = Object.fromEntries(
    names.map((name) => [`TRILITH_SOURCE_${name.toUpperCase()}_URL`, `${address}/${name}`]),
  );
  const environment = { PORT: "0", TRILITH_DATA: data, TRILITH_LOG: "fatal", ...urls };
  running = await backend("cities", { aggregation: [page] }).start({ environment });
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
const hear = async (path: string): Promise<readonly Heard[]> =>
  (await (await fetch(running.url + path, accept)).text())
    .split("\n\n")
    .filter(Boolean)
    .map((block) => {
      const [event = "", data = ""] = block.split("\n").map((line) => line.slice(line.indexOf(":") + 2));
      return { event, data: JSON.parse(data) };
    });
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
  delays = { census: 100 };
  const [first, ...others] = await hear("/cities/oslo");
  expect(first).toMatchObject({
    event: "answer",
    data: { data: { name: "guide", people: 5 }, pending: expect.arrayContaining(["census"]) },
  });
  expect(others.at(-2)?.data).toMatchObject({ patch: [{ op: "replace", path: "/people", value: 6 }], pending: [] });
  delays = {};
});

it("lets go of the upstreams when the listener goes away", async () => {
  delays = { census: 60_000, council: 60_000 };
  cutOff = 0;
  const socket = connect(Number(new URL(running.url).port), "127.0.0.1");
  socket.write("GET /cities/oslo HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n");
  const [chunk] = await once(socket.setEncoding("utf8"), "data");
  expect(chunk).toContain("200 OK");
  socket.destroy();
  await expect.poll(() => cutOff, patient).toBe(2);
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
