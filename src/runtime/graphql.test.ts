// GraphQL from end to end: a real backend with a store, a workflow and views over real upstreams.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { json, prefer, source, view } from "../aggregation/index.ts";
import { command, contract, event, failure, query, signal } from "../contracts/index.ts";
import { createApiKey } from "../gateway/index.ts";
import { workflow } from "../orchestration/index.ts";
import { entity, store } from "../storage/index.ts";
import { backend, type Running } from "./index.ts";
import { openGraphql } from "./open-graphql.ts";

const Cities = contract("cities", "1.0.0", {
  page: query({
    input: z.object({ city: z.string() }),
    output: z.object({ name: z.string(), people: z.int().optional(), weather: z.string().optional() }),
    failures: { NotFound: failure(404, "No such city.") },
    http: "GET /cities/{city}",
    access: "public",
  }),
});
const Notes = contract("notes", "1.0.0", {
  add: command({
    input: z.object({ id: z.string(), text: z.string() }),
    output: z.object({ count: z.int() }),
    failures: { Full: failure(409, "There is no room.", { details: z.object({ most: z.int() }) }) },
    http: "POST /notes/{id}",
    access: "notes:write",
  }),
  get: query({
    input: z.object({ id: z.string() }),
    output: z.object({ texts: z.array(z.string()) }),
    http: "GET /notes/{id}",
    access: "notes:read",
  }),
  Added: event(z.object({ text: z.string() })),
});
const Letters = contract("letters", "1.0.0", {
  send: command({
    input: z.object({ id: z.string() }),
    output: z.object({ by: z.string() }),
    signals: { posted: signal(z.object({ by: z.string() }), { access: "public" }) },
    http: "POST /letters",
    access: "public",
  }),
});
const note = entity("note", {
  events: Notes,
  state: z.object({ texts: z.array(z.string()) }),
  initial: { texts: [] },
  evolve: { Added: ({ texts }, { text }) => ({ texts: [...texts, text] }) },
});
const notes = store(
  Notes,
  { note },
  {
    add: async ({ id, text }, { note, fail }) => {
      const { texts } = await note(id).decide(({ texts }, { Added }) =>
        texts.length < 2 ? Added({ text }) : fail.Full({ most: 2 }),
      );
      return { count: texts.length };
    },
    get: async ({ id }, { note }) => (await note(id).state()) ?? { texts: [] },
  },
);
const send = workflow(Letters.send, { version: 1, uses: [] }, async (_letter, { run }) => {
  const posted = await run.signal.posted.within("1 day");
  return { by: posted ? posted.by : "nobody" };
});
const City = z.object({ id: z.string(), name: z.string(), people: z.int().optional() });
const guide = source("guide", { batch: json("https://guide.test/cities?id={city}", z.array(City)), match: "id" });
const weather = source("weather", {
  get: json("https://weather.test/weather/{city}", z.object({ weather: z.string() })),
  attempts: 1,
});
const page = view(Cities.page, {
  budget: "2s",
  require: [guide],
  fields: { name: prefer(guide), people: prefer(guide), weather: prefer(weather) },
});
const parts = { storage: [notes], orchestration: [send], aggregation: [page] } as const;

/** Others may keep the machine busy. */
const patient = { timeout: 60_000 };
let data: string;
let upstream: Server;
let running: Running;
let writer: string;
let environment: { readonly [name: string]: string };
const asked: string[] = [];
let cutOff = 0;
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), "trilith-graphql-"));
  upstream = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://x");
    asked.push(`${url.pathname}${url.search}`);
    response.once("close", () => {
      if (!response.writableFinished) cutOff += 1;
    });
    response.setHeader("content-type", "application/json");
    if (url.pathname === "/weather/hang") return;
    if (url.pathname === "/weather/oslo") response.end('{"weather":"snow"}');
    else if (url.pathname === "/weather/none") response.writeHead(404).end();
    else if (url.pathname.startsWith("/weather/")) response.writeHead(500).end();
    else {
      const ids = (url.searchParams.get("id") ?? "").split(",").filter((id) => id !== "atlantis");
      response.end(JSON.stringify(ids.map((id) => ({ id, name: id.toUpperCase(), people: 3_000_000_000 }))));
    }
  }).listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const address = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  environment = {
    ...{ PORT: "0", TRILITH_DATA: data, TRILITH_LOG: "fatal" },
    ...{ TRILITH_SOURCE_GUIDE_URL: address, TRILITH_SOURCE_WEATHER_URL: address },
  };
  writer = await createApiKey(join(data, "keys.json"), { id: "writer", scopes: ["notes:write"] });
  running = await backend("cities", { ...parts, graphql: { depth: 3, cost: 60 } }).start({ environment });
});
afterAll(async () => {
  await running.stop();
  upstream.closeAllConnections();
  upstream.close();
  await rm(data, { recursive: true });
});
beforeEach(() => {
  asked.length = 0;
  cutOff = 0;
});

const ask = async (text: string, headers: Record<string, string> = {}, variables = {}): Promise<any> => {
  const answer = await fetch(`${running.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ query: text, variables }),
  });
  return answer.json(); // whatever was asked for
};

describe("a query", () => {
  it("is answered by the view, and asks only the sources of the fields that are wanted", async () => {
    expect(await ask('{ citiesPage(city: "oslo") { name people } }')).toEqual({
      data: { citiesPage: { name: "OSLO", people: 3_000_000_000 } },
    });
    expect(asked).toEqual(["/cities?id=oslo"]);
  });

  it("for many keys asks a batch source once", async () => {
    const answer = await ask('{ a: citiesPage(city: "oslo") { name } b: citiesPage(city: "bergen") { name } }');
    expect(answer).toEqual({ data: { a: { name: "OSLO" }, b: { name: "BERGEN" } } });
    expect(asked).toEqual(["/cities?id=oslo,bergen"]);
  });

  it("counts what fragments and variables say, and not what is skipped", async () => {
    const text = `query Page($city: String!, $no: Boolean!) {
      citiesPage(city: $city) { ...Names weather @include(if: $no) }
    }
    fragment Names on CitiesPage { name }`;
    expect(await ask(text, {}, { city: "oslo", no: false })).toEqual({ data: { citiesPage: { name: "OSLO" } } });
    expect(asked).toEqual(["/cities?id=oslo"]);
  });

  it("may be sent in the address", async () => {
    const text = encodeURIComponent('{ citiesPage(city: "oslo") { name } }');
    const answer = await fetch(`${running.url}/graphql?query=${text}`);
    expect(await answer.json()).toEqual({ data: { citiesPage: { name: "OSLO" } } });
    const mutation = encodeURIComponent('mutation { notesAdd(id: "x", text: "y") { count } }');
    expect((await fetch(`${running.url}/graphql?query=${mutation}`)).status).toBe(405);
  });
});

describe("a degraded field", () => {
  it("is null, with an error that names its source", async () => {
    const { data, errors } = await ask('{ citiesPage(city: "bergen") { name weather } }');
    expect(data).toEqual({ citiesPage: { name: "BERGEN", weather: null } });
    expect(errors).toMatchObject([
      {
        path: ["citiesPage", "weather"],
        message: expect.stringContaining('The source "weather"'),
        extensions: {
          code: "Degraded",
          state: "down",
          source: "weather",
          sources: [{ source: "weather", state: "down" }],
        },
      },
    ]);
  });

  it("is no error where there is nothing", async () => {
    expect(await ask('{ citiesPage(city: "none") { name weather } }')).toEqual({
      data: { citiesPage: { name: "NONE", weather: null } },
    });
  });
});

describe("a failure", () => {
  it("of one query is an error beside the answers of the others", async () => {
    const { data, errors } = await ask(
      '{ a: citiesPage(city: "atlantis") { name } b: citiesPage(city: "oslo") { name } }',
    );
    expect(data).toEqual({ a: null, b: { name: "OSLO" } });
    expect(errors).toMatchObject([
      {
        path: ["a"],
        message: "No such city.",
        extensions: { code: "NotFound", status: 404, type: "urn:trilith:failure:cities.page:NotFound" },
      },
    ]);
  });

  it("of a command carries its details", async () => {
    const add = 'mutation { notesAdd(id: "full", text: "x") { count } }';
    const headers = { authorization: `Bearer ${writer}` };
    await ask(add, headers);
    await ask(add, headers);
    const { errors } = await ask(add, headers);
    expect(errors[0].extensions).toMatchObject({ code: "Full", status: 409, details: { most: 2 } });
  });
});

describe("access", () => {
  it("is that of each operation", async () => {
    const text = '{ notesGet(id: "a") { texts } citiesPage(city: "oslo") { name } }';
    const nobody = await ask(text);
    expect(nobody.data).toEqual({ notesGet: null, citiesPage: { name: "OSLO" } });
    expect(nobody.errors).toMatchObject([{ path: ["notesGet"], extensions: { code: "Unauthenticated", status: 401 } }]);
    const { errors } = await ask(text, { authorization: `Bearer ${writer}` });
    expect(errors).toMatchObject([{ extensions: { code: "Forbidden", status: 403 } }]);
    expect((await ask('mutation { notesAdd(id: "a", text: "x") { count } }')).errors).toMatchObject([
      { extensions: { code: "Unauthenticated" } },
    ]);
  });
});

describe("a mutation", () => {
  const headers = () => ({ authorization: `Bearer ${writer}` });
  it("takes effect once under its key, as an argument or a header", async () => {
    const add = (id: string) => `mutation { notesAdd(id: "${id}", text: "x", idempotencyKey: "k1") { count } }`;
    for (const _ of [1, 2, 3]) expect((await ask(add("keyed"), headers())).data).toEqual({ notesAdd: { count: 1 } });
    const plain = 'mutation { notesAdd(id: "headed", text: "x") { count } }';
    for (const _ of [1, 2])
      expect((await ask(plain, { ...headers(), "idempotency-key": "k2" })).data).toEqual({ notesAdd: { count: 1 } });
    expect((await ask(add("other"), headers())).errors[0].extensions).toMatchObject({ code: "KeyReused" });
  });

  it("that takes its time gives the run, and then the result", async () => {
    const text = 'mutation { lettersSend(id: "l", idempotencyKey: "letter") { run result { by } } }';
    const { data } = await ask(text, { prefer: "wait=0" });
    expect(data.lettersSend).toEqual({ run: expect.any(String), result: null });
    const signalled = await fetch(`${running.url}/runs/${data.lettersSend.run}/signals/posted`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"by":"Ada"}',
    });
    expect(signalled.status).toBe(202);
    expect((await ask(text)).data.lettersSend.result).toEqual({ by: "Ada" });
  });
});

describe("limits", () => {
  it.each([
    ["below a leaf", '{ citiesPage(city: "x") { name { x } } }', /Field "name" must not/],
    [
      "too many operations",
      `{ ${Array.from({ length: 7 }, (_, at) => `a${at}: citiesPage(city: "x") { name }`).join(" ")} }`,
      /costs 77, and 60/,
    ],
    ["too much text", `{ ${"x ".repeat(6_000)} }`, /too many tokens|exceeds|token/i],
    ["no such field", "{ colour }", /Cannot query field "colour"/],
  ])("refuse what is %s, before anything is asked", async (_what, text, sentence) => {
    const { data, errors } = await ask(text);
    expect(data).toBeUndefined();
    expect(errors.map(({ message }: { message: string }) => message).join("\n")).toMatch(sentence);
    expect(asked).toEqual([]);
  });

  it("are the caller's time as well, and what nobody waits for is let go", async () => {
    const { data, errors } = await ask('{ citiesPage(city: "hang") { name weather } }', {
      "request-timeout-ms": "300",
    });
    // The view answers within its time; a caller who leaves even less gets an error instead.
    if (data.citiesPage)
      expect(errors[0].extensions).toMatchObject({ code: "Degraded", state: "slow", source: "weather" });
    else expect(errors[0].extensions).toMatchObject({ code: "DeadlineExceeded" });
    const body = JSON.stringify({ query: '{ citiesPage(city: "hang") { weather } }' });
    const socket = connect(Number(new URL(running.url).port), "127.0.0.1");
    socket.write(
      `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    await expect.poll(() => asked.filter((path) => path === "/weather/hang").length, patient).toBe(2);
    cutOff = 0;
    socket.destroy();
    await expect.poll(() => cutOff, patient).toBe(1);
  });

  it("count deep and nested things as they are", async () => {
    const introspection = "{ __schema { types { name fields { name type { name kind } } } } }";
    expect((await ask(introspection)).data.__schema.types.length).toBeGreaterThan(5);
  });
});

it("hides its schema where the settings say so", async () => {
  const folder = await mkdtemp(join(tmpdir(), "trilith-graphql-"));
  const hidden = await backend("cities", { ...parts, graphql: true }).start({
    environment: { ...environment, TRILITH_DATA: folder, TRILITH_GRAPHQL_INTROSPECTION: "off" },
  });
  const answer = await fetch(`${hidden.url}/graphql?query=${encodeURIComponent("{ __schema { types { name } } }")}`);
  expect(JSON.stringify(await answer.json())).toContain("introspection");
  await hidden.stop();
  await rm(folder, { recursive: true });
});

it("is not there unless the backend asks for it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "trilith-graphql-"));
  const without = await backend("cities", parts).start({ environment: { ...environment, TRILITH_DATA: folder } });
  expect((await fetch(`${without.url}/graphql?query={x}`)).status).toBe(404);
  await without.stop();
  await rm(folder, { recursive: true });
});

it("refuses a limit that is none", async () => {
  await expect(openGraphql({ depth: 0, cost: 1, introspection: true })).rejects.toThrow(
    "The backend's `graphql` has depth 0; give a whole number from 1 on.",
  );
});

it("says which packages are missing", async () => {
  const code = `
    import { registerHooks } from "node:module";
    registerHooks({ resolve(specifier, context, next) {
      if (specifier !== "graphql-yoga") return next(specifier, context);
      throw Object.assign(new Error("Cannot find package 'graphql-yoga'"), { code: "ERR_MODULE_NOT_FOUND" });
    } });
    const { openGraphql } = await import(process.argv[1]);
    await openGraphql({ depth: 1, cost: 1, introspection: true }).catch((error) => console.log(error.message));
  `;
  const file = new URL("./open-graphql.ts", import.meta.url).href;
  const flags = ["--conditions=trilith-source", "--input-type=module", "-e", code, file];
  const { stdout } = await promisify(execFile)(process.execPath, flags);
  expect(stdout).toContain("npm install graphql@17 graphql-yoga@5");
});
