// On PostgreSQL several events of an append may share a row. Nobody who reads may notice.
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { systemClock } from "trilith/contracts";
import { openPostgres } from "trilith/postgres";
import { Memory, memoryEngine } from "trilith/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { appendArguments } from "../src/engines/postgres/sql/append.ts";
import { eventRows } from "../src/engines/postgres/sql/event-rows.ts";
import type { Append, Engine, NewEvent, ReadQuery, StoredEvent } from "../src/storage/host.ts";
import { openDatabase, type TestDatabase } from "./shared-postgres.ts";

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await openDatabase();
}, 120_000);
afterAll(() => postgres.remove());

let now = Date.now();
const clock = { ...systemClock, now: () => now };

/** A stretch of events that may share a row, or has something about it because of which they may not. */
const stretch = fc.record({
  stream: fc.constantFrom("a/1", "a/2", "b/\u0000"),
  types: fc.constantFrom(["t.A"], ["t.A"], ["t.A", "t.B"], ["t.B", "t.\u0000", "t.A", "t.A"]),
  version: fc.constantFrom(1, 1, 1, 2),
  meta: fc.constantFrom(undefined, undefined, "{}"),
  spans: fc.constantFrom(undefined, undefined, undefined, 1, 3),
  count: fc.nat({ max: 150 }),
  data: fc.constantFrom('"x"', '"é\u{1f600}"', "", `"${"long".repeat(60)}"`, `"${"longer".repeat(400)}"`, '"\u001e"'),
});
type Stretch = typeof stretch extends fc.Arbitrary<infer Drawn> ? Drawn : never;
const toEvents = ({ stream, types, version, meta, spans, count, data }: Stretch): NewEvent[] =>
  Array.from({ length: count }, (_, n) => ({
    ...{ stream, version, type: types[n % types.length] as string }, // it has one at least
    data: data === "" ? "" : data.replace(/"$/, `${n}"`),
    ...(meta !== undefined && { meta }),
    ...(spans !== undefined && { spans }),
  }));

const one = fc.record({
  stretches: fc.array(stretch, { maxLength: 4 }),
  /** Expects what is not so. */
  fails: fc.constantFrom(false, false, false, true),
});
const group = fc.record({ appends: fc.array(one, { minLength: 1, maxLength: 4 }), laterMs: fc.nat({ max: 2 }) });

const far = fc.constantFrom(0, 1, 2, 3, 5, 17, 18, 40, 63, 64, 65, 100, 128, 300, 1_000);
const until = fc.oneof(
  fc.constant({}),
  fc.record({ untilPosition: far }),
  fc.nat({ max: 6 }).map((ms) => ({ untilAt: ms })),
);
const limit = fc.constantFrom(1, 2, 10, 63, 64, 65, 1_000);
const query = fc
  .oneof(
    fc.record({ stream: fc.constantFrom("a/1", "a/2", "b/\u0000"), from: far, limit, backwards: fc.boolean() }),
    fc.record({ after: far, limit }),
    fc.record({ after: far, limit, types: fc.subarray(["t.A", "t.B", "t.\u0000"], { minLength: 1 }) }),
    fc.record({ after: far, limit, categories: fc.subarray(["a", "b"], { minLength: 1 }) }),
    fc.record({ after: far, limit, streams: fc.subarray(["a/2", "b/\u0000"], { minLength: 1 }) }),
  )
  .chain((query) => until.map((until): ReadQuery => ({ ...query, ...until })));

test("what shares a row is read as if each event had one, from wherever and however far", {
  timeout: 240_000,
}, async () => {
  const schema = postgres.freshSchema();
  const engine = await openPostgres({ url: postgres.url, schema, clock });
  const memory = memoryEngine({ clock, memory: new Memory() });
  let logs = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(group, { minLength: 1, maxLength: 4 }),
      fc.array(query, { minLength: 1, maxLength: 30, size: "max" }),
      async (groups, queries) => {
        const log = `log-${logs++}`;
        const began = now;
        for (const { appends, laterMs } of groups) {
          now += laterMs;
          const group = appends.map(
            ({ stretches, fails }): Append => ({
              id: randomUUID(),
              expect: fails ? [{ stream: `never/${randomUUID()}`, revision: 7 }] : [],
              events: stretches.flatMap(toEvents),
            }),
          );
          expect(await engine.append(log, group)).toEqual(await memory.append(log, group));
        }
        for (const drawn of queries) {
          const query = drawn.untilAt === undefined ? drawn : { ...drawn, untilAt: began + drawn.untilAt };
          const [found, expected] = [await engine.read(log, query), await memory.read(log, query)];
          // A page may end sooner, for it is bounded in bytes; this engine counts both together.
          expect(found).toEqual(expected.slice(0, found.length));
          if (found.length < expected.length) expect(share(found, query)).toBeGreaterThan(0.9);
          if (!("stream" in query) || query.backwards) continue;
          const { stream, from, limit } = query;
          const texts = await engine.texts(log, { stream, from, limit });
          const whole = await memory.texts(log, { stream, from, limit });
          expect(texts).toEqual(whole.slice(0, texts.length));
          if (whole.length > 0) expect(texts.length).toBeGreaterThan(0);
        }
        for (const stream of ["a/1", "a/2", "b/\u0000"])
          expect(await engine.revision(log, stream)).toBe(await memory.revision(log, stream));
        expect(await engine.types(log)).toHaveLength((await memory.types(log)).length);
        await looksAlike(engine, schema, log);
      },
    ),
    { numRuns: 40, interruptAfterTimeLimit: 60_000 },
  );
  expect(await engine.check()).toEqual([]);
  const [{ rows, events }] = await postgres.query(
    `select (select count(*) from ${schema}.event_row)::int as rows, (select count(*) from ${schema}.event)::int as events`,
  );
  expect(events).toBeGreaterThan(rows);
  await engine.close();
});

test("nodes that run the code of before append and read beside those that share rows", async () => {
  const schema = postgres.freshSchema();
  const engine = await openPostgres({ url: postgres.url, schema });
  const events = Array.from({ length: 30 }, (_, n) => ({ stream: "s", type: "t.A", version: 1, data: `${n}` }));
  await engine.append("main", [{ id: randomUUID(), expect: [], events }]);
  // As they ask: a group, a lone event, and an insert of a function that had begun when the table got its name.
  const group = {
    ...{ log: "main", call: randomUUID(), again: false, now: Date.now(), seen_epoch: 0, seen_position: 0 },
    ...{ ids: [randomUUID()], streams: ["s", "other"], written: [true, true], types: ["t.B"], versions: [1] },
    ...{ event_append: [1, 1, 1], event_stream: [1, 2, 1], event_rank: [1, 1, 2], event_ix: [0, 1, 2] },
    ...{ event_type: [1, 1, 1], event_data: ["a", "b", "c"] },
  };
  const called = appendArguments.flatMap(([name]) => (/holds|place|event_types/.test(name) ? [] : [name]));
  const ask = async (name: string, given: { readonly [argument: string]: unknown }, order: readonly string[]) =>
    (
      await postgres.query(
        `select ${schema}.${name}(${order.map((_, n) => `$${n + 1}`)}) as reply`,
        order.map((argument) => given[argument] ?? null),
      )
    )[0].reply;
  expect(JSON.parse(await ask("append_v3", group, called))).toEqual([
    1,
    30,
    expect.any(Number),
    [29, -1],
    [],
    1, // whether the call is noted; code of before takes that for granted where it is not said
    expect.any(Number),
  ]);
  const lone = { ...group, call: randomUUID(), id: randomUUID(), stream: "s", type: "t.A", version: 1, data: "d" };
  const alone = "log call now seen_epoch seen_position id stream revision event type version data meta".split(" ");
  const first = JSON.parse(await ask("append_alone_v1", lone, alone));
  expect(first).toEqual([1, 33, expect.any(Number), [31], [], 1, expect.any(Number)]);
  expect(await postgres.query(`select reply from ${schema}.call where id = $1`, [lone.call])).toHaveLength(1);
  // Asked again by the code of one version after, it is the same call.
  expect(JSON.parse(await ask("append_alone_v2", lone, alone))).toEqual(first);
  await postgres.query(
    `insert into ${schema}.event (position, stream, revision, at, append, log, ix, type, data)
     select position + 1, stream, revision + 1, at, append, log, 1, type, 'e' from ${schema}.event where position = 34`,
  );
  const stream = await engine.read("main", { stream: "s", from: 25, limit: 100 });
  expect(stream.map(({ data }) => data)).toEqual(["25", "26", "27", "28", "29", "a", "c", "d", "e"]);
  const asBefore = await postgres.query(
    `select revision::int, data from ${schema}.event
     where stream = (select id from ${schema}.stream where name = 's') and revision >= 25
       and revision <= ${schema}.revision_at_v2((select id from ${schema}.stream where name = 's'), 34)
     order by revision limit 100`,
  );
  expect(asBefore).toEqual(stream.slice(0, 8).map(({ revision, data }) => ({ revision, data })));
  expect(await engine.check()).toEqual([]);
  await engine.close();
});

test("whoever might read the table of before may read the view", async () => {
  const schema = postgres.freshSchema();
  const engine = await openPostgres({ url: postgres.url, schema });
  await engine.close();
  const role = `reads_${schema.replaceAll(/\W/g, "")}`;
  await postgres.query(`create role ${role}`);
  try {
    // As it was before the seventh version, as far as the grant is concerned.
    await postgres.query(`drop view ${schema}.event`);
    await postgres.query(`alter table ${schema}.event_row drop column holds, drop column types`);
    await postgres.query(`alter table ${schema}.log drop column held_from`);
    await postgres.query(`alter table ${schema}.event_row rename to event`);
    await postgres.query(`drop function ${schema}.insert_event_v1`);
    await postgres.query(`grant select on ${schema}.event to ${role}`);
    await postgres.query(eventRows(schema));
    const [may] = await postgres.query(`select has_table_privilege('${role}', '${schema}.event', 'select') as may`);
    expect(may).toEqual({ may: true });
  } finally {
    await postgres.query(`drop owned by ${role}`);
    await postgres.query(`drop role ${role}`);
  }
});

test("a row that does not hold what it says is found", async () => {
  const schema = postgres.freshSchema();
  const engine = await openPostgres({ url: postgres.url, schema });
  const events = Array.from({ length: 8 }, (_, n) => ({ stream: "s", type: `t.${n % 2}`, version: 1, data: `${n}` }));
  for (let n = 0; n < 5; n++) await engine.append("main", [{ id: randomUUID(), expect: [], events }]);
  const types = await postgres.query(`select distinct types[holds] = type as same from ${schema}.event_row`);
  expect(types).toEqual([{ same: true }]); // a row is called after its last event in this as well
  expect(await engine.check()).toEqual([]);
  await postgres.query(`update ${schema}.event_row set data = left(data, -2) where position = 8`);
  await postgres.query(`update ${schema}.event_row set types[3] = 77 where position = 16`);
  await postgres.query(`update ${schema}.event_row set holds = 5 where position = 24`);
  await postgres.query(`update ${schema}.event_row set type = types[1] where position = 32`);
  await postgres.query(`update ${schema}.event_row set ix = 0 where position = 40`);
  expect(await engine.check()).toEqual([
    'The log "main" goes from position 16 to 20: what was between is missing.',
    'The stream "s" of the log "main" goes from revision 15 to 19: what was between is missing.',
    'The row at position 8 of the log "main" does not hold the 8 events that it should.',
    'The row at position 24 of the log "main" does not hold the 5 events that it should.',
    'The row at position 32 of the log "main" does not hold the 8 events that it should.',
    'The row at position 40 of the log "main" does not hold the 8 events that it should.',
    'The event at position 16 of the log "main" belongs to a type that is not there.',
  ]);
  await engine.close();
});

/** How much of a page's bounds is used up; all of it where no more is known than that there is something. */
function share(events: readonly StoredEvent[], { limit, ...query }: ReadQuery): number {
  if ("types" in query) return events.length;
  return events.reduce((sum, { data }) => sum + Buffer.byteLength(data) / 1_048_576 + 1 / limit, 0);
}

/** Whoever asks the database itself, as the code of before does, sees each event. */
async function looksAlike(engine: Engine, schema: string, log: string): Promise<void> {
  const rows = await postgres.query(
    `select e.append || '/' || e.ix as id, e.position::int, e.revision::int, e.at::float, t.version, e.data, e.meta
     from ${schema}.event e join ${schema}.type t on t.id = e.type
     where e.log = (select id from ${schema}.log where name = $1) order by e.position limit 500`,
    [log],
  );
  const events = await engine.read(log, { after: 0, limit: 500 });
  expect(rows.slice(0, events.length)).toEqual(
    events.map(({ stream, type, meta = null, ...event }) => ({ ...event, meta })),
  );
}
