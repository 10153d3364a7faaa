import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Entry, Unreadable } from "../orchestration/host.ts";
import { addEntries, emptyEntries, entriesIn, toEvents } from "./run-entries.ts";

const at = fc.nat({ max: 2 ** 45 });
const path = fc.string({ maxLength: 12 });
const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown); // JSON has one zero
const started = fc.record({
  ...{ type: fc.constant("StepStarted" as const), path, name: fc.string({ maxLength: 8 }), at },
  ...{ kind: fc.constantFrom("operation" as const, "local" as const), digest: fc.string(), undo: fc.boolean() },
});
const entry: fc.Arbitrary<Entry> = fc.oneof(
  { weight: 4, arbitrary: started },
  started.map((entry) => ({ ...entry, copied: true as const })),
  { weight: 4, arbitrary: fc.record({ type: fc.constant("StepDone" as const), path, wire: json, at }) },
  fc.record({ type: fc.constant("StepDone" as const), path, at }),
  fc.record({ type: fc.constant("TimerSet" as const), path, wakeAt: at, at }),
  fc.record({ type: fc.constant("Progress" as const), value: json, at }),
  fc.record({ type: fc.constant("Claimed" as const), node: fc.string(), term: fc.nat(), at }),
);
const commits = fc.array(fc.array(entry, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 8 });

const eventsOf = (entries: readonly Entry[]) => {
  const events = toEvents("run/r", entries);
  if (typeof events === "string") throw new Error(events);
  return events;
};

describe("the entries of a run", () => {
  it("are read as they were written", () => {
    fc.assert(
      fc.property(commits, (commits) => {
        const entries = emptyEntries("r");
        for (const commit of commits) for (const { data } of eventsOf(commit)) addEntries("r", data, entries);
        const all = commits.flat();
        expect([...entries]).toEqual(all);
        expect(entries.length).toBe(all.length);
        expect(entries.first).toEqual(all[0]);
        expect(entries.last).toEqual(all.at(-1));
        const cursor = entries.cursor();
        for (const [index, entry] of all.entries()) {
          expect([cursor.index, cursor.entry]).toEqual([index, entry]);
          cursor.next();
        }
        expect(cursor.entry).toBeUndefined();
        const isStep = ({ type }: Entry): boolean => type === "StepStarted" || type === "StepDone";
        expect(entries.others.filter((entry) => !isStep(entry))).toEqual(all.filter((entry) => !isStep(entry)));
      }),
    );
  });

  it("that are too many or too long for one event are several, and the same together", () => {
    const step = (index: number): Entry => ({
      type: "StepDone",
      path: `p#${index}`,
      wire: "x".repeat(2_000),
      at: index,
    });
    const all = Array.from({ length: 200 }, (_, index) => step(index));
    const events = eventsOf(all);
    expect(events.length).toBeGreaterThan(3);
    expect(events.map(({ spans }) => spans).reduce((sum = 0, spans = 0) => sum + spans)).toBe(200);
    expect(events.flatMap(({ data }) => entriesIn("r", data))).toEqual(all);
  });

  it("are read as they were spelled before: by the names of their fields, alone or in a list", () => {
    const done: Entry = { type: "StepDone", path: "a", wire: 1, at: 2 };
    const next: Entry = { type: "StepStarted", path: "b", name: "b", kind: "local", digest: "", undo: false, at: 3 };
    expect(entriesIn("r", JSON.stringify(done))).toEqual([done]);
    expect(entriesIn("r", JSON.stringify([done, next]))).toEqual([done, next]);
  });

  it.each([
    ...[
      "",
      "nothing",
      "1",
      '"done"',
      "null",
      '["done"]',
      '["done","a",1]',
      '["did","a",1,2]',
      '["done",1,1,1]',
      "[]",
      "[[]]",
    ],
    ...['[2,"done","a",1,2]', '[1,"done","a",1]', '[1,"done","a","b",1]', '[1,"went"]', '[1,"step","a",1,"a","local"]'],
  ])("cannot be read where they are %j", (text) => {
    expect(() => entriesIn("r", text)).toThrow(Unreadable);
  });
});
