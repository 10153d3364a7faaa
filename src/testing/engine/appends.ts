import assert from "node:assert/strict";
import type { Expected } from "../../storage/host.ts";
import { type Cases, people, toAppend, toEvent, toRange, toReceipt, toWord, toWritten } from "./room.ts";

/** Atomic, with expectations on any stream, and without shared fate. */
export const appends: Cases = {
  "an append goes to many streams at once, and says at which positions and revisions": async (room) => {
    await room.say("a/1");
    const outcome = toWritten(
      await room.append({ events: ["a/1", "b/1", "a/1", "c/1"].map((stream) => toEvent(stream)) }),
    );
    assert.deepEqual([outcome.first, outcome.last], [2, 5]);
    assert.deepEqual({ ...outcome.revisions }, { "a/1": 2, "b/1": 0, "c/1": 0 });
    const events = await room.all();
    assert.deepEqual(
      events.map(({ position, stream, revision }) => [position, stream, revision]),
      [
        [1, "a/1", 0],
        [2, "a/1", 1],
        [3, "b/1", 0],
        [4, "a/1", 2],
        [5, "c/1", 0],
      ],
    );
    assert.deepEqual([events[1]?.at, events[4]?.at], [outcome.at, outcome.at]);
  },

  "what a stream is expected to be decides, one by one": async (room) => {
    await room.say("there/1", "there/1");
    const meets = async (stream: string, revision: Expected): Promise<boolean> => {
      const outcome = await room.append({ expect: [{ stream, revision }] });
      if (outcome.ok) return true;
      const actual = stream === "there/1" ? 1 : -1;
      assert.deepEqual(outcome, { ok: false, why: "conflict", stream, expected: revision, actual });
      return false;
    };
    const tried: Expected[] = ["any", "none", "exists", 0, 1, 2];
    const met = async (stream: string) => {
      const answers = [];
      for (const revision of tried) answers.push((await meets(stream, revision)) ? revision : "-");
      return answers;
    };
    assert.deepEqual(await met("there/1"), ["any", "-", "exists", "-", 1, "-"]);
    assert.deepEqual(await met("missing/1"), ["any", "none", "-", "-", "-", "-"]);
  },

  "the revision -1 is expected of a stream that is not there": async (room) => {
    const append = { expect: [{ stream: "a/1", revision: -1 }], events: [toEvent("a/1")] };
    toWritten(await room.append(append));
    assert.equal(toWord(await room.append(append)), "conflict");
  },

  "expectations are of the streams before the append, not in the middle of it": async (room) => {
    const events = toRange(3).map(() => toEvent("a/1"));
    const first = await room.append({ expect: [{ stream: "a/1", revision: "none" }], events });
    assert.deepEqual({ ...toWritten(first).revisions }, { "a/1": 2 });
    const second = await room.append({ expect: [{ stream: "a/1", revision: 2 }], events });
    assert.deepEqual({ ...toWritten(second).revisions }, { "a/1": 5 });
  },

  "one stream that is not as expected keeps back the whole append": async (room) => {
    await room.engine.define(people);
    await room.say("a/1");
    const outcome = await room.append({
      expect: [
        { stream: "a/1", revision: 0 },
        { stream: "b/1", revision: 3 },
        { stream: "c/1", revision: "any" },
      ],
      events: ["a/1", "b/1", "c/1"].map((stream) => toEvent(stream)),
      documents: [{ collection: "people", put: "ada", data: { age: 36 } }],
      receipt: toReceipt("key"),
    });
    assert.deepEqual(outcome, { ok: false, why: "conflict", stream: "b/1", expected: 3, actual: -1 });
    assert.equal((await room.all()).length, 1);
    assert.deepEqual(await room.find("people"), []);
    assert.equal(await room.engine.receipt("main", "key"), undefined);
  },

  "a stream may be expected without being written": async (room) => {
    await room.say("seen/1", "seen/1");
    const write = (revision: Expected) =>
      room.append({ expect: [{ stream: "seen/1", revision }], events: [toEvent("written/1")] });
    assert.deepEqual({ ...toWritten(await write(1)).revisions }, { "written/1": 0 });
    assert.deepEqual(await write(0), { ok: false, why: "conflict", stream: "seen/1", expected: 0, actual: 1 });
    assert.equal(await room.engine.revision("main", "seen/1"), 1);
    assert.equal(await room.engine.revision("main", "written/1"), 0);
  },

  "a stream that was only expected is still not there": async (room) => {
    toWritten(await room.append({ expect: [{ stream: "seen/1", revision: "none" }], events: [toEvent("a/1")] }));
    assert.equal(await room.engine.revision("main", "seen/1"), -1);
    toWritten(await room.append({ expect: [{ stream: "seen/1", revision: "none" }], events: [toEvent("seen/1")] }));
  },

  "an append without events says the head of the log": async (room) => {
    const empty = toWritten(await room.append({}));
    assert.deepEqual([empty.first, empty.last, { ...empty.revisions }], [0, 0, {}]);
    await room.say("a/1", "b/1");
    const later = toWritten(await room.append({ receipt: toReceipt("key") }));
    assert.deepEqual([later.first, later.last, { ...later.revisions }], [2, 2, {}]);
    assert.equal((await room.engine.head("main")).position, 2);
  },

  "an empty group has no outcomes": async (room) => {
    assert.deepEqual(await room.engine.append("main", []), []);
  },

  "in a group none shares another's fate, and the outcomes are in the group's order": async (room) => {
    await room.engine.define(people);
    await room.say("a/1");
    const put = (key: string, city: unknown) => ({ collection: "people", put: key, data: { city } });
    const outcomes = await room.engine.append("main", [
      toAppend({ events: [toEvent("a/1")], documents: [put("ada", "London")] }),
      toAppend({
        expect: [{ stream: "a/1", revision: "none" }],
        events: [toEvent("a/1")],
        documents: [put("bob", "")],
      }),
      toAppend({ events: [toEvent("b/1")], documents: [put("cyd", "Rome"), put("dan", 7)] }),
      toAppend({ documents: [{ collection: "nowhere", remove: "x" }], events: [toEvent("b/1")] }),
      toAppend({ events: [toEvent("c/1")], receipt: toReceipt("key") }),
      toAppend({ events: [toEvent("c/1")], receipt: toReceipt("key", { digest: "other" }) }),
      toAppend({ events: [toEvent("d/1")], documents: [put("eve", "Paris")] }),
    ]);
    const words = ["written", "conflict", "refused", "refused", "written", "key reused", "written"];
    assert.deepEqual(outcomes.map(toWord), words);
    assert.deepEqual(
      (await room.all()).map(({ stream, position }) => [stream, position]),
      [
        ["a/1", 1],
        ["a/1", 2],
        ["c/1", 3],
        ["d/1", 4],
      ],
    );
    assert.deepEqual(await room.keys("people"), ["ada", "eve"]);
  },

  "in a group each sees what those before it did": async (room) => {
    const from = (revision: Expected) => toAppend({ expect: [{ stream: "a/1", revision }], events: [toEvent("a/1")] });
    const outcomes = await room.engine.append("main", [from("none"), from("none"), from(0), from(0), from("exists")]);
    assert.deepEqual(outcomes.map(toWord), ["written", "conflict", "written", "conflict", "written"]);
    assert.deepEqual(outcomes[3], { ok: false, why: "conflict", stream: "a/1", expected: 0, actual: 1 });
  },

  "in a group the same key takes effect once": async (room) => {
    const append = () => toAppend({ events: [toEvent("a/1")], receipt: toReceipt("key", { result: "1" }) });
    const outcomes = await room.engine.append("main", [append(), append(), append()]);
    assert.deepEqual(outcomes.map(toWord), ["written", "again", "again"]);
    assert.equal(await room.engine.revision("main", "a/1"), 0);
  },

  "of many that expect the same revision at once exactly one is written": async (room) => {
    const outcomes = await Promise.all(
      toRange(40).map(() => room.append({ expect: [{ stream: "a/1", revision: "none" }], events: [toEvent("a/1")] })),
    );
    assert.equal(outcomes.filter(({ ok }) => ok).length, 1);
    const conflict = { ok: false, why: "conflict", stream: "a/1", expected: "none", actual: 0 };
    for (const outcome of outcomes) if (!outcome.ok) assert.deepEqual(outcome, conflict);
    assert.equal((await room.all()).length, 1);
  },

  "a hundred appends at once leave no gap, keep each stream's order and lie together": async (room) => {
    const outcomes = await Promise.all(
      toRange(100).map((index) =>
        room.append({
          events: [`s/${index % 7}`, "s/all", `s/${index % 3}`].map((stream) => toEvent(stream, { data: `${index}` })),
        }),
      ),
    );
    const events = await room.all();
    assert.deepEqual(
      events.map(({ position }) => position),
      toRange(300, 1),
    );
    const revisions = new Map<string, number>();
    for (const { stream, revision } of events) {
      assert.equal(revision, (revisions.get(stream) ?? -1) + 1);
      revisions.set(stream, revision);
    }
    for (const [index, outcome] of outcomes.entries()) {
      const { first, last } = toWritten(outcome);
      assert.deepEqual(
        events.slice(first - 1, last).map(({ data }) => data),
        toRange(3).map(() => `${index}`),
      );
    }
  },

  "an append of thousands of events is one append": async (room) => {
    const events = toRange(5_000).map((index) => toEvent(`s/${index % 50}`, { data: `${index}` }));
    const { first, last } = toWritten(await room.append({ events }));
    assert.deepEqual([first, last], [1, 5_000]);
    const read = await room.all({ limit: 1_000 });
    assert.deepEqual(
      read.map(({ data }) => Number(data)),
      toRange(5_000),
    );
  },

  "a group of thousands of appends has an outcome each": async (room) => {
    const group = toRange(3_000).map((index) => toAppend({ events: [toEvent(`s/${index}`)] }));
    const outcomes = await room.engine.append("main", group);
    assert.deepEqual(
      outcomes.map((outcome) => toWritten(outcome).first),
      toRange(3_000, 1),
    );
  },

  "an event that takes several revisions has the last of them, and is found by any": async (room) => {
    const [outcome] = await room.engine.append("main", [
      toAppend({ events: [toEvent("a/1", { data: '"one"' }), toEvent("a/1", { data: '"three"', spans: 3 })] }),
    ]);
    assert.ok(outcome?.ok && "revisions" in outcome);
    assert.deepEqual([outcome.first, outcome.last, { ...outcome.revisions }], [1, 2, { "a/1": 3 }]);
    assert.equal(await room.engine.revision("main", "a/1"), 3);
    const from = async (revision: number): Promise<readonly string[]> =>
      await room.engine.texts("main", { stream: "a/1", from: revision, limit: 10 });
    assert.deepEqual(await from(0), ['"one"', '"three"']);
    for (const revision of [1, 2, 3]) assert.deepEqual(await from(revision), ['"three"']);
    assert.deepEqual(await from(4), []);
    toWritten(await room.append({ expect: [{ stream: "a/1", revision: 3 }], events: [toEvent("a/1")] }));
    assert.deepEqual(
      (await room.engine.read("main", { stream: "a/1", from: 3, limit: 10, backwards: true })).map((e) => e.revision),
      [3, 0],
    );
    assert.deepEqual(
      (await room.engine.read("main", { stream: "a/1", from: 0, limit: 10, untilPosition: 2 })).map((e) => e.revision),
      [0, 3],
    );
    const many = toRange(200).map((n) => toEvent("a/2", { data: `${n}`, spans: 1 + (n % 3) }));
    toWritten(await room.append({ events: many }));
    const texts: string[] = [];
    for (let next = 0; ; ) {
      const page = await room.engine.texts("main", { stream: "a/2", from: next, limit: 150 });
      if (page.length === 0) break;
      texts.push(...page);
      for (const text of page) next += 1 + (Number(text) % 3);
    }
    assert.deepEqual(
      texts,
      many.map(({ data }) => data),
    );
    assert.deepEqual(await room.engine.check(), []);
  },

  "an event's id is its append's, a slash and its index": async (room) => {
    const append = toAppend({ events: ["a/1", "b/1", "a/1"].map((stream) => toEvent(stream)) });
    await room.engine.append("main", [append]);
    assert.deepEqual(
      (await room.all()).map(({ id }) => id),
      [`${append.id}/0`, `${append.id}/1`, `${append.id}/2`],
    );
  },
};
