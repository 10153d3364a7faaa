import assert from "node:assert/strict";
import { type Cases, follow, people, readOn, soon, toAppend, toEvent, toRange, toReceipt, toWord } from "./room.ts";

const never = (): AbortSignal => new AbortController().signal;

/** Two engines over one and the same: what holds in one process holds between them. */
export const nodes: Cases = {
  "what one has acknowledged the other sees at once": async (room) => {
    const other = await room.second();
    for (const n of toRange(20)) {
      await room.say("a/1");
      assert.equal((await other.head("main")).position, n + 1);
      assert.equal(await other.revision("main", "a/1"), n);
      assert.equal((await readOn(other, "main", { limit: 100 })).length, n + 1);
    }
  },

  "positions have no gaps and revisions no doubles, whoever writes": async (room) => {
    const engines = [room.engine, await room.second(), await room.second()];
    await Promise.all(
      engines.flatMap((engine, node) =>
        toRange(60).map((n) =>
          engine.append("main", [
            toAppend({ events: [toEvent(`s/${n % 4}`), toEvent("s/all")] }),
            toAppend({ expect: [{ stream: `s/${node}`, revision: 3 }], events: [toEvent(`s/${node}`)] }),
          ]),
        ),
      ),
    );
    const events = await room.all();
    assert.deepEqual(
      events.map(({ position }) => position),
      toRange(events.length, 1),
    );
    assert.ok(events.length >= 360);
    const revisions = new Map<string, number>();
    for (const { stream, revision } of events) {
      assert.equal(revision, (revisions.get(stream) ?? -1) + 1);
      revisions.set(stream, revision);
    }
  },

  "a reader follows both without a gap and without a double while they write": async (room) => {
    const other = await room.second();
    const writing = Promise.all(
      toRange(80).map((n) => (n % 2 ? other : room.engine).append("main", [toAppend({ events: [toEvent(`s/${n}`)] })])),
    );
    const seen = await follow(other, { total: 80, limit: 9, watching: true });
    await writing;
    assert.deepEqual(seen, toRange(80, 1));
  },

  "of two that expect the same revision one is written, wherever they are": async (room) => {
    const other = await room.second();
    for (const revision of toRange(15, -1)) {
      const outcomes = await Promise.all(
        [room.engine, other].map((engine) =>
          engine.append("main", [toAppend({ expect: [{ stream: "a/1", revision }], events: [toEvent("a/1")] })]),
        ),
      );
      const words = outcomes.flat().map(toWord).toSorted();
      assert.deepEqual(words, ["conflict", "written"]);
    }
    assert.equal(await other.revision("main", "a/1"), 14);
  },

  "one key takes effect once, wherever it is asked for": async (room) => {
    const other = await room.second();
    const append = () => toAppend({ events: [toEvent("a/1")], receipt: toReceipt("key", { result: "1" }) });
    const outcomes = await Promise.all(
      toRange(10).map((n) => (n % 2 ? other : room.engine).append("main", [append()])),
    );
    const words = outcomes.flat().map(toWord);
    assert.equal(words.filter((word) => word === "written").length, 1);
    assert.equal(words.filter((word) => word === "again").length, 9);
    assert.equal((await other.receipt("main", "key"))?.result, "1");
  },

  "who watches hears of what the other appends": async (room) => {
    const other = await room.second();
    for (const after of toRange(3)) {
      const woken = other.watch("main", after, never());
      await room.say("a/1");
      await soon(woken, "Who watches hears of another's append");
    }
  },

  "each document goes to one claimant, wherever it is": async (room) => {
    const other = await room.second();
    await Promise.all([room.engine.define(people), other.define(people)]);
    await room.put("people", Object.fromEntries(toRange(40).map((age) => [`p${age}`, { age }])));
    const query = { where: { city: { equals: null } }, orderBy: { column: "age", descending: false }, limit: 6 };
    const claimed = await Promise.all(
      toRange(10).map((n) => (n % 2 ? other : room.engine).claim("people", query, { city: `node ${n}` })),
    );
    const keys = claimed.flat().map(({ key }) => key);
    assert.deepEqual([keys.length, new Set(keys).size], [40, 40]);
  },

  "a reader is moved by one of two": async (room) => {
    const other = await room.second();
    await room.say("a/1", "a/1");
    const { epoch } = await room.engine.checkpoint("main", "reader");
    const moved = await Promise.all(
      [room.engine, other].map((engine, index) =>
        engine.commit({ log: "main", reader: "reader", epoch, from: 0, position: index + 1 }, []),
      ),
    );
    assert.equal(moved.filter(Boolean).length, 1);
    assert.equal((await other.checkpoint("main", "reader")).position, moved.indexOf(true) + 1);
  },

  "documents written by both lose nothing": async (room) => {
    const other = await room.second();
    await room.engine.define(people);
    await other.define(people);
    const count = { collection: "people", increment: "ada", by: { age: 1 }, initial: { age: 0 } };
    await Promise.all(
      toRange(40).map((n) => (n % 2 ? other : room.engine).append("main", [toAppend({ documents: [count] })])),
    );
    assert.deepEqual(await other.find("people", { limit: 10 }), [{ key: "ada", revision: 40, data: { age: 40 } }]);
  },

  "time is the same for both, and goes on": async (room) => {
    const other = await room.second();
    for (const _ of toRange(10)) {
      const before = await room.engine.time();
      const between = await other.time();
      assert.ok(Number.isInteger(before));
      assert.ok(before <= between && between <= (await room.engine.time()));
    }
  },

  "one goes on when the other closes": async (room) => {
    const other = await room.second();
    await room.say("a/1");
    await other.close();
    await room.say("a/1");
    assert.equal((await room.engine.head("main")).position, 2);
  },
};
