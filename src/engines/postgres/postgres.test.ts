import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type CutOff, cutOff } from "../../../test/cut-off.ts";
import { startPostgres, type TestPostgres } from "../../../test/postgres.ts";
import type { Append, Engine, Outcome, StoredEvent } from "../../storage/host.ts";
import { toSql } from "./document-query.ts";
import { openPostgres, type PostgresOptions } from "./index.ts";

let postgres: TestPostgres;
let way: CutOff;
const engines: Engine[] = [];
beforeAll(async () => {
  postgres = await startPostgres();
  way = await cutOff(postgres.port);
}, 120_000);
afterEach(async () => {
  way.restore();
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
});
afterAll(async () => {
  await way.close();
  await postgres.remove();
});
async function open(schema: string, options: Partial<PostgresOptions> = {}): Promise<Engine> {
  const engine = await openPostgres({ url: postgres.url, schema, connections: 3, ...options });
  engines.push(engine);
  return engine;
}
const throughTheWay = (): string => postgres.url.replace(String(postgres.port), String(way.port));

let drawn = 0;
const toId = (): string => `0190c0de-0000-7000-8000-${(drawn++).toString(16).padStart(12, "0")}`;
function toAppend(stream: string, more: Partial<Append> = {}): Append {
  return { id: toId(), expect: [], events: [{ stream, type: "t.Said", version: 1, data: '"x"' }], ...more };
}
const only = async (engine: Engine, append: Append): Promise<Outcome | undefined> =>
  (await engine.append("main", [append]))[0];
const counts = { name: "counts", columns: [{ name: "state", type: "text" as const }], indexes: [["state"]] };
const count = { collection: "counts", increment: "all", by: { appends: 1 }, initial: { appends: 0 } };

async function readAll(engine: Engine): Promise<StoredEvent[]> {
  const all: StoredEvent[] = [];
  for (;;) {
    const page = await engine.read("main", { after: all.length, limit: 1_000 });
    if (page.length === 0) return all;
    all.push(...page);
  }
}

test("ten that start at once make one schema between them", async () => {
  const schema = postgres.freshSchema();
  const opened = await Promise.all(Array.from({ length: 10 }, () => open(schema, { connections: 1 })));
  await Promise.all(opened.map((engine) => engine.define(counts)));
  const outcomes = await Promise.all(opened.map((engine, index) => only(engine, toAppend(`s/${index}`))));
  expect(outcomes.every((outcome) => outcome?.ok)).toBe(true);
  const versions = await postgres.query(`select version from ${schema}.migration`);
  expect(versions).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((version) => ({ version })));
});

test("a schema of version 7 is brought up, and what its nodes call is what new ones call", async () => {
  const schema = postgres.freshSchema();
  const first = await open(schema);
  expect(await only(first, toAppend("s/a"))).toMatchObject({ ok: true });
  await first.close();
  // As it was: without what came with the eighth version, and with functions of that time.
  await postgres.query(`delete from ${schema}.migration where version = 8`);
  await postgres.query(`drop function ${schema}.append_alone_v3, ${schema}.patched_v1`);
  const [{ body }] = await postgres.query(
    `select pg_get_functiondef('${schema}.append_v4'::regproc) as body`, // it is the only one of that name
  );
  expect(body).toContain("v_began");
  const before = body.replace(/,1,%s\]'/, "]'").replace(/, greatest\(0, extract\(.*?\* 1000\)\)/s, ")");
  expect(before.length).toBeLessThan(body.length - 50);
  await postgres.query(before);
  const engine = await open(schema);
  await engine.define(counts);
  expect(await only(engine, toAppend("s/a"))).toMatchObject({ ok: true, revisions: { "s/a": 1 } });
  const again = {
    documents: [count, { collection: "counts", patch: "all", data: { state: "x" }, lightly: true as const }],
  };
  expect(await only(engine, toAppend("s/b", again))).toMatchObject({ ok: true });
  const [{ now }] = await postgres.query(`select pg_get_functiondef('${schema}.append_v4'::regproc) as now`);
  expect(now).toBe(body);
  expect(await engine.check()).toEqual([]);
});

test("a schema that newer code has written is refused", async () => {
  const schema = postgres.freshSchema();
  await (await openPostgres({ url: postgres.url, schema })).close();
  await postgres.query(`insert into ${schema}.migration (version) values (99)`);
  await expect(open(schema)).rejects.toThrow("a newer Trilith has written here");
});

test("a role that owns nothing but its schema is enough, and one that may not make it is told so", async () => {
  const schema = postgres.freshSchema();
  const role = `${schema}_role`;
  await postgres.query(`create role ${role} login`);
  const url = postgres.url.replace("postgres@", `${role}@`);
  await expect(open(schema, { url })).rejects.toThrow("It must own the schema, or be allowed to create it");
  await postgres.query(`create schema ${schema} authorization ${role}`);
  const engine = await open(schema, { url });
  await engine.define(counts);
  expect(await only(engine, toAppend("s/a", { documents: [count], readers: ["r"] }))).toMatchObject({ ok: true });
  expect((await engine.read("main", { after: 0, limit: 10 })).length).toBe(1);
  expect(await engine.claim("counts", { limit: 1 }, { state: "mine" })).toHaveLength(1);
  expect(await engine.status()).toMatchObject({
    engine: expect.stringMatching(new RegExp(`^postgres ${postgres.version}\\.\\d+$`)),
    ...{ exclusive: false, replicas: [] },
  });
  expect(await engine.check()).toEqual([]);
  await engine.drop({ collection: "counts" });
  expect(await engine.collections()).toEqual([]);
});

test("what is said when it cannot be opened tells what to do", async () => {
  const { port } = postgres;
  await expect(open("pg_mine")).rejects.toThrow("is not a name for a schema");
  await expect(open('a"; drop schema public; --')).rejects.toThrow("is not a name for a schema");
  await expect(open("x", { url: `postgres://postgres@127.0.0.1:${port}/nowhere` })).rejects.toThrow("no such database");
  await expect(open("x", { url: "postgres://postgres@127.0.0.1:1/postgres" })).rejects.toThrow("cannot be reached");
  await postgres.query("create database latin encoding latin1 template template0");
  await expect(open("x", { url: `postgres://postgres@127.0.0.1:${port}/latin` })).rejects.toThrow("encoding UTF8");
});

test("commits wait for the disk, whatever the role's own setting is", async () => {
  const schema = postgres.freshSchema();
  const role = `${schema}_hasty`;
  await postgres.query(`create role ${role} login superuser`);
  await postgres.query(`alter role ${role} set synchronous_commit = off`);
  const engine = await open(schema, { url: postgres.url.replace("postgres@", `${role}@`) });
  await postgres.query(`create table ${schema}.seen (setting text)`);
  await postgres.query(`create function ${schema}.look() returns trigger language plpgsql as $$ begin
    insert into ${schema}.seen values (current_setting('synchronous_commit')); return null; end $$`);
  await postgres.query(`create trigger look after insert on ${schema}.event_row execute function ${schema}.look()`);
  await only(engine, toAppend("s/a"));
  expect(await postgres.query(`select * from ${schema}.seen`)).toEqual([{ setting: "on" }]);
});

test("an answer that is lost on its way is neither guessed nor done twice", async () => {
  const engine = await open(postgres.freshSchema(), { url: throughTheWay() });
  await engine.define(counts);
  await only(engine, toAppend("s/a", { documents: [count] }));
  const before = way.swallowed;
  for (let round = 0; round < 5; round++) {
    way.swallow("append");
    const outcomes = await Promise.all([
      only(engine, toAppend("s/a", { documents: [count] })),
      only(engine, toAppend("s/b", { expect: [{ stream: "s/b", revision: 7 }] })),
    ]);
    expect(outcomes[0]).toMatchObject({ ok: true, revisions: { "s/a": round + 1 } });
    expect(outcomes[1]).toMatchObject({ ok: false, why: "conflict", actual: -1 });
  }
  expect(way.swallowed).toBe(before + 5);
  expect(await readAll(engine)).toHaveLength(6);
  expect((await engine.find("counts", { key: "all", limit: 1 }))[0]).toMatchObject({
    data: { appends: 6 },
    revision: 6,
  });
});

test("a lone append of which the answer is lost, or the server is killed, is done once", async () => {
  const engine = await open(postgres.freshSchema(), { url: throughTheWay() });
  const sent: string[] = [];
  const write = async (): Promise<void> => {
    const append = toAppend("s/a", {
      expect: [{ stream: "s/a", revision: sent.length === 0 ? "none" : sent.length - 1 }],
    });
    expect(await only(engine, append)).toMatchObject({ ok: true, last: sent.push(append.id) });
  };
  await write();
  const before = way.swallowed;
  for (let round = 0; round < 5; round++) {
    way.swallow("append_alone");
    await write();
    await write();
  }
  expect(way.swallowed).toBe(before + 5);
  for (const how of ["fast", "kill"] as const) {
    let up = false;
    const restarted = postgres.stop(how).then(() => postgres.start());
    void restarted.then(() => {
      up = true;
    });
    while (!up) await write();
    await write();
  }
  expect((await readAll(engine)).map(({ id }) => id.slice(0, 36))).toEqual(sent);
  expect(await engine.head("main")).toEqual({ epoch: 1, position: sent.length });
});

test("a reader's step and a claim whose answers are lost are done once as well", async () => {
  const engine = await open(postgres.freshSchema(), { url: throughTheWay(), connections: 1 });
  await engine.define(counts);
  await only(engine, toAppend("s/a", { documents: [count] }));
  const step = { log: "main", reader: "r", epoch: 1 };
  way.swallow("commit_v2");
  expect(await engine.commit({ ...step, from: 0, position: 1 }, [count])).toBe(true);
  expect(await engine.commit({ ...step, from: 0, position: 1 }, [count])).toBe(false);
  const free = { where: { state: { equals: null } }, limit: 5 } as const;
  way.swallow("merge_v1");
  const claimed = await engine.claim("counts", free, { state: "mine" });
  expect(claimed).toMatchObject([{ key: "all", data: { appends: 2, state: "mine" }, revision: 3 }]);
  expect(await engine.claim("counts", free, { state: "theirs" })).toEqual([]);
});

test("a document that is patched again and again reads as if it had been written at once, lightly or not, and grows by no more than a little", async () => {
  const schema = postgres.freshSchema();
  const engine = await open(schema);
  await engine.define(counts);
  const odd = { "": 1, 'a"\\': "{}", b: [{ c: null }], "\u00e9\u{1f600}": "}{,", state: "begun", n: 0 };
  const patches: readonly { readonly [field: string]: unknown }[] = [
    ...[{}, { state: "first" }, { n: 1e21, more: { deep: ["x"] } }, { 'a"\\': "changed", n: -0.1 }, {}, { more: null }],
    ...Array.from({ length: 30 }, (_, at) => ({ state: `at ${at}`, [`new${at % 3}`]: at })),
  ];
  let expected: { readonly [field: string]: unknown } = {};
  const write = async (data: typeof expected, kind: "put" | "patch", lightly = true): Promise<void> => {
    const how = kind === "patch" && lightly ? { lightly: true } : {};
    const document = { collection: "counts", [kind]: "all", data, ...how } as NonNullable<Append["documents"]>[number]; // one of both
    expect(await only(engine, toAppend("s/a", { documents: [document] }))).toMatchObject({ ok: true });
    expected = kind === "put" ? data : { ...expected, ...data };
    const state = expected.state === undefined ? null : String(expected.state);
    const [found] = await engine.find("counts", { where: { state: { equals: state } }, limit: 1 });
    expect(JSON.stringify(found?.data)).toBe(JSON.stringify(expected)); // the fields in their order as well
  };
  const kept = async (): Promise<string> =>
    (await postgres.query(`select data::text as data from ${schema}.document_1`))[0].data;
  await write(odd, "put");
  for (const patch of patches) await write(patch, "patch");
  expect(await kept()).toMatch(/"state":"at 2[0-9]".*"state":"at 29"/); // they lie behind each other
  await write({ state: "plain" }, "patch", false);
  expect(await kept()).toBe(JSON.stringify(expected)); // nothing is left of what it wrote over
  await write({ more: "x".repeat(600) }, "patch"); // a large one is not put behind
  await write({ more: "" }, "patch", false);
  await postgres.query(`update ${schema}.document_1 set data = (data::text || E'\n')::json`); // by hand
  await write({ state: "by hand" }, "patch");
  await only(engine, toAppend("s/a", { documents: [{ ...count, by: { n: 2, fresh: 1 } }] }));
  const [claimed] = await engine.claim("counts", { key: "all", limit: 1 }, { state: "claimed" });
  expect(claimed?.data).toEqual({ ...expected, n: 1.9, fresh: 1, state: "claimed" });
  expect(claimed?.revision).toBe(patches.length + 7);
  expect((await kept()).length).toBeLessThan(600);
  await write({}, "put");
  await write({ state: "alone" }, "patch");
});

test("a reader's step rests on documents as they are, whoever has written them in the meantime", async () => {
  const schema = postgres.freshSchema();
  const [engine, other] = [await open(schema), await open(schema)];
  await Promise.all([engine.define(counts), other.define(counts)]);
  await only(engine, toAppend("s/a"));
  const look = async () => (await engine.find("counts", { key: "all", limit: 1 }))[0];
  const step = { log: "main", reader: "r", epoch: 1 };
  expect(await engine.commit({ ...step, from: 0, position: 1 }, [count, count])).toBe(true);
  // By another process, by an append, by a claim, and away and back again with as many writes as before.
  await other.commit({ ...step, from: 1, position: 1 }, [count]);
  expect(await engine.commit({ ...step, from: 1, position: 2 }, [count])).toBe(true);
  expect(await look()).toMatchObject({ data: { appends: 4 }, revision: 4 });
  await only(engine, toAppend("s/a", { documents: [count] }));
  await engine.claim("counts", { where: {}, limit: 1 }, { state: "mine" });
  expect(await engine.commit({ ...step, from: 2, position: 3 }, [count])).toBe(true);
  expect(await look()).toMatchObject({ data: { appends: 6, state: "mine" }, revision: 7 });
  const gone = { collection: "counts", remove: "all" };
  await other.commit({ ...step, from: 3, position: 3 }, [gone, ...Array<typeof count>(7).fill(count)]);
  expect(await engine.commit({ ...step, from: 3, position: 4 }, [count])).toBe(true);
  expect(await look()).toMatchObject({ data: { appends: 8 }, revision: 8 });
  await other.commit({ ...step, from: 4, position: 4 }, [gone]);
  expect(await engine.commit({ ...step, from: 4, position: 5 }, [count])).toBe(true);
  expect(await look()).toMatchObject({ data: { appends: 1 }, revision: 1 });
  // Refused by what is there now, and not by what was there.
  await other.commit({ ...step, from: 5, position: 5 }, [
    { collection: "counts", put: "all", data: { appends: "no" } },
  ]);
  await expect(engine.commit({ ...step, from: 5, position: 6 }, [count])).rejects.toThrow(
    "only numbers are incremented",
  );
  expect(await engine.checkpoint("main", "r")).toMatchObject({ position: 5 });
});

test("a server that stays away fails appends and questions in time, each with its honest outcome", async () => {
  const engine = await open(postgres.freshSchema(), { url: throughTheWay(), patience: "400ms" });
  await only(engine, toAppend("s/a"));
  way.cut();
  await new Promise((resolve) => setTimeout(resolve, 50)); // what is sent before the loss is noticed may have arrived
  await expect(only(engine, toAppend("s/a"))).rejects.toMatchObject({ code: "Unavailable", outcome: "not done" });
  await expect(engine.head("main")).rejects.toMatchObject({ code: "Unavailable" });
  way.restore();
  expect(await only(engine, toAppend("s/a"))).toMatchObject({ ok: true });
  way.swallow("append");
  const asked = only(engine, toAppend("s/a")).catch((error: unknown) => error);
  const swallowed = way.swallowed;
  while (way.swallowed === swallowed) await new Promise((resolve) => setTimeout(resolve, 5));
  way.cut();
  expect(await asked).toMatchObject({ code: "Unavailable", outcome: "unknown" });
  way.restore();
  expect(await only(engine, toAppend("s/a"))).toMatchObject({ ok: true });
});

test("a restart of the server under load is ridden out, and readers go on", async () => {
  const schema = postgres.freshSchema();
  const [engine, other] = [await open(schema), await open(schema)];
  let writing = true;
  const acknowledged: string[] = [];
  const writers = Array.from({ length: 12 }, async (_, client) => {
    while (writing) {
      const append = toAppend(`s/${client}`);
      const outcome = await only(client % 2 ? engine : other, append);
      expect(outcome).toMatchObject({ ok: true });
      acknowledged.push(append.id);
    }
  });
  const seen: StoredEvent[] = [];
  const stopped = new AbortController();
  const reader = (async () => {
    while (!stopped.signal.aborted) {
      const page = await other.read("main", { after: seen.length, limit: 500 });
      for (const event of page) expect(event.position).toBe(seen.push(event));
      if (page.length === 0) await other.watch("main", seen.length, stopped.signal).catch(() => {});
    }
  })();
  for (const how of ["fast", "kill"] as const) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    await postgres.stop(how);
    await postgres.start();
  }
  await new Promise((resolve) => setTimeout(resolve, 250));
  writing = false;
  await Promise.all(writers);
  const all = await readAll(engine);
  // A reader that fails says why.
  while (seen.length < all.length) await Promise.race([reader, new Promise((resolve) => setTimeout(resolve, 10))]);
  stopped.abort();
  await reader;
  expect(all.map(({ id }) => id.slice(0, 36)).sort()).toEqual(acknowledged.sort());
  expect(seen.map(({ id }) => id)).toEqual(all.map(({ id }) => id));
}, 120_000);

test("read-only times, as in a fail-over, are waited out", async () => {
  const schema = postgres.freshSchema();
  const engine = await open(schema);
  await only(engine, toAppend("s/a"));
  await postgres.query("alter database postgres set default_transaction_read_only = on");
  await postgres.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'trilith'");
  const waiting = only(engine, toAppend("s/a"));
  await new Promise((resolve) => setTimeout(resolve, 200));
  await postgres.query("begin read write; alter database postgres reset default_transaction_read_only; commit");
  expect(await waiting).toMatchObject({ ok: true, revisions: { "s/a": 1 } });
});

test("a log that ends before what was acknowledged is a new epoch, begun once, and said", async () => {
  const schema = postgres.freshSchema();
  const said: string[] = [];
  const [engine, other] = [await open(schema, { report: (sentence) => said.push(sentence) }), await open(schema)];
  for (let n = 0; n < 5; n++) await only(engine, toAppend(`s/${n}`, { readers: ["r"] }));
  expect(await other.head("main")).toEqual({ epoch: 1, position: 5 });
  const watching = engine.watch("main", 5, new AbortController().signal);
  // What a replica that lagged would know, as it takes over.
  await postgres.query(`delete from ${schema}.event_row where position > 3`);
  await postgres.query(`update ${schema}.reader set position = 3`);
  await postgres.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'trilith'");
  expect(await only(engine, toAppend("s/new"))).toMatchObject({ ok: true, first: 4 });
  await watching;
  expect(said.join()).toContain('The log "main" is in epoch 2: it was at position 5 in epoch 1');
  expect([await engine.head("main"), await other.head("main")]).toEqual(Array(2).fill({ epoch: 2, position: 4 }));
  expect(await only(other, toAppend("s/new", { readers: ["r"] }))).toEqual({ ok: false, why: "behind", reader: "r" });
  expect(await other.commit({ log: "main", reader: "r", epoch: 1, from: 3, position: 4 }, [])).toBe(false);
  expect(await other.checkpoint("main", "r")).toEqual({ epoch: 1, position: 3 });
});

test("a log that was overtaken since is found out by whose append is where", async () => {
  const schema = postgres.freshSchema();
  const [engine, other] = [await open(schema), await open(schema)];
  for (let n = 0; n < 3; n++) await only(engine, toAppend(`s/${n}`));
  await postgres.query(`delete from ${schema}.event_row where position > 1`);
  for (let n = 0; n < 5; n++) await only(other, toAppend(`other/${n}`)); // it has never seen the log of before
  await postgres.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'trilith'");
  expect(await only(engine, toAppend("s/new"))).toMatchObject({ ok: true, first: 7 });
  expect(await engine.head("main")).toEqual({ epoch: 2, position: 7 });
});

test("a log that was overtaken since is found out by whoever was only told of it, too", async () => {
  const schema = postgres.freshSchema();
  const said: string[] = [];
  const [writer, reader, mixed, late] = [
    await openPostgres({ url: postgres.url, schema }),
    await open(schema, { report: (sentence) => said.push(sentence) }),
    await open(schema),
    await open(schema),
  ];
  await only(writer, toAppend("s/0"));
  expect(await late.head("main")).toEqual({ epoch: 1, position: 1 });
  for (let n = 1; n < 5; n++) await only(writer, toAppend(`s/${n}`));
  await only(mixed, toAppend("s/mixed", { events: [], documents: [] })); // it is told that the log has five
  expect(await reader.head("main")).toEqual({ epoch: 1, position: 5 });
  await writer.close(); // it died with the primary, and with it what it knew
  await postgres.query(`delete from ${schema}.event_row where position > 3`);
  await postgres.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'trilith'");
  for (let n = 0; n < 6; n++) expect(await only(late, toAppend(`late/${n}`))).toMatchObject({ first: 4 + n });
  expect(await late.head("main")).toEqual({ epoch: 1, position: 9 }); // of what it has seen nothing is lost
  expect(await reader.head("main")).toEqual({ epoch: 2, position: 9 });
  expect(said).toEqual([expect.stringContaining('The log "main" is in epoch 2: it was at position 5 in epoch 1')]);
  for (const engine of [mixed, late]) expect(await engine.head("main")).toEqual({ epoch: 2, position: 9 });
});

test("whoever was told of the head appends to no log that was overtaken without saying so", async () => {
  const schema = postgres.freshSchema();
  const [writer, told, other] = [
    await openPostgres({ url: postgres.url, schema }),
    await open(schema),
    await open(schema),
  ];
  await only(told, toAppend("s/told"));
  for (let n = 0; n < 5; n++) await only(writer, toAppend(`s/${n}`));
  await told.head("main");
  await writer.close();
  await postgres.query(`delete from ${schema}.event_row where position > 3`);
  for (let n = 0; n < 6; n++) await only(other, toAppend(`other/${n}`)); // beyond where it was, and the first append is there
  await postgres.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'trilith'");
  expect(await only(told, toAppend("s/new"))).toMatchObject({ ok: true, first: 10 });
  expect(await told.head("main")).toEqual({ epoch: 2, position: 10 });
});

const wide = {
  name: "wide",
  columns: [
    { name: "state", type: "text" as const },
    { name: "n", type: "number" as const },
  ],
};
const indexesOf = async (schema: string) =>
  (
    await postgres.query(
      `select replace(pg_get_indexdef(indexrelid), '${schema}.', '') as on, indisvalid as valid from pg_index
       where indrelid::regclass::text like '${schema}.document%' and not indisprimary order by 1`,
    )
  ).map((row) => `${/\(.*/.exec(row.on)?.[0]}${row.valid ? "" : " is not valid"}`);
/** A table that is not nearly empty. */
async function filled(schema: string): Promise<Engine> {
  const engine = await open(schema);
  await engine.define({ ...wide, indexes: [["state"], ["n"]] });
  const [row] = await postgres.query(`select id from ${schema}.collection where name = 'wide'`);
  await postgres.query(`insert into ${schema}.document_${row.id} (revision, key, data)
    select 1, 'k' || n, json_build_object('state', 'some', 'n', n, 'more', repeat('x', 100)) from generate_series(1, 10000) n`);
  return engine;
}
const slowly = { name: "wide", columns: wide.columns, indexes: [["n"], ["state", "n"]] };
const asBuilt = ["(c1 NULLS FIRST, key)", "(c2 NULLS FIRST, c1 NULLS FIRST, key)"];

test("a new index of a large table is made beside those who write, however long it takes, and one that is left over goes", async () => {
  const schema = postgres.freshSchema();
  const engine = await filled(schema);
  expect(await indexesOf(schema)).toEqual(["(c1 NULLS FIRST, key)", "(c2 NULLS FIRST, key)"]);
  await postgres.query(`create table ${schema}.seen (setting text)`);
  await postgres.query(`create function ${schema}.look() returns event_trigger language plpgsql as $$ begin
    insert into ${schema}.seen values (current_setting('statement_timeout')); end $$`);
  await postgres.query(
    `create event trigger look on ddl_command_end when tag in ('CREATE INDEX') execute function ${schema}.look()`,
  );
  // Somebody who is at the table keeps the index from being finished.
  const holder = await import("pg").then(({ default: pg }) => new pg.Client(postgres.url));
  await holder.connect();
  await holder.query("begin");
  await holder.query(`delete from ${schema}.document_1 where key = 'k1'`);
  const said: string[] = [];
  const others = [await open(schema, { report: (sentence) => said.push(sentence) }), await open(schema)];
  const defined = Promise.all(others.map((other) => other.define(slowly)));
  await expect.poll(() => indexesOf(schema), { timeout: 60_000 }).toContain(`${asBuilt[1]} is not valid`);
  for (let n = 0; n < 5; n++) {
    const write = { collection: "wide", put: `new ${n}`, data: { state: "new", n } };
    expect(await only(engine, toAppend("s/a", { documents: [write] }))).toMatchObject({ ok: true });
  }
  expect(await Promise.race([defined, "still at it"])).toBe("still at it");
  await holder.query("commit");
  await holder.end();
  await defined;
  await postgres.query("drop event trigger look");
  expect(await postgres.query(`select distinct setting from ${schema}.seen`)).toEqual([{ setting: "0" }]);
  expect(await indexesOf(schema)).toEqual(asBuilt);
  expect(said.length).toBeLessThanOrEqual(1); // one of the two has made it
  const where = { state: { equals: "new" } };
  for (const one of others) expect(await one.find("wide", { where, limit: 9 })).toHaveLength(5);
});

test("an index whose making was broken off is made again", async () => {
  const schema = postgres.freshSchema();
  await filled(schema);
  const holder = await import("pg").then(({ default: pg }) => new pg.Client(postgres.url));
  await holder.connect();
  await holder.query("begin");
  await holder.query(`delete from ${schema}.document_1 where key = 'k1'`);
  const other = await open(schema);
  const defined = other.define(slowly);
  await expect.poll(() => indexesOf(schema), { timeout: 60_000 }).toContain(`${asBuilt[1]} is not valid`);
  await postgres.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where query like 'create index concurrently%'",
  );
  await holder.query("commit");
  await holder.end();
  await defined;
  expect(await indexesOf(schema)).toEqual(asBuilt);
});

test("a full queue refuses what comes next, which was not done", async () => {
  const engine = await open(postgres.freshSchema(), { queue: 10 });
  const results = await Promise.allSettled(Array.from({ length: 12 }, () => only(engine, toAppend("s/a"))));
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(10);
  expect(results.at(-1)).toMatchObject({ reason: { code: "Unavailable", outcome: "not done" } });
  expect(String((results.at(-1) as PromiseRejectedResult).reason)).toContain("10 appends are waiting");
});

test("a queue is full by what waits in it as well, and lets one in that is larger than all of it", async () => {
  const engine = await open(postgres.freshSchema(), { queueSize: 1_000_000 });
  const data = JSON.stringify("x".repeat(400_000));
  const events = [{ stream: "s/a", type: "t.Said", version: 1, data }];
  const results = await Promise.allSettled(Array.from({ length: 4 }, () => only(engine, toAppend("s/a", { events }))));
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "rejected"]);
  expect(results.at(-1)).toMatchObject({ reason: { code: "Unavailable", outcome: "not done" } });
  expect(String((results.at(-1) as PromiseRejectedResult).reason)).toMatch(
    /2 appends are waiting .+ with 80\d{4} characters/,
  );
  expect(await only(engine, toAppend("s/a", { events: [...events, ...events, ...events] }))).toMatchObject({
    ok: true,
    first: 3,
  });
  expect((await engine.status()).queued).toBe(0);
});

test("an append that cannot be is refused by itself, though the others of its group were with it", async () => {
  const engine = await open(postgres.freshSchema());
  await engine.define(counts);
  await only(engine, toAppend("s/a", { documents: [{ collection: "counts", put: "all", data: { appends: "many" } }] }));
  const outcomes = await Promise.all(
    Array.from({ length: 40 }, (_, n) => only(engine, toAppend(`s/${n}`, n % 8 === 3 ? { documents: [count] } : {}))),
  );
  for (const [n, outcome] of outcomes.entries())
    if (n % 8 === 3)
      expect(outcome).toMatchObject({ ok: false, why: "refused", message: expect.stringContaining("only numbers") });
    else expect(outcome).toMatchObject({ ok: true });
  expect(await readAll(engine)).toHaveLength(36);
});

test("what is visible costs the same while somebody holds on to an old snapshot", async () => {
  const schema = postgres.freshSchema();
  const engine = await open(schema);
  await engine.define(counts);
  const holder = await import("pg").then(({ default: pg }) => new pg.Client(postgres.url));
  await holder.connect();
  await holder.query("begin isolation level repeatable read");
  await holder.query("select 1");
  for (let n = 0; n < 1_500; n += 50)
    for (
      let m = 0;
      m < 50;
      m += 10 // small groups, each of which moves the reader
    )
      await Promise.all(
        Array.from({ length: 10 }, (_, k) => only(engine, toAppend(`s/${n + m + k}`, { readers: ["r"] }))),
      );
  const plan = await postgres.query(
    `explain (analyze, buffers, format json) select epoch, position from ${schema}.reader where log = 1 and name = 'r'
     order by epoch desc, position desc limit 1`,
  );
  const { Plan } = (plan[0] as { "QUERY PLAN": { Plan: { [field: string]: number } }[] })["QUERY PLAN"][0] as {
    Plan: { [field: string]: number };
  };
  expect((Plan["Shared Hit Blocks"] ?? 0) + (Plan["Shared Read Blocks"] ?? 0)).toBeLessThan(10);
  await holder.end();
});

test("the work is that of what is asked for, and not of what is there, also by plans that were made while nothing was", async () => {
  const schema = postgres.freshSchema();
  const touched = async (): Promise<number> => {
    const rows = await postgres.query(
      "select sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) as n from pg_stat_user_tables where schemaname = $1",
      [schema],
    );
    return Number(rows[0].n);
  };
  const engine = await openPostgres({ url: postgres.url, schema, connections: 1 });
  const ask = async (limit: number): Promise<void> => {
    await engine.read("main", { after: 0, limit });
    await engine.read("main", { stream: "s/7", from: 0, limit });
    await engine.find("counts", { orderBy: { column: "state", descending: false }, limit });
    await only(engine, toAppend("s/7", { documents: [count], receipt: { key: toId(), digest: "d" }, readers: ["r"] }));
  };
  await engine.define(counts);
  for (let n = 0; n < 8; n++) await ask(500); // by now the server has made up its mind
  const events = toAppend("s/7").events;
  for (let n = 0; n < 200; n++) {
    const documents = Array.from({ length: 50 }, (_, m) => ({
      collection: "counts",
      put: `${n} ${m}`,
      data: { state: "x" },
    }));
    await only(engine, toAppend("s/7", { events: Array(100).fill(events[0]), documents, readers: ["r"] }));
  }
  for (let n = 0; n < 20; n++) for (const limit of [500, 1_000]) await ask(limit); // the second are planned now
  await engine.close(); // sessions say what they touched when they end
  expect(await touched()).toBeLessThan(300_000); // to go through the log once in each of the last rounds is 800,000
});

test("what goes wrong in the tables is found", async () => {
  const schema = postgres.freshSchema();
  const engine = await open(schema);
  for (let n = 0; n < 6; n++) await only(engine, toAppend(`s/${n % 2}`));
  expect(await engine.check()).toEqual([]);
  await postgres.query(`delete from ${schema}.event_row where position = 3`);
  await postgres.query(`update ${schema}.event_row set at = 1 where position = 5`);
  await postgres.query(`delete from ${schema}.stream where name = 's/1'`);
  await postgres.query(`insert into ${schema}.reader values (1, 'r', 1, 99)`);
  const found = await engine.check();
  expect(found).toEqual([
    'The log "main" goes from position 2 to 4: what was between is missing.',
    'The stream "s/0" of the log "main" goes from revision 0 to 2: what was between is missing.',
    'In the log "main" time goes back at position 5.',
    ...[2, 4, 6].map((n) => `The event at position ${n} of the log "main" belongs to a stream that is not there.`),
    'The reader "r" is at position 99 of the log "main", which does not reach that far.',
  ]);
});

test("watching is told of what another process appends, and lets go of everything when it is given up", async () => {
  const schema = postgres.freshSchema();
  const [engine, other] = [await open(schema), await open(schema)];
  await only(engine, toAppend("s/a"));
  const given = new AbortController();
  const up = other.watch("main", 1, given.signal);
  given.abort(new Error("enough"));
  await expect(up).rejects.toThrow("enough");
  await other.watch("main", 0, new AbortController().signal);
  const tellMs: number[] = [];
  for (let position = 1; position <= 5 && !tellMs.some((ms) => ms < 700); position++) {
    const watching = other.watch("main", position, new AbortController().signal);
    await new Promise((resolve) => setTimeout(resolve, 150)); // it listens by now, and will not look by itself for a second
    const appended = performance.now();
    await only(engine, toAppend("s/a"));
    await watching;
    tellMs.push(performance.now() - appended);
  }
  expect(Math.min(...tellMs)).toBeLessThan(700); // once at least, on a machine that is busy with others
});

test("one of each value is found at an index that begins with the column, and the others are not sorted by their keys", async () => {
  const schema = postgres.freshSchema();
  const engine = await filled(schema);
  await engine.define(slowly);
  const [row] = await postgres.query(`select id from ${schema}.collection where name = 'wide'`);
  const known = { collection: slowly, id: row.id, table: `${schema}.document_${row.id}` };
  const planOf = async (ties: { readonly ties?: "any" }): Promise<string> => {
    const orderBy = { column: "state", descending: false, ...ties };
    const [sql] = toSql(known, { where: { state: { from: "s", to: "t" } }, orderBy, limit: 1 });
    const lines = await postgres.query(`explain ${sql?.text}`, [...(sql?.values ?? [])]);
    return lines.map((line) => line["QUERY PLAN"]).join("; ");
  };
  expect(await planOf({ ties: "any" })).toMatch(/^Limit [^;]*;\s*->\s+Index Scan using/);
  expect(await planOf({ ties: "any" })).not.toContain("Sort");
  expect(await planOf({})).toContain("Sort");
});
