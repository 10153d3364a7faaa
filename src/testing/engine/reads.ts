import assert from "node:assert/strict";
import { type Cases, toEvent, toRange, toWritten } from "./room.ts";

const toNumbers = (events: readonly { readonly data: string }[]): number[] => events.map(({ data }) => Number(data));

/** Pages by stream and by position, filtered, and as they were. */
export const reads: Cases = {
  "a stream is read from a revision on, forwards and backwards": async (room) => {
    await room.append({ events: toRange(10).flatMap((n) => [toEvent("a/1", { data: `${n}` }), toEvent("b/1")]) });
    assert.deepEqual(toNumbers(await room.stream("a/1")), toRange(10));
    assert.deepEqual(toNumbers(await room.stream("a/1", { from: 7 })), [7, 8, 9]);
    assert.deepEqual(toNumbers(await room.stream("a/1", { from: 2, backwards: true })), [2, 1, 0]);
    assert.deepEqual(toNumbers(await room.stream("a/1", { backwards: true })), toRange(10).reverse());
    assert.deepEqual(await room.stream("a/1", { from: 10 }), []);
    assert.deepEqual(await room.stream("a/1", { from: -1, backwards: true }), []);
    for (const event of await room.stream("a/1")) assert.equal(event.stream, "a/1");
  },

  "a page holds no more than it may, and pages put together are the whole": async (room) => {
    await room.append({ events: toRange(25).map((n) => toEvent(`s/${n % 2}`, { data: `${n}` })) });
    for (const limit of [1, 2, 7, 25, 1_000]) {
      assert.deepEqual(toNumbers(await room.all({ limit })), toRange(25));
      assert.deepEqual(
        toNumbers(await room.stream("s/0", { limit })),
        toRange(13).map((n) => 2 * n),
      );
      assert.deepEqual(
        toNumbers(await room.stream("s/1", { limit, backwards: true })),
        toRange(12).map((n) => 23 - 2 * n),
      );
    }
  },

  "a page that is not the last one holds something, however large the events and rare the wanted": async (room) => {
    const large = JSON.stringify("x".repeat(700_000));
    for (const n of toRange(5)) await room.append({ events: [toEvent("a/1", { data: large }), toEvent(`b/${n}`)] });
    await room.append({ events: toRange(3_000).map((n) => toEvent(`s/${n % 3}`)) });
    await room.append({ events: [toEvent("rare/1", { type: "things.Rare" })] });
    assert.equal((await room.all({ limit: 1_000 })).length, 3_011);
    assert.equal((await room.stream("a/1", { limit: 1_000 })).length, 5);
    assert.equal((await room.all({ types: ["things.Rare"] })).length, 1);
    assert.equal((await room.all({ categories: ["rare"] })).length, 1);
    assert.equal((await room.all({ categories: ["b"], limit: 2 })).length, 5);
  },

  "a stream's data is read alone, page by page, as it stands in its events": async (room) => {
    const large = (n: number): string => JSON.stringify(`${n}${"ü".repeat(n % 5 === 0 ? 300_000 : 3)}`);
    for (const n of toRange(20)) await room.append({ events: [toEvent("a/1", { data: large(n) }), toEvent("b/1")] });
    for (const [from, limit] of [
      [0, 1],
      [0, 7],
      [3, 1_000],
      [18, 2],
    ] as const) {
      const texts: string[] = [];
      for (let page = [""] as readonly string[]; page.length > 0 && texts.length <= 20; ) {
        page = await room.engine.texts("main", { stream: "a/1", from: from + texts.length, limit });
        assert.ok(page.length <= limit, `A page of ${limit} holds ${page.length} texts.`);
        texts.push(...page);
      }
      assert.deepEqual(texts, toRange(20).slice(from).map(large));
    }
    await room.append({ events: toRange(64).map((n) => toEvent("c/1", { data: `${n}` })) });
    assert.deepEqual(await room.engine.texts("main", { stream: "c/1", from: 0, limit: 64 }), toRange(64).map(String));
    assert.deepEqual(await room.engine.texts("main", { stream: "a/1", from: 20, limit: 1 }), []);
    assert.deepEqual(await room.engine.texts("main", { stream: "a/1", from: 0, limit: 0 }), []);
    assert.deepEqual(await room.engine.texts("main", { stream: "a/2", from: 0, limit: 1 }), []);
    assert.deepEqual(await room.engine.texts("never-written", { stream: "a/1", from: 0, limit: 1 }), []);
  },

  "a stream that is not there has no events and the revision -1": async (room) => {
    await room.say("a/1");
    assert.deepEqual(await room.stream("a/2"), []);
    assert.deepEqual(await room.stream("a/2", { backwards: true }), []);
    assert.equal(await room.engine.revision("main", "a/2"), -1);
    assert.equal(await room.engine.revision("main", "a/1"), 0);
  },

  "a log is read after a position, to where it goes": async (room) => {
    await room.append({ events: toRange(6).map((n) => toEvent(`s/${n}`, { data: `${n + 1}` })) });
    assert.deepEqual(toNumbers(await room.engine.read("main", { after: 4, limit: 10 })), [5, 6]);
    assert.deepEqual(await room.engine.read("main", { after: 6, limit: 10 }), []);
    assert.deepEqual(await room.engine.read("main", { after: 600, limit: 10 }), []);
  },

  "what was appended is read at once": async (room) => {
    for (const n of toRange(30)) {
      const { last } = toWritten(await room.append({ events: [toEvent("a/1", { data: `${n}` })] }));
      const [[byStream], [byPosition], revision] = await Promise.all([
        room.engine.read("main", { stream: "a/1", from: n, limit: 1 }),
        room.engine.read("main", { after: last - 1, limit: 1 }),
        room.engine.revision("main", "a/1"),
      ]);
      assert.deepEqual([byStream?.position, byPosition?.position, revision], [last, last, n]);
      assert.deepEqual(byStream, byPosition);
    }
  },

  "a log is filtered by type": async (room) => {
    const types = ["things.A", "things.B", "things.A", "things.a", "things.AB"];
    await room.append({ events: types.map((type) => toEvent("a/1", { type })) });
    const of = async (...wanted: string[]) =>
      (await room.all({ types: wanted, limit: 2 })).map(({ position }) => position);
    assert.deepEqual(await of("things.A"), [1, 3]);
    assert.deepEqual(await of("things.B", "things.a"), [2, 4]);
    assert.deepEqual(await of("things.A", "things.Never"), [1, 3]);
    assert.deepEqual(await of("things.Never"), []);
    assert.deepEqual(await of("things.%"), []);
    assert.deepEqual(await of(), []);
  },

  "a type is wanted in all its versions": async (room) => {
    await room.append({ events: [1, 2, 3].map((version) => toEvent("a/1", { version })) });
    assert.deepEqual(
      (await room.all({ types: ["things.Said"] })).map(({ version }) => version),
      [1, 2, 3],
    );
  },

  "a log is filtered by category, which is what stands before the first slash": async (room) => {
    const streams = ["a/1", "ab/1", "a/b/c", "b/a/1", "a-b/1", "A/1", "a/2", "a_/1"];
    await room.say(...streams);
    const of = async (...wanted: string[]) =>
      (await room.all({ categories: wanted, limit: 2 })).map(({ stream }) => stream);
    assert.deepEqual(await of("a"), ["a/1", "a/b/c", "a/2"]);
    assert.deepEqual(await of("ab", "b"), ["ab/1", "b/a/1"]);
    assert.deepEqual(await of("a_"), ["a_/1"]);
    assert.deepEqual(await of("a%"), []);
    assert.deepEqual(await of("a/b"), []);
    assert.deepEqual(await of("never"), []);
    assert.deepEqual(await of(), []);
  },

  "a log is filtered by stream": async (room) => {
    const streams = ["a/1", "a/2", "a/10", "b/1", "A/1", "a/1"];
    await room.say(...streams);
    const of = async (...wanted: string[]) =>
      (await room.all({ streams: wanted, limit: 2 })).map(({ position }) => position);
    assert.deepEqual(await of("a/1"), [1, 6]);
    assert.deepEqual(await of("a/2", "b/1", "a/2"), [2, 4]);
    assert.deepEqual(await of("a/1", "never/1"), [1, 6]);
    assert.deepEqual(await of("never/1"), []);
    assert.deepEqual(await of("a/%"), []);
    assert.deepEqual(await of("a"), []);
    assert.deepEqual(await of(), []);
    assert.deepEqual(await room.all({ streams: ["a/1"] }, "runs"), []);
  },

  "types, categories and streams are wanted together, as of a position or an instant": async (room) => {
    for (const n of toRange(18)) {
      room.clock.set(room.clock.now() + 50);
      const event = toEvent(`${"ab"[n % 2]}/${n % 3}`, { type: `things.T${n % 2}`, data: `${n}` });
      await room.append({ events: [event] });
    }
    assert.deepEqual(
      toNumbers(await room.all({ types: ["things.T0"], streams: ["a/0", "b/0"], limit: 1 })),
      [0, 6, 12],
    );
    assert.deepEqual(toNumbers(await room.all({ categories: ["b"], streams: ["a/0", "b/0"] })), [3, 9, 15]);
    assert.deepEqual(toNumbers(await room.all({ streams: ["a/0", "b/0"], untilPosition: 7 })), [0, 3, 6]);
    const [, , , fourth] = await room.all();
    assert.deepEqual(toNumbers(await room.all({ streams: ["a/0", "b/0"], untilAt: fourth?.at ?? 0 })), [0, 3]);
  },

  "what is wanted is found however far behind other events it lies": async (room) => {
    const other = toRange(8_000).map(() => toEvent("other/1"));
    for (const _ of toRange(3)) await room.append({ events: other });
    await room.append({ events: [toEvent("rare/1", { type: "things.Rare" })] });
    for (const wanted of [{ types: ["things.Rare"] }, { categories: ["rare"] }, { streams: ["rare/1"] }]) {
      const query = { after: 0, limit: 2, ...wanted };
      const found = await room.engine.read("main", query);
      assert.deepEqual(
        found.map(({ position }) => position),
        [24_001],
      );
      assert.deepEqual(await room.engine.read("main", { ...query, after: 24_001 }), []);
      assert.deepEqual(await room.engine.read("main", { ...query, untilPosition: 24_000 }), []);
    }
  },

  "types and categories are wanted together": async (room) => {
    await room.append({
      events: toRange(12).map((n) => toEvent(`${"ab"[n % 2]}/1`, { type: `things.T${n % 3}`, data: `${n}` })),
    });
    assert.deepEqual(toNumbers(await room.all({ types: ["things.T0"], categories: ["a"], limit: 1 })), [0, 6]);
    const later = await room.all({ types: ["things.T0", "things.T1"], categories: ["b"], untilPosition: 8 });
    assert.deepEqual(toNumbers(later), [1, 3, 7]);
  },

  "a log and a stream are read as of a position, inclusively": async (room) => {
    await room.append({ events: toRange(10).map((n) => toEvent(`s/${n % 2}`, { data: `${n + 1}` })) });
    assert.deepEqual(toNumbers(await room.all({ untilPosition: 4, limit: 3 })), [1, 2, 3, 4]);
    assert.deepEqual(toNumbers(await room.all({ untilPosition: 0 })), []);
    assert.deepEqual(toNumbers(await room.all({ untilPosition: 400 })), toRange(10, 1));
    assert.deepEqual(toNumbers(await room.stream("s/0", { untilPosition: 5, limit: 2 })), [1, 3, 5]);
    assert.deepEqual(toNumbers(await room.stream("s/0", { untilPosition: 6, backwards: true, limit: 2 })), [5, 3, 1]);
    assert.deepEqual(toNumbers(await room.stream("s/1", { untilPosition: 1 })), []);
  },

  "a stream is read as of an instant, inclusively": async (room) => {
    for (const n of toRange(8)) {
      room.clock.set(room.clock.now() + 50);
      await room.append({ events: [toEvent("a/1", { data: `${n}` }), toEvent("b/1")] });
    }
    const events = await room.stream("a/1");
    for (const at of events.map((event) => event.at)) {
      const until = events.filter((event) => event.at <= at);
      assert.deepEqual(await room.stream("a/1", { untilAt: at, limit: 3 }), until);
      assert.deepEqual(await room.stream("a/1", { untilAt: at, backwards: true, limit: 3 }), until.toReversed());
    }
    assert.deepEqual(await room.stream("a/1", { untilAt: (events[0]?.at ?? 0) - 1 }), []);
  },

  "the types of a log are told with the versions in which they were written": async (room) => {
    const events = [
      toEvent("a/1"),
      toEvent("b/1"),
      toEvent("a/1", { version: 3 }),
      toEvent("a/1", { type: "things.Left" }),
    ];
    await room.append({ events });
    await room.append({ events: [toEvent("a/1", { type: "runs.Begun" })] }, "runs");
    const known = (await room.engine.types("main")).map(({ type, version }) => `${type} ${version}`);
    assert.deepEqual(known.toSorted(), ["things.Left 1", "things.Said 1", "things.Said 3"]);
    await room.reopen();
    assert.equal((await room.engine.types("main")).length, 3);
    assert.deepEqual(
      (await room.engine.types("runs")).map(({ type }) => type),
      ["runs.Begun"],
    );
  },
};
