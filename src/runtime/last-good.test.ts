import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { openDatabase } from "../../test/shared-postgres.ts";
import { csv, json, prefer, source, type ViewMeta, view } from "../aggregation/index.ts";
import { type Clock, contract, personal, query, systemClock } from "../contracts/index.ts";
import { openPostgres } from "../engines/postgres/index.ts";
import { openSqlite } from "../engines/sqlite/index.ts";
import type { After } from "../storage/host.ts";
import { backend } from "./backend.ts";
import { openLastGood } from "./last-good.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "last-good-"));
});
afterEach(() => rm(folder, { recursive: true }));

const Cities = contract("cities", "1.0.0", {
  page: query({
    input: z.object({ city: z.string() }),
    output: z.object({ people: z.number().optional(), seen: z.string().optional(), mayor: z.string().optional() }),
    http: "GET /cities/{city}",
    access: "public",
  }),
});
const census = source("census", {
  batch: csv("https://census.test/?id={city}", z.object({ id: z.string(), people: z.coerce.number() })),
  match: "id",
  shape: ({ people }) => ({ people }),
  staleIfError: "1h",
  attempts: 1,
});
const guide = source("guide", {
  get: json("https://guide.test/{city}", z.object({ seen: z.iso.date().transform((text) => new Date(text)) })),
  // What is kept is what was said: a date in our shape would come back from the disk as text.
  shape: ({ seen }) => ({ seen: seen.toISOString() }),
  staleIfError: "1h",
  attempts: 1,
});
const people = source("people", {
  get: json("https://people.test/{city}", z.object({ mayor: personal(z.string()) })),
  staleIfError: "1h",
  attempts: 1,
});
const page = view(Cities.page, {
  budget: "2s",
  fields: { people: prefer(census), seen: prefer(guide), mayor: prefer(people) },
});

async function serve(answer: RequestListener) {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function started(upstream: string, clock: Clock = systemClock) {
  const url = Object.fromEntries(["CENSUS", "GUIDE", "PEOPLE"].map((name) => [`TRILITH_SOURCE_${name}_URL`, upstream]));
  const environment = { PORT: "0", TRILITH_DATA: folder, TRILITH_LOG: "silent", ...url };
  const running = await backend("cities", { aggregation: [page] }).start({ environment, clock });
  const ask = async (city: string) => {
    const answer = await fetch(`${running.url}/cities/${city}?meta=true`);
    return (await answer.json()) as { data: { [field: string]: unknown }; meta: ViewMeta };
  };
  return { ...running, ask };
}

describe("after a restart with its upstreams dead", () => {
  test("a view answers with what they last said, with its true age, and nothing personal was on the disk", async () => {
    let upstream: string;
    {
      await using server = await serve(({ url = "" }, response) => {
        const csvType = { "content-type": "text/csv" };
        if (url.includes("?id=")) response.writeHead(200, csvType).end("id,people\noslo,717710\nbergen,294029\n");
        else
          response.writeHead(200, { "content-type": "application/json" }).end('{"seen":"2026-02-03","mayor":"Anne"}');
      });
      upstream = server.url;
      const first = await started(upstream);
      const { data } = await first.ask("oslo");
      expect(data).toEqual({ people: 717_710, seen: "2026-02-03T00:00:00.000Z", mayor: "Anne" });
      await first.ask("bergen");
      await first.stop();
    }
    const later: Clock = { ...systemClock, now: () => Date.now() + 600_000 };
    const second = await started(upstream, later);
    const { data, meta } = await second.ask("oslo");
    expect(data).toEqual({ people: 717_710, seen: "2026-02-03T00:00:00.000Z" });
    for (const field of ["people", "seen"]) {
      expect(meta.fields[field]).toMatchObject({ state: "stale" });
      expect(meta.fields[field]?.ageMs).toBeGreaterThanOrEqual(600_000);
      expect(meta.fields[field]?.ageMs).toBeLessThan(660_000);
    }
    expect(meta.sources.census).toMatchObject({ cached: true, problem: expect.stringContaining("cannot be reached") });
    expect(meta.fields.mayor).toMatchObject({ state: "down" });
    expect((await second.ask("bergen")).data.people).toBe(294_029);
    expect((await second.ask("tromso")).data).toEqual({});
    await second.stop();

    const engine = await openSqlite({ folder });
    await openLastGood(engine, systemClock);
    const kept = JSON.stringify(await engine.find("last good", { limit: 100 }));
    expect(kept).toContain("717710");
    expect(kept).not.toContain("Anne");
    await engine.close();
  });

  test("what is older than it may be does not stand in", async () => {
    let upstream: string;
    {
      await using server = await serve((_, response) => void response.end('{"seen":"2026-02-03"}'));
      upstream = server.url;
      const first = await started(upstream);
      await first.ask("oslo");
      await first.stop();
    }
    const second = await started(upstream, { ...systemClock, now: () => Date.now() + 3_600_001 });
    const { data, meta } = await second.ask("oslo");
    expect(data).toEqual({});
    expect(meta.sources.guide?.state).toBe("down");
    await second.stop();
  });
});

test("PostgreSQL keeps them as well", { timeout: 120_000 }, async () => {
  const postgres = await openDatabase();
  try {
    const engine = await openPostgres({ url: postgres.url, schema: postgres.freshSchema() });
    const store = await openLastGood(engine, systemClock);
    const record = { source: "s", key: "a", said: '["\u00e4"]', at: 1, expires: 2 ** 48 };
    await store.save([record, { ...record, key: "old", expires: 1 }]);
    expect(await store.load("s", "a")).toEqual(record);
    expect(await store.load("s", "old")).toBeUndefined();
    await engine.close();
  } finally {
    await postgres.remove();
  }
});

describe("what is kept on the engine", () => {
  const record = (key: string, at = 0, expires = 2 ** 48) => ({ source: "s", key, said: `["${key}"]`, at, expires });

  test("is found by its whole question, and the newer replaces the older", async () => {
    const engine = await openSqlite({ folder });
    const store = await openLastGood(engine, systemClock);
    await store.save([record("a"), record("b")]);
    await store.save([record("a", 5)]);
    expect(await store.load("s", "a")).toEqual(record("a", 5));
    expect(await store.load("s", "b")).toEqual(record("b"));
    expect(await store.load("s", "c")).toBeUndefined();
    expect(await store.load("t", "a")).toBeUndefined();
    await engine.close();
  });

  test("is taken away when the upstream has said that it is gone, unless it was there again since", async () => {
    const engine = await openSqlite({ folder });
    const store = await openLastGood(engine, systemClock);
    await store.save([record("a", 5), record("b", 9)]);
    await store.remove([
      { source: "s", key: "a", at: 6 },
      { source: "s", key: "b", at: 6 },
      { source: "s", key: "c", at: 6 },
    ]);
    expect(await store.load("s", "a")).toBeUndefined();
    expect(await store.load("s", "b")).toEqual(record("b", 9));
    await engine.close();
  });

  test("is bounded: by places a source, and by its time", async () => {
    const engine = await openSqlite({ folder });
    let now = 0;
    const store = await openLastGood(engine, { ...systemClock, now: () => now });
    for (let from = 0; from < 20_000; from += 1_000)
      await store.save(Array.from({ length: 1_000 }, (_, at) => record(String(from + at), 0, 1_000)));
    const places = new Set<string>();
    for (let after: After | undefined; ; ) {
      const page = await engine.find("last good", { limit: 1_000, ...(after && { after }) });
      for (const { key } of page) places.add(key);
      const last = page.at(-1);
      if (!last) break;
      after = { key: last.key };
    }
    expect(places.size).toBeGreaterThan(8_000);
    expect(places.size).toBeLessThanOrEqual(2 ** 14);
    now = 120_000;
    await store.save([record("new", now, now + 1_000)]);
    expect(await engine.find("last good", { limit: 10 })).toHaveLength(1);
    await engine.close();
  });
});
