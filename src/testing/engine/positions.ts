import assert from "node:assert/strict";
import { type Cases, toEvent, toRange, toReceipt, toWord, toWritten } from "./room.ts";

/** Positions, time and heads: 1..n without gaps in the order of the commits, and instants that are prefixes. */
export const positions: Cases = {
  "positions begin at 1 and have no gaps, whatever was not written in between": async (room) => {
    for (const round of toRange(5)) {
      await room.say("a/1");
      await room.append({ expect: [{ stream: "a/1", revision: "none" }], events: [toEvent("a/1"), toEvent("b/1")] });
      await room.append({ documents: [{ collection: "nowhere", remove: "x" }], events: [toEvent("b/1")] });
      await room.append({ receipt: toReceipt(`key ${round}`) });
      await room.append({ events: [toEvent("b/1")], receipt: toReceipt(`key ${round}`) });
    }
    const written = (await room.all()).map(({ position, stream, revision }) => [position, stream, revision]);
    assert.deepEqual(
      written,
      toRange(5).map((revision) => [revision + 1, "a/1", revision]),
    );
  },

  "positions go on where they were after the engine was opened again": async (room) => {
    await room.say("a/1", "a/1", "b/1");
    await room.reopen();
    assert.equal((await room.engine.head("main")).position, 3);
    const { first, revisions } = toWritten(await room.append({ events: [toEvent("a/1")] }));
    assert.deepEqual([first, revisions["a/1"]], [4, 2]);
    assert.deepEqual(
      (await room.all()).map(({ position }) => position),
      [1, 2, 3, 4],
    );
  },

  "each log has positions, streams, keys and readers of its own": async (room) => {
    const append = { events: [toEvent("a/1")], receipt: toReceipt("key"), readers: ["reader"] };
    for (const log of ["main", "runs", "audit-2"]) {
      const { first, revisions } = toWritten(await room.append(append, log));
      assert.deepEqual([first, revisions["a/1"]], [1, 0]);
    }
    toWritten(await room.append({ ...append, receipt: toReceipt("other") }, "runs"));
    for (const [log, head] of Object.entries({ main: 1, runs: 2, "audit-2": 1 })) {
      assert.equal((await room.engine.head(log)).position, head);
      assert.equal((await room.engine.checkpoint(log, "reader")).position, head);
      assert.equal((await room.all({}, log)).length, head);
      assert.equal((await room.stream("a/1", {}, log)).length, head);
      assert.equal(await room.engine.revision(log, "a/1"), head - 1);
    }
    assert.equal(toWord(await room.append(append, "audit-2")), "again");
  },

  "a log that nobody has written to is empty": async (room) => {
    assert.equal((await room.engine.head("never-written")).position, 0);
    assert.deepEqual(await room.engine.read("never-written", { after: 0, limit: 10 }), []);
    assert.deepEqual(await room.engine.read("never-written", { stream: "a/1", from: 0, limit: 10 }), []);
    assert.deepEqual(await room.engine.types("never-written"), []);
    assert.equal(await room.engine.revision("never-written", "a/1"), -1);
    assert.equal((await room.engine.checkpoint("never-written", "reader")).position, 0);
  },

  "the head is what was acknowledged, and its epoch stays": async (room) => {
    const { epoch, position } = await room.engine.head("main");
    assert.equal(position, 0);
    for (const count of toRange(3, 1)) {
      await room.say("a/1");
      assert.deepEqual({ ...(await room.engine.head("main")) }, { epoch, position: count });
    }
    await room.reopen();
    assert.deepEqual({ ...(await room.engine.head("main")) }, { epoch, position: 3 });
  },

  "time never goes back along a log, whatever the clock does": async (room) => {
    const start = room.clock.now();
    const answered: number[] = [];
    for (const ahead of [0, 60_000, -60_000, 30_000, 120_000, -3_600_000]) {
      room.clock.set(start + ahead);
      answered.push(toWritten(await room.append({ events: [toEvent("a/1")] })).at);
    }
    await room.reopen();
    answered.push(toWritten(await room.append({ events: [toEvent("a/1")] })).at);
    const kept = (await room.all()).map(({ at }) => at);
    assert.deepEqual(kept, answered);
    assert.deepEqual(
      kept,
      kept.toSorted((a, b) => a - b),
    );
    for (const at of kept) assert.ok(Number.isSafeInteger(at), `${at} is a whole number of ms.`);
  },

  "as of an instant is a prefix of the log": async (room) => {
    for (const step of toRange(12)) {
      room.clock.set(room.clock.now() + (step % 4) * 15 - 20);
      await room.append({ events: [toEvent(`s/${step % 2}`), toEvent("s/all")] });
    }
    const events = await room.all();
    for (const at of [...new Set(events.map((event) => event.at))].flatMap((at) => [at - 1, at, at + 1])) {
      const until = await room.all({ untilAt: at, limit: 3 });
      assert.deepEqual(
        until,
        events.filter((event) => event.at <= at),
      );
      assert.deepEqual(until, events.slice(0, until.length));
    }
  },
};
