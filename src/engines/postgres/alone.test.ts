import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase, type TestDatabase } from "../../../test/shared-postgres.ts";
import { systemClock } from "../../contracts/index.ts";
import type { Append, Engine, Expected, Outcome } from "../../storage/host.ts";
import { Group } from "./group.ts";
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
