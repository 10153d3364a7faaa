import { expect, test } from "vitest";
import type { Append, NewReceipt } from "../../storage/host.ts";
import { prepare } from "./prepared.ts";
import { Queue, type Queued } from "./queue.ts";

let drawn = 0;
const toId = (): string => `0190c0de-0000-7000-8000-${(drawn++).toString(16).padStart(12, "0")}`;
const said = (stream: string) => ({ stream, type: "t.Said", version: 1, data: "1" });
interface Named extends Queued {
  readonly name: string;
}
function toQueued(name: string, append: Partial<Append>, { log = "main", together = {} } = {}): Named {
  const whole = { id: toId(), expect: [], events: [], ...append };
  return { name, together, prepared: prepare(log, whole, () => undefined) };
}
const receipt = (key: string): NewReceipt => ({ key, digest: "d" });
function groupsOf(...entries: readonly Named[]): string[] {
  const queue = new Queue<Named>();
  for (const entry of entries) queue.add(entry);
  const groups: string[] = [];
  while (queue.length > 0)
    groups.push(
      queue
        .take(new Set())
        .map(({ name }) => name)
        .join(" "),
    );
  return groups;
}

test("appends that do not meet travel together", () => {
  expect(
    groupsOf(
      toQueued("a", { expect: [{ stream: "s/a", revision: 0 }], events: [said("s/a")], receipt: receipt("a") }),
      toQueued("b", { expect: [{ stream: "s/b", revision: "none" }], events: [said("s/b")], receipt: receipt("b") }),
    ),
  ).toEqual(["a b"]);
});

test("a stream of which somebody expects something is one append's own; others may share theirs", () => {
  expect(
    groupsOf(
      toQueued("any", { events: [said("s/a")] }),
      toQueued("any too", { expect: [{ stream: "s/a", revision: "any" }], events: [said("s/a")] }),
      toQueued("first", { expect: [{ stream: "s/a", revision: 2 }], events: [said("s/a")] }),
      toQueued("other", { events: [said("s/b")] }),
    ),
  ).toEqual(["any any too other", "first"]);
});

test("a receipt's key is one append's own", () => {
  expect(groupsOf(toQueued("a", { receipt: receipt("k") }), toQueued("b", { receipt: receipt("k") }))).toEqual([
    "a",
    "b",
  ]);
});

test("what waits for the same thing keeps its order, and so does what was asked for together", () => {
  const alone = { expect: [{ stream: "s/a", revision: "exists" as const }], events: [said("s/a")] };
  expect(groupsOf(toQueued("1", alone), toQueued("2", alone), toQueued("3", { events: [said("s/a")] }))).toEqual([
    "1",
    "2",
    "3",
  ]);
  const together = {};
  expect(
    groupsOf(
      toQueued("1", alone),
      toQueued("2", alone, { together }),
      toQueued("3", { events: [said("s/b")] }, { together }),
      toQueued("4", { events: [said("s/c")] }),
    ),
  ).toEqual(["1 4", "2 3"]);
});

test("logs, and readers that are moved, have groups of their own", () => {
  expect(
    groupsOf(
      toQueued("a", { events: [said("s/a")] }),
      toQueued("b", { events: [said("s/b")] }, { log: "runs" }),
      toQueued("c", { events: [said("s/c")], readers: ["r"] }),
      toQueued("d", { events: [said("s/d")] }),
    ),
  ).toEqual(["a d", "b", "c"]);
});

test("what was asked for together with something under way waits for it", () => {
  const queue = new Queue<Named>();
  const together = {};
  queue.add(toQueued("late", { events: [said("s/a")] }, { together }));
  queue.add(toQueued("free", { events: [said("s/b")] }));
  expect(queue.take(new Set([together])).map(({ name }) => name)).toEqual(["free"]);
  expect(queue.take(new Set([together]))).toEqual([]);
  expect(queue.take(new Set()).map(({ name }) => name)).toEqual(["late"]);
});

test("a group has no more than is wanted, but for what was asked for together with its last", () => {
  const queue = new Queue<Named>();
  const together = {};
  for (const name of ["1", "2", "3"]) queue.add(toQueued(name, { events: [said(`s/${name}`)] }));
  for (const name of ["a", "b", "c"]) queue.add(toQueued(name, { events: [said(`s/${name}`)] }, { together }));
  queue.add(toQueued("4", { events: [said("s/4")] }));
  const taken = [2, 2, 2].map((most) => queue.take(new Set(), most).map(({ name }) => name));
  expect(taken).toEqual([["1", "2"], ["3", "a", "b", "c"], ["4"]]);
});
