import { afterEach, expect, test } from "vitest";
import type { StorageDesk } from "./ports.ts";
import { answering, type Started, startGateway } from "./start-gateway.test-d.ts";

let started: Started | undefined;
afterEach(() => started?.stop());

/** A desk that notes what it is asked. */
function toDesk() {
  const asked: unknown[][] = [];
  const note =
    <T>(what: string, answer: T) =>
    async (...details: unknown[]): Promise<T> => {
      asked.push([what, ...details]);
      return answer;
    };
  const desk: StorageDesk = {
    status: note("status", { readModels: [{ reader: "notes.text@1", behind: 3 }] }),
    check: note("check", ["The stream is torn."]),
    parked: note("parked", [{ position: 7, reason: "Not today." }]),
    resume: note("resume", { done: 1, parked: 0 }),
    rebuild: note("rebuild", undefined),
    dismiss: note("dismiss", undefined),
    restart: async () => {
      throw new TypeError('There is no subscription "x".');
    },
  };
  return { desk, asked };
}
const start = async (settings: Parameters<typeof startGateway>[1] = {}) => {
  const { desk, asked } = toDesk();
  started = await startGateway(answering({}), { storage: desk, ...settings });
  return { ...started, asked };
};

test("an operator of this machine sees how the storage does, and mends it", async () => {
  const { get, post, asked } = await start();
  const seen = await get("/console/storage");
  expect(seen.headers.get("cache-control")).toBe("no-store");
  expect(await seen.json()).toEqual({ readModels: [{ reader: "notes.text@1", behind: 3 }] });
  expect(await (await get("/console/storage/notes.text@1/parked")).json()).toMatchObject([{ position: 7 }]);
  const ask = async (path: string) => (await post(`/console/storage/${path}`, {})).json();
  expect(await ask("check")).toEqual({ found: ["The stream is torn."] });
  expect(await ask("notes.text@1/resume")).toEqual({ done: 1, parked: 0 });
  expect(await ask("notes.text@1/rebuild")).toEqual({ done: true });
  expect(await ask("notes.text@1/dismiss?position=7")).toEqual({ done: true });
  expect(asked.slice(2)).toEqual([
    ["check"],
    ["resume", "notes.text@1"],
    ["rebuild", "notes.text@1"],
    ["dismiss", "notes.text@1", 7],
  ]);
});

test("what cannot be done is said in a sentence", async () => {
  const { post, asked } = await start();
  for (const query of ["", "?position=", "?position=-1", "?position=a"]) {
    const answer = await post(`/console/storage/notes.text@1/dismiss${query}`, {});
    expect([answer.status, await answer.json()]).toMatchObject([
      422,
      { detail: expect.stringContaining("?position=") },
    ]);
  }
  const answer = await post("/console/storage/x/restart?after=1", {});
  expect([answer.status, await answer.json()]).toMatchObject([422, { detail: 'There is no subscription "x".' }]);
  expect(asked).toEqual([]);
});

test("a page from elsewhere, and whoever has only the key to look, may not do anything", async () => {
  const { post, asked, url } = await start();
  for (const origin of ["https://evil.test", "null", url.replace("http:", "https:")])
    expect((await post("/console/storage/notes.text@1/rebuild", {}, { origin })).status).toBe(401);
  expect((await post("/console/storage/notes.text@1/rebuild", {}, { origin: url })).status).toBe(200);
  expect(asked).toHaveLength(1);
});

test("where the console asks for keys, looking and doing are two scopes", async () => {
  const { get, post, key } = await start({ settings: { console: "key" } });
  expect((await get("/console/storage")).status).toBe(401);
  const look = { "x-api-key": await key("watcher", "console:read") };
  const work = { "x-api-key": await key("operator", "console:operate") };
  expect((await get("/console/storage", { headers: look })).status).toBe(200);
  expect((await post("/console/storage/check", {}, look)).status).toBe(403);
  expect((await post("/console/storage/check", {}, work)).status).toBe(200);
});

test("a console that is switched off tells nothing of the storage", async () => {
  const { get, post } = await start({ settings: { console: "off" } });
  expect((await get("/console/storage")).status).toBe(404);
  expect((await post("/console/storage/check", {})).status).toBe(404);
});
