import assert from "node:assert/strict";
import { type Cases, people, type Room, toRange } from "./room.ts";

async function crowd(room: Room, size: number): Promise<void> {
  await room.engine.define(people);
  const keys = toRange(size).map((n) => `p${String(n).padStart(2, "0")}`);
  await room.put("people", Object.fromEntries(keys.map((key, age) => [key, { age, more: [age] }])));
}
const free = { where: { city: { equals: null } }, orderBy: { column: "age", descending: false } } as const;

/** Claims: documents that are found and marked in one step. */
export const claims: Cases = {
  "a claim sets columns of what it finds, and gives it back as it is now": async (room) => {
    await crowd(room, 5);
    const claimed = await room.engine.claim("people", { ...free, limit: 2 }, { city: "node 1", age: 40 });
    const expected = [
      { key: "p00", revision: 2, data: { age: 40, more: [0], city: "node 1" } },
      { key: "p01", revision: 2, data: { age: 40, more: [1], city: "node 1" } },
    ];
    assert.deepEqual(claimed, expected);
    assert.deepEqual(await room.find("people", { where: { city: { equals: "node 1" } } }), expected);
    assert.deepEqual(await room.keys("people", free), ["p02", "p03", "p04"]);
    assert.deepEqual(
      await room.engine.claim("people", { where: { city: { equals: "node 1" } }, limit: 10 }, { city: null }),
      [
        { key: "p00", revision: 3, data: { age: 40, more: [0], city: null } },
        { key: "p01", revision: 3, data: { age: 40, more: [1], city: null } },
      ],
    );
  },

  "a claim that finds nothing gives back nothing": async (room) => {
    await crowd(room, 2);
    assert.deepEqual(await room.engine.claim("people", { where: { age: { from: 10 } }, limit: 5 }, { city: "x" }), []);
    assert.deepEqual(await room.engine.claim("people", { key: "nobody", limit: 5 }, { city: "x" }), []);
    assert.equal((await room.find("people", { where: { city: { equals: null } } })).length, 2);
  },

  "a claim takes the first in its order, and no more than it may": async (room) => {
    await crowd(room, 20);
    const last = { ...free, orderBy: { column: "age", descending: true } };
    const claim = async (query: typeof last, limit: number) =>
      (await room.engine.claim("people", { ...query, limit }, { city: "x" })).map(({ key }) => key);
    assert.deepEqual(await claim(last, 3), ["p19", "p18", "p17"]);
    assert.deepEqual(await claim({ ...free, orderBy: { column: "age", descending: false } }, 2), ["p00", "p01"]);
    assert.equal((await room.find("people", free)).length, 15);
  },

  "each document goes to one claimant, however many come at once": async (room) => {
    await crowd(room, 50);
    const claimed = await Promise.all(
      toRange(12).map((node) => room.engine.claim("people", { ...free, limit: 7 }, { city: `node ${node}` })),
    );
    const keys = claimed.flat().map(({ key }) => key);
    assert.deepEqual([keys.length, new Set(keys).size], [50, 50]);
    for (const [node, documents] of claimed.entries())
      for (const { key, data } of documents) {
        assert.equal((data as { city: string }).city, `node ${node}`);
        assert.deepEqual((await room.find("people", { key }))[0]?.data, data);
      }
  },

  "a claim that asks for the impossible is refused, and changes nothing": async (room) => {
    await crowd(room, 3);
    await assert.rejects(room.engine.claim("people", { limit: 1 }, { height: 1 }), TypeError);
    await assert.rejects(room.engine.claim("people", { limit: 1 }, { age: "old" }), TypeError);
    await assert.rejects(
      room.engine.claim("people", { where: { height: { equals: 1 } }, limit: 1 }, { age: 1 }),
      TypeError,
    );
    assert.deepEqual(
      (await room.find("people")).map(({ revision }) => revision),
      [1, 1, 1],
    );
  },

  "appends and claims at once lose nothing of each other": async (room) => {
    await crowd(room, 1);
    await Promise.all(
      toRange(40).map((n) =>
        n % 2
          ? room.engine.claim("people", { key: "p00", limit: 1 }, { city: `node ${n}` })
          : room.write({ collection: "people", increment: "p00", by: { visits: 1 }, initial: {} }),
      ),
    );
    const [document] = await room.find("people", { key: "p00" });
    const { visits } = (document?.data ?? {}) as { visits?: number };
    assert.deepEqual([document?.revision, visits], [41, 20]);
  },
};
