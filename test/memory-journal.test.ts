import fc from "fast-check";
import { expect, test } from "vitest";
import { type Change, type Entry, type Journal, type RunRow, Unreadable } from "../src/orchestration/host.ts";
import { openRunJournal } from "../src/runtime/run-journal.ts";
import { Memory, memoryEngine, virtualClock } from "../src/testing/index.ts";
import { memoryJournal } from "../src/testing/memory-journal.ts";

const ids = ["a", "b", "c"];
const nodes = ["n1", "n2"];
const at = 1_000;
const rowOf = (run: string, more: Partial<RunRow> = {}): RunRow => ({
  ...{ run, operation: "jobs.do", workflow: "jobs.do@1", state: "waiting", owner: null, wakeAt: at, startedAt: at },
  ...{ endedAt: null, startedBy: "ann", traceparent: "", reason: null, ...more },
});

/** What a journal is asked, one thing after the other. A revision is said by how far it is from the last one. */
type Step = (journal: Journal) => Promise<unknown>;
const run = fc.constantFrom(...ids);
const node = fc.constantFrom(...nodes);
const off = fc.constantFrom(0, 0, 0, 0, -1, 1);
const time = fc.integer({ min: 0, max: 5 }).map((n) => at + n);
const entry: fc.Arbitrary<Entry> = fc.oneof(
  time.map((at): Entry => ({ type: "TimerFired", path: "t", at })),
  fc.string().map((text): Entry => ({ type: "Progress", value: text, at })),
  node.map((node): Entry => ({ type: "Claimed", node, term: 1, at })),
);
const rowChange = fc.record(
  {
    state: fc.constantFrom("waiting", "running", "paused", "done" as const),
    owner: fc.constantFrom(null, ...nodes),
    wakeAt: fc.option(time),
    reason: fc.constantFrom(null, "why"),
    endedAt: fc.option(time),
  },
  { requiredKeys: [] },
);
const change: fc.Arbitrary<Omit<Change, "inboxSeen"> & { readonly unseen?: number }> = fc.record(
  { row: rowChange, size: fc.nat({ max: 100 }), unseen: fc.nat({ max: 1 }) },
  { requiredKeys: [] },
);
const item = fc.record({
  signal: fc.constantFrom("go", "stop", ""),
  payload: fc.jsonValue(),
  by: fc.constantFrom("ann", "bob"),
  at: time,
});
const step: fc.Arbitrary<Step> = fc.oneof(
  run.map(
    (run): Step =>
      (j) =>
        j.append(run, -1, [{ type: "Queued", at }], { begin: rowOf(run) }),
  ),
  fc.tuple(run, off, fc.array(entry, { minLength: 1, maxLength: 3 }), change).map(
    ([run, off, entries, change]): Step =>
      async (j) => {
        const last = await j.revision(run);
        const { unseen, ...changed } = change;
        // Nobody has seen more of an inbox than there is.
        const inbox = await j.inbox(run);
        const { revision = -1, event } = inbox[inbox.length - 1 - (unseen ?? 0)] ?? {};
        const inboxSeen = { revision, ...(event !== undefined && { event }) };
        const seen = unseen !== undefined && { inboxSeen };
        return last < 0 ? "nothing" : j.append(run, last + off, entries, { ...changed, ...seen });
      },
  ),
  fc.tuple(run, item, fc.option(off, { nil: undefined })).map(
    ([run, item, off]): Step =>
      async (j) =>
        (await j.find(run)) &&
        j.post(run, item, off === undefined ? undefined : { asleepAt: (await j.revision(run)) + off }),
  ),
  fc.tuple(node, time).map(
    ([node, now]): Step =>
      async (j) => {
        const due = await j.nextDue(["jobs.do@1"]);
        // Which of those that are due at once comes first is nobody's promise, so all of them are claimed.
        const claimed = await j.claimDue(node, ["jobs.do@1"], now, ids.length);
        return [due, claimed.map(({ run }) => run).sort()];
      },
  ),
  node.map(
    (node): Step =>
      (j) =>
        j.claimDue(node, ["jobs.do@2"], at + 9, 3),
  ),
  fc.tuple(run, node, time).map(
    ([run, node, at]): Step =>
      (j) =>
        j.putBack(run, node, at),
  ),
  fc.tuple(run, node).map(
    ([run, node]): Step =>
      (j) =>
        j.strand(run, node, "It is broken."),
  ),
  fc.tuple(run, node).map(
    ([run, node]): Step =>
      async (j) =>
        (await j.seize(run, node))?.owner,
  ),
  fc.tuple(run, time).map(
    ([run, now]): Step =>
      (j) =>
        j.wake(run, now),
  ),
  fc.tuple(node, time).map(
    ([node, now]): Step =>
      (j) =>
        j.release(node, now, 10),
  ),
  node.map(
    (node): Step =>
      async (j) =>
        [...(await j.heldBy(node, 10))].sort(),
  ),
  fc.constant<Step>(async (j) => j.strangers([])),
);

/** Everything that can be seen of it. */
async function lookAt(journal: Journal): Promise<unknown> {
  const seen = ids.map(async (run) => ({
    row: await journal.find(run),
    entries: await journal.read(run),
    tail: await journal.read(run, 1, 2),
    loaded: await journal.load(run, 1),
    last: [await journal.last(run), await journal.last(run, "Claimed"), await journal.last(run, "Progress", 2)],
    inbox: await journal.inbox(run),
    from: await journal.inbox(run, 1),
  }));
  const search = await journal.search({ states: ["waiting", "paused"] }, { limit: 10, ascending: true });
  const done = await journal.search({ states: ["done"] }, { limit: 10, orderBy: "endedAt" });
  const counts = await journal.count({}, 10);
  return { runs: await Promise.all(seen), search, done, counts: counts.map((count) => JSON.stringify(count)).sort() };
}

const told = async (work: Promise<unknown>): Promise<unknown> => {
  const answer = await work.catch((error: unknown) => (error instanceof Unreadable ? "unreadable" : String(error)));
  return answer === undefined ? "nothing" : unsized(answer);
};

/** Positions and events are those of a log, which the memory has not, and entries that are kept together have brackets around them. */
const unsized = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (name, part) => (ofLog.includes(name) ? undefined : part));
const ofLog = ["size", "position", "event"];

test("the journal in memory does what the one on an engine does, whatever it is asked", {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const clock = virtualClock(at);
      const [one, other] = [
        memoryJournal(),
        await openRunJournal(memoryEngine({ clock, memory: new Memory() }), clock),
      ];
      for (const step of steps) expect(await told(step(one))).toEqual(await told(step(other)));
      expect(unsized(await lookAt(one))).toEqual(unsized(await lookAt(other)));
    }),
    { numRuns: 60 },
  );
});

test("what is lost with a replica that lagged is told apart from what has its revision since", async () => {
  const journal = memoryJournal();
  const said = (text: string): Entry => ({ type: "Progress", value: text, at });
  const go = { signal: "go", by: "ann", at: at + 5 };
  await journal.append("a", -1, [said("begun")], { begin: rowOf("a") });
  const takeOver = journal.mark();

  await journal.post("a", { ...go, payload: "lost" });
  const [seen] = await journal.inbox("a");
  takeOver();
  const suspend = () =>
    journal.append("a", 0, [said("on")], { inboxSeen: seen ?? { revision: 0 }, row: { wakeAt: null } });
  expect(await suspend()).toBe("inbox moved");
  await journal.post("a", { ...go, payload: "told since" });
  expect(await suspend()).toBe("inbox moved");

  takeOver();
  const rest = { row: { wakeAt: null, asleepAt: 1 } };
  await journal.append("a", 0, [said("lost")], rest);
  const asleep = await journal.find("a");
  await journal.post("a", { ...go, payload: 1 }, asleep);
  expect((await journal.find("a"))?.wakeAt).toBe(null);
  takeOver();
  await journal.append("a", 0, [said("told since")], rest);
  await journal.post("a", { ...go, payload: 1 }, asleep);
  expect((await journal.find("a"))?.wakeAt).toBe(at + 5);
});
