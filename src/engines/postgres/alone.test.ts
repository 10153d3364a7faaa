import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase, type TestDatabase } from "../../../test/shared-postgres.ts";
import { systemClock } from "../../contracts/index.ts";
import type { Append, Engine, Expected, NewEvent, Outcome } from "../../storage/host.ts";
import { type Asking, appendStatements, Group } from "./group.ts";
import { openPostgres } from "./open.ts";
import { prepare } from "./prepared.ts";

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await openDatabase();
}, 120_000);
afterAll(() => postgres.remove());

const said: Append = {
  id: randomUUID(),
  expect: [],
  events: [{ stream: "s", type: "t.Said", version: 1, data: "{}" }],
};
const asking = { call: randomUUID(), again: false, forget: null, now: 1, seen: undefined };
const toStatement = (appends: readonly Append[], more: Partial<typeof asking> = {}): string =>
  new Group(appends.map((append) => prepare("main", append, () => undefined))).toCall({ ...asking, ...more }).statement;

test.for<[what: string, more: Partial<Append>]>([
  ["expects nothing", {}],
  ["expects something of its stream", { expect: [{ stream: "s", revision: 3, event: `${randomUUID()}/0` }] }],
  ["names another stream, and expects nothing of it", { expect: [{ stream: "other", revision: "any" }] }],
  ["has metadata", { events: [{ ...said.events[0], meta: "{}" } as Append["events"][0]] }],
])("one event that %s travels alone", ([, more]) => {
  expect(toStatement([{ ...said, ...more }])).toBe("append_alone");
});

test.for<[what: string, more: Partial<Append>]>([
  ["a receipt", { receipt: { key: "k", digest: "d" } }],
  ["a reader", { readers: ["r"] }],
  ["a document that is refused", { documents: [{ collection: "none", remove: "k" }] }],
  ["a second event", { events: [...said.events, ...said.events] }],
  ["no event", { events: [] }],
  ["an event that stands for several", { events: [{ ...said.events[0], spans: 2 } as Append["events"][0]] }],
  ["something expected of another stream", { expect: [{ stream: "other", revision: "none" }] }],
])("an append with %s takes the statement for everything", ([, more]) => {
  expect(toStatement([{ ...said, ...more }])).toBe("append");
});

test("so does one in company, one that is asked again, and one that has calls to be forgotten", () => {
  expect(toStatement([said, { ...said, id: randomUUID() }])).toBe("append");
  expect(toStatement([said], { again: true })).toBe("append");
  expect(
    new Group([prepare("main", said, () => undefined)]).toCall({ ...asking, forget: [randomUUID()] }).statement,
  ).toBe("append");
});

test("one event has the same outcome alone as by the statement for everything", { timeout: 120_000 }, async () => {
  const engine = await openPostgres({ url: postgres.url, schema: postgres.freshSchema(), clock });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25, size: "max" }), async (steps) => {
      const alone = await play(engine, steps, (append) => append);
      // A receipt changes nothing about an append but the way that it takes.
      const other = await play(engine, steps, (append, at) => ({ ...append, receipt: { key: `${at}`, digest: "d" } }));
      expect(alone).toEqual(other);
    }),
    { numRuns: 40 },
  );
  expect(await engine.check()).toEqual([]);
  await engine.close();
});

describe("a call of which the answer is lost", () => {
  const at = (position: number, epoch = 1) => ({ epoch, position });
  /** A call as it is sent, and the answer to it. */
  async function conversation() {
    const schema = postgres.freshSchema();
    const engine = await openPostgres({ url: postgres.url, schema });
    const write = async (stream: string): Promise<void> => {
      await engine.append("main", [{ ...said, id: randomUUID(), events: [{ ...said.events[0], stream } as NewEvent] }]);
    };
    const statements: { readonly [name: string]: string } = { ...appendStatements(`"${schema}"`) };
    const ask = async (append: Append, more: Partial<Asking>) => {
      const group = new Group([prepare("main", append, () => undefined)]);
      const { statement, values } = group.toCall({ ...asking, now, ...more });
      const [{ reply }] = await postgres.query(statements[statement] ?? "", values);
      return group.toAnswer(reply);
    };
    const toCall = (more: Partial<Append> = {}) => ({
      append: { ...said, id: randomUUID(), ...more },
      call: randomUUID(),
    });
    const events = async () => (await engine.read("main", { after: 0, limit: 1_000 })).length;
    const rows = async () => Number((await postgres.query(`select count(*) as n from "${schema}".call`))[0].n);
    await write("s");
    const end = async (): Promise<void> => {
      expect(await engine.check()).toEqual([]);
      await engine.close();
    };
    return { write, ask, toCall, events, rows, end };
  }

  test("leaves no row, and is answered from the log where it is made again", async () => {
    const { write, ask, toCall, events, rows, end } = await conversation();
    const { append, call } = toCall();
    const noted = await rows();
    const first = await ask(append, { call, seen: at(1) });
    expect(first).toMatchObject({ noted: false, outcomes: [{ ok: true, first: 2, revisions: { s: 1 } }] });
    expect(await rows()).toBe(noted);
    for (let n = 0; n < 20; n++) await write(n % 2 ? "s" : "other");
    expect(await ask(append, { call, seen: at(1), again: true })).toEqual(first);
    expect(await events()).toBe(22);
    await end();
  });

  test("is not done by the one that arrives after it was made again", async () => {
    const { write, ask, toCall, events, end } = await conversation();
    const { append, call } = toCall();
    const again = await ask(append, { call, seen: at(1), again: true });
    expect(again).toMatchObject({ noted: true, outcomes: [{ ok: true, first: 2 }] });
    expect(await ask(append, { call, seen: at(1) })).toEqual(again);
    await write("s");
    expect(await ask(append, { call, seen: at(1) })).toEqual(again);
    expect(await events()).toBe(3);
    await end();
  });

  test("that was refused when it was made again is not done later either, though it could be by then", async () => {
    const { write, ask, toCall, events, end } = await conversation();
    const stream = "new";
    const more = {
      expect: [{ stream, revision: "exists" as const }],
      events: [{ ...said.events[0], stream } as NewEvent],
    };
    const { append, call } = toCall(more);
    const again = await ask(append, { call, seen: at(1), again: true });
    expect(again).toMatchObject({ outcomes: [{ ok: false, why: "conflict", actual: -1 }] });
    expect(await ask(append, { call, seen: at(1) })).toEqual(again);
    await write(stream);
    expect(await ask(append, { call, seen: at(1) })).toEqual(again);
    expect(await events()).toBe(2);
    await end();
  });

  test("leaves a row where its client had seen too little of the log to find its event by it", async () => {
    const { write, ask, toCall, rows, end } = await conversation();
    const noted = await rows();
    for (const seen of [undefined, at(1, 0), at(1, 2)]) {
      const { append, call } = toCall();
      const first = await ask(append, { call, seen });
      expect(first).toMatchObject({ noted: true, outcomes: [{ ok: true }] });
      expect(await ask(append, { call, seen, again: true })).toEqual(first);
    }
    await Promise.all(Array.from({ length: 1_000 }, (_, n) => write(`${n}`)));
    const before = await rows();
    expect(before).toBeGreaterThan(noted + 2);
    const { append, call } = toCall();
    const first = await ask(append, { call, seen: at(3) });
    expect(first).toMatchObject({ noted: true, epoch: 1 });
    expect(await ask(append, { call, seen: at(3), again: true })).toEqual(first);
    expect(await rows()).toBe(before + 1);
    await end();
  });
});

let logs = 0;
const now = Date.now();
const clock = { ...systemClock, now: () => now };

/** Few streams and few types, for what is there already is what the short way is about. */
const step = fc.record({
  stream: fc.constantFrom("a", "b", "\u0000"),
  type: fc.constantFrom("t.Said", "t.\u0000"),
  version: fc.constantFrom(1, 1, 1, 2),
  data: fc.json(),
  meta: fc.option(fc.json(), { nil: undefined }),
  /** A number is added to what the stream has come to. */
  revision: fc.constantFrom<Expected[]>("none", "exists", "any", 0, 0, 0, 0, 1, -1),
  event: fc.constantFrom("last", "wrong", undefined),
});
type Step = typeof step extends fc.Arbitrary<infer Drawn> ? Drawn : never;

/** Outcomes and what is there in the end, without the names that differ between two logs. */
async function play(engine: Engine, steps: readonly Step[], dress: (append: Append, at: number) => Append) {
  const log = `log-${logs++}`;
  const outcomes: Outcome[] = [];
  const last = new Map<string, { readonly revision: number; readonly event?: string }>();
  for (const [at, step] of steps.entries()) {
    const { stream, type, version, data, meta } = step;
    const id = toId(at);
    const present = last.get(stream) ?? { revision: -1 };
    const number = typeof step.revision === "number" ? present.revision + step.revision : step.revision;
    const revision = typeof number === "number" && number < 0 ? "none" : number;
    const event = step.event === "wrong" ? `${toId(999)}/0` : step.event && present.event;
    const append: Append = {
      id,
      expect: [{ stream, revision, ...(event && { event }) }],
      events: [{ stream, type, version, data, ...(meta !== undefined && { meta }) }],
    };
    const [outcome] = await engine.append(log, [dress(append, at)]);
    if (outcome?.ok) last.set(stream, { revision: present.revision + 1, event: `${id}/0` });
    outcomes.push(outcome as Outcome); // one an append
  }
  return { outcomes, events: await engine.read(log, { after: 0, limit: 100 }) };
}

const toId = (at: number): string => `0190c0de-0000-7000-8000-${at.toString(16).padStart(12, "0")}`;
