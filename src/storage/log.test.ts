import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../contracts/index.ts";
import { openSqlite } from "../engines/sqlite/index.ts";
import { type Engine, Log } from "./host.ts";
import { toFolder } from "./test-kit.test-d.ts";

const { folder, remove } = toFolder();
let engine: Engine;
let log: Log;
beforeAll(async () => {
  engine = await openSqlite({ folder });
  log = new Log("main", { engine, clock: systemClock });
});
afterAll(async () => {
  await engine.close();
  remove();
});

const collect = async <T>(values: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
};

test("what is appended is read back the same", async () => {
  // JSON has one zero, and the log refuses the other.
  const value = fc.jsonValue({ stringUnit: "binary" }).map((any) => JSON.parse(JSON.stringify(any)));
  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 5 }), async (values) => {
      fc.pre(!JSON.stringify(values).includes("__proto__"));
      const stream = `thing/${log.nextId()}`;
      const outcome = await log.append({
        expect: { [stream]: "none" },
        events: values.map((data) => ({ stream, type: "things.Said", data, meta: { data } })),
      });
      if (!outcome.ok || "again" in outcome) throw new Error("not written");
      const events = await collect(log.stream(stream));
      expect(events.map(({ data }) => data)).toStrictEqual(values);
      expect(events.map(({ meta }) => meta)).toStrictEqual(values.map((data) => ({ data })));
      expect(events.map(({ revision }) => revision)).toEqual(values.map((_, index) => index));
      expect(events.map(({ position }) => position)).toEqual(values.map((_, index) => outcome.first + index));
    }),
    { numRuns: 60 },
  );
});

test("a stream is read forwards and backwards, over as many pages as it takes", async () => {
  const stream = "thing/long";
  const all = Array.from({ length: 1_203 }, (_, index) => index);
  await log.append({ events: all.map((data) => ({ stream, type: "things.Counted", data })) });
  expect((await collect(log.stream(stream))).map(({ data }) => data)).toEqual(all);
  expect((await collect(log.stream(stream, { from: 1_200 }))).map(({ data }) => data)).toEqual([1_200, 1_201, 1_202]);
  const backwards = await collect(log.stream(stream, { backwards: true }));
  expect(backwards.map(({ data }) => data)).toEqual(all.toReversed());
  const few = await collect(log.stream(stream, { backwards: true, from: 2 }));
  expect(few.map(({ data }) => data)).toEqual([2, 1, 0]);
  expect(await log.revision(stream)).toBe(1_202);
  expect(await collect(log.stream("thing/nobody"))).toEqual([]);
});

test("the log is read by position, and by type", async () => {
  const { position: before } = await engine.head("main");
  await log.append({
    events: ["things.A", "things.B", "things.A"].map((type) => ({ stream: "thing/typed", type, data: type })),
  });
  const after = await collect(log.after(before));
  expect(after.map(({ position }) => position)).toEqual([before + 1, before + 2, before + 3]);
  const typed = await collect(log.after(before, { types: ["things.A"] }));
  expect(typed.map(({ position }) => position)).toEqual([before + 1, before + 3]);
  expect(await collect(log.after(before, { types: ["things.Never"] }))).toEqual([]);
  expect(await collect(log.after(before, { categories: ["thing"], until: before + 2 }))).toHaveLength(2);
  expect(await collect(log.after(before, { categories: ["other"] }))).toEqual([]);
  expect(await collect(log.stream("thing/typed", { until: before + 1 }))).toHaveLength(1);
});

test("an event of a megabyte is written, and a larger one is refused with its size", async () => {
  const text = "x".repeat(1_048_574);
  const outcome = await log.append({ events: [{ stream: "thing/large", type: "things.Said", data: text }] });
  expect(outcome.ok).toBe(true);
  await expect(
    log.append({ events: [{ stream: "thing/large", type: "things.Said", data: `${text}x` }] }),
  ).rejects.toThrow("has 1048577 bytes; an event has up to 1048576");
  await expect(
    log.append({ events: [{ stream: "thing/large", type: "things.Said", data: "€".repeat(400_000) }] }),
  ).rejects.toThrow("1200002 bytes");
});

test("what goes with an event is bounded too: its meta, its type, and the key and the result of a receipt", async () => {
  const event = { stream: "thing/bounded", type: "things.Said", data: 1 };
  const mebibyte = "x".repeat(1_048_576);
  const refused = (append: Partial<Parameters<typeof log.append>[0]>, sentence: string) =>
    expect(log.append({ events: [event], ...append })).rejects.toThrow(sentence);
  await refused(
    { events: [{ ...event, meta: mebibyte }] },
    "has 1048579 bytes with its meta; an event has up to 1048576",
  );
  await refused({ events: [{ ...event, data: "€".repeat(200_000), meta: "€".repeat(200_000) }] }, "1200004 bytes");
  await refused({ events: [{ ...event, type: "T".repeat(513) }] }, "The type of an event has up to 512 bytes");
  for (const type of ["", "a\u0000b", "\ud800"])
    await refused({ events: [{ ...event, type }] }, "not every engine can keep");
  const receipt = { key: "k", digest: "d" };
  await refused({ receipt: { ...receipt, result: `${mebibyte}x` } }, "has 1048577 bytes; it may have up to 1048576");
  await refused({ receipt: { ...receipt, key: "€".repeat(1_366) } }, "The key of a receipt has up to 4096 bytes");
  expect(await collect(log.stream("thing/bounded"))).toEqual([]);
  const largest = { ...receipt, key: "k".repeat(4_096), result: mebibyte };
  const bounded = { ...event, type: "T".repeat(512), meta: "x".repeat(1_048_573) };
  expect(await log.append({ events: [bounded], receipt: largest })).toMatchObject({ ok: true });
});

test.each([-2, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
  "%d is no revision that could be expected",
  async (revision) => {
    const append = { expect: { "thing/odd": revision }, events: [] };
    await expect(log.append(append)).rejects.toThrow(`An append expects revision ${revision} of thing/odd`);
  },
);

test("an append of ten thousand events, or of 16 MiB, is written, and a larger one is refused with what to do", async () => {
  const event = { stream: "thing/many", type: "things.Said", data: 1 };
  expect(await log.append({ events: Array(10_000).fill(event) })).toMatchObject({ ok: true });
  await expect(log.append({ events: Array(10_001).fill(event) })).rejects.toThrow(
    'An append to the log "main" has 10001 events; it may have up to 10000. Spread them over several appends.',
  );
  const large = { ...event, data: "x".repeat(1_048_574) };
  expect(await log.append({ events: Array(16).fill(large) })).toMatchObject({ ok: true });
  await expect(log.append({ events: [...Array(16).fill(large), event] })).rejects.toThrow(
    "16777217 characters of JSON",
  );
});

test("a revision that is not the expected one is an outcome that says both", async () => {
  const stream = "thing/raced";
  const event = { stream, type: "things.Said", data: 1 };
  await log.append({ expect: { [stream]: "none" }, events: [event] });
  const outcomes = await Promise.all([
    log.append({ expect: { [stream]: "none" }, events: [event] }),
    log.append({ expect: { [stream]: 0 }, events: [event] }),
    log.append({ expect: { [stream]: 0 }, events: [event] }),
    log.append({ expect: { "thing/missing": "exists" }, events: [event] }),
  ]);
  expect(outcomes).toMatchObject([
    { ok: false, why: "conflict", stream, expected: "none", actual: 0 },
    { ok: true, revisions: { [stream]: 1 } },
    { ok: false, why: "conflict", stream, expected: 0, actual: 1 },
    { ok: false, why: "conflict", stream: "thing/missing", expected: "exists", actual: -1 },
  ]);
});

test("ids are UUIDs of version 7", () => {
  const ids = Array.from({ length: 10_000 }, () => log.nextId());
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(Math.abs(Number.parseInt((ids[0] ?? "").replace("-", "").slice(0, 12), 16) - Date.now())).toBeLessThan(
    600_000,
  );
});
