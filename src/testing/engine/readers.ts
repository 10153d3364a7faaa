import assert from "node:assert/strict";
import type { Write } from "../../storage/host.ts";
import { type Cases, follow, people, type Room, toEvent, toRange, toReceipt, toWord, toWritten } from "./room.ts";

const put = (key: string, age: unknown) => ({ collection: "people", put: key, data: { age } });

/** The checkpoint of a reader of "main", moved from a place to another with documents. */
async function toCommit(room: Room): Promise<(from: number, position: number, age?: unknown) => Promise<boolean>> {
  await room.engine.define(people);
  const { epoch } = await room.engine.checkpoint("main", "reader");
  return (from, position, age = position) =>
    room.engine.commit({ log: "main", reader: "reader", epoch, from, position }, [put("ada", age)]);
}
const at = async (room: Room, reader = "reader", log = "main") => (await room.engine.checkpoint(log, reader)).position;
const age = async (room: Room) =>
  ((await room.find("people", { key: "ada" }))[0]?.data as { age: unknown } | undefined)?.age;

/** Readers: a checkpoint and what was made of the events up to it, in one commit. */
export const readers: Cases = {
  "a reader begins at 0, in the log's present epoch": async (room) => {
    const begin = await room.engine.checkpoint("main", "reader");
    assert.deepEqual({ ...begin }, { epoch: (await room.engine.head("main")).epoch, position: 0 });
    await room.say("a/1");
    assert.deepEqual({ ...(await room.engine.checkpoint("main", "reader")) }, { ...begin });
  },

  "a checkpoint moves together with its documents, and only from where it stood": async (room) => {
    const commit = await toCommit(room);
    await room.say(...toRange(9).map(() => "a/1"));
    assert.equal(await commit(0, 5), true);
    assert.equal(await commit(0, 7), false);
    assert.equal(await commit(4, 7), false);
    assert.equal(await commit(6, 7), false);
    assert.deepEqual([await at(room), await age(room)], [5, 5]);
    assert.equal(await commit(5, 9), true);
    assert.deepEqual([await at(room), await age(room)], [9, 9]);
  },

  "a reader that began before the log was written to goes on": async (room) => {
    const commit = await toCommit(room);
    await room.say("a/1", "a/1");
    assert.equal(await commit(0, 2), true);
    assert.equal((await room.engine.checkpoint("main", "reader")).epoch, (await room.engine.head("main")).epoch);
  },

  "what was read in another epoch is not committed": async (room) => {
    await room.engine.define(people);
    await room.say("a/1");
    const { epoch } = await room.engine.head("main");
    for (const other of [epoch + 1, epoch - 1]) {
      const checkpoint = { log: "main", reader: "reader", epoch: other, from: 0, position: 1 };
      assert.equal(await room.engine.commit(checkpoint, [put("ada", 1)]), false);
    }
    assert.deepEqual([await at(room), await age(room)], [0, undefined]);
  },

  "of two that move the same reader from the same place one does": async (room) => {
    const commit = await toCommit(room);
    await room.say(...toRange(10).map(() => "a/1"));
    const moved = await Promise.all(toRange(10, 1).map((position) => commit(0, position)));
    assert.equal(moved.filter(Boolean).length, 1);
    assert.deepEqual([await at(room), await age(room)], [moved.indexOf(true) + 1, moved.indexOf(true) + 1]);
  },

  "a document that is refused keeps the checkpoint where it is": async (room) => {
    const commit = await toCommit(room);
    await room.say("a/1");
    await assert.rejects(commit(0, 1, "old"), TypeError);
    assert.deepEqual([await at(room), await age(room)], [0, undefined]);
    assert.equal(await commit(0, 1), true);
  },

  "what is emptied begins again: its rows, its reader, and what belongs to it beside, in one commit": async (room) => {
    const commit = await toCommit(room);
    await room.engine.define({ ...people, name: "parked" });
    await room.put("parked", { a: { city: "reader" }, b: { city: "other" }, c: { city: "reader" }, d: {} });
    await room.say("a/1", "a/1");
    assert.equal(await commit(0, 2), true);
    const reader = { log: "main", name: "reader" };
    await room.engine.empty({
      collection: "people",
      reader,
      beside: { collection: "parked", column: "city", equals: "reader" },
    });
    assert.deepEqual([await at(room), await room.keys("people"), await room.keys("parked")], [0, [], ["b", "d"]]);
    assert.equal(await commit(2, 2), false); // somebody who leads it too, and has not heard
    assert.equal(await commit(0, 1), true);
    assert.deepEqual([await at(room), await room.keys("people")], [1, ["ada"]]);
    await room.engine.empty({ collection: "people", reader });
    await room.reopen();
    await room.engine.define(people);
    assert.deepEqual([await at(room), await room.keys("people")], [0, []]);
  },

  "what another process empties is empty, and takes what comes": async (room) => {
    const other = await room.second();
    const commit = await toCommit(room);
    await other.define(people);
    await room.say("a/1", "a/1");
    const increment = (): Write => ({ collection: "people", increment: "ada", by: { age: 1 }, initial: { age: 0 } });
    const { epoch } = await room.engine.checkpoint("main", "reader");
    const step = (from: number, position: number) =>
      room.engine.commit({ log: "main", reader: "reader", epoch, from, position }, [increment()]);
    assert.equal(await step(0, 1), true);
    await other.empty({ collection: "people", reader: { log: "main", name: "reader" } });
    assert.equal(await step(1, 2), false);
    assert.equal(await step(0, 1), true); // and not on what was there before
    assert.equal(await age(room), 1);
    const append = { events: [toEvent("a/1")], documents: [increment()], readers: ["reader"] };
    assert.deepEqual(await room.append(append), { ok: false, why: "behind", reader: "reader" });
    assert.equal(await commit(1, 2, 7), true);
    assert.equal(await age(room), 7);
  },

  "a checkpoint may move without documents": async (room) => {
    await room.say("a/1");
    const { epoch } = await room.engine.checkpoint("main", "reader");
    assert.equal(await room.engine.commit({ log: "main", reader: "reader", epoch, from: 0, position: 1 }, []), true);
    assert.equal(await at(room), 1);
  },

  "readers are told apart by name and by log, and are there after the engine was opened again": async (room) => {
    const commit = await toCommit(room);
    await room.say("a/1", "a/1");
    await commit(0, 2);
    for (const other of ["Reader", "reader ", "reade_", "reader%"]) assert.equal(await at(room, other), 0);
    assert.equal(await at(room, "reader", "runs"), 0);
    const { epoch } = await room.engine.checkpoint("main", "reader");
    await room.reopen();
    assert.deepEqual({ ...(await room.engine.checkpoint("main", "reader")) }, { epoch, position: 2 });
    await room.engine.define(people);
    assert.equal(await age(room), 2);
  },

  "an append moves the readers that travel with it to its last event": async (room) => {
    await room.engine.define(people);
    const outcome = await room.append({
      events: [toEvent("a/1"), toEvent("b/1")],
      documents: [put("ada", 1)],
      readers: ["reader", "other"],
    });
    assert.equal(toWritten(outcome).last, 2);
    assert.deepEqual([await at(room), await at(room, "other"), await at(room, "third")], [2, 2, 0]);
    toWritten(await room.append({ events: [toEvent("a/1")], readers: ["reader", "other"] }));
    assert.deepEqual([await at(room), await at(room, "other")], [3, 3]);
  },

  "an append that is not done moves nobody": async (room) => {
    await room.engine.define(people);
    const readers = ["reader"];
    const events = [toEvent("a/1")];
    await room.append({ expect: [{ stream: "a/1", revision: "exists" }], events, readers });
    await room.append({ events, documents: [put("ada", "old")], readers });
    toWritten(await room.append({ receipt: toReceipt("key") }));
    await room.append({ events, receipt: toReceipt("key"), readers });
    assert.equal(await at(room), 0);
  },

  "an append with a reader that has not come to the head is held back, for it would skip events": async (room) => {
    const commit = await toCommit(room);
    toWritten(await room.append({ events: [toEvent("a/1")], readers: ["other"] }));
    const append = {
      events: [toEvent("a/1")],
      documents: [put("bob", 1)],
      receipt: toReceipt("key"),
      readers: ["other", "reader"],
    };
    assert.deepEqual(await room.append(append), { ok: false, why: "behind", reader: "reader" });
    assert.deepEqual([await at(room), await at(room, "other"), (await room.all()).length], [0, 1, 1]);
    assert.deepEqual(await room.find("people"), []);
    assert.equal(await room.engine.receipt("main", "key"), undefined);
    assert.equal(await commit(0, 1), true);
    toWritten(await room.append(append));
    assert.deepEqual([await at(room), await at(room, "other")], [2, 2]);
  },

  "whether a reader is behind is looked at after the receipt and the revisions": async (room) => {
    await room.append({ events: [toEvent("a/1")], receipt: toReceipt("key") });
    const readers = ["reader"];
    assert.equal(toWord(await room.append({ receipt: toReceipt("key"), readers })), "again");
    assert.equal(toWord(await room.append({ expect: [{ stream: "a/1", revision: "none" }], readers })), "conflict");
    assert.equal(toWord(await room.append({ events: [toEvent("a/1")], readers })), "behind");
  },

  "appends with readers that come at once each move them, and none is behind the other": async (room) => {
    const outcomes = await Promise.all(
      toRange(40).map((n) => room.append({ events: [toEvent(`s/${n}`)], readers: ["reader"] })),
    );
    for (const outcome of outcomes) toWritten(outcome);
    assert.equal(await at(room), 40);
  },

  "a reader that follows while others write sees each event once, in order": async (room) => {
    const commit = await toCommit(room);
    const writing = Promise.all(
      toRange(120).map((n) => room.append({ events: [toEvent(`s/${n % 9}`), toEvent("s/all")] })),
    );
    const seen = await follow(room.engine, { total: 240, limit: 17, watching: false }, async (from, to) => {
      assert.equal(await commit(from, to), true);
    });
    await writing;
    assert.deepEqual(seen, toRange(240, 1));
  },
};
