import assert from "node:assert/strict";
import type { Collection } from "../../storage/host.ts";
import { type Cases, people, toEvent, toRange, toWord, toWritten } from "./room.ts";

/** Collections: what may be declared, declared again, and given up. */
export const collections: Cases = {
  "a collection may be defined again, also after the engine was opened again, and keeps its documents": async (
    room,
  ) => {
    await room.engine.define(people);
    await room.put("people", { ada: { city: "London", age: 36 } });
    await room.engine.define(people);
    await room.reopen();
    await room.engine.define({ ...people, columns: people.columns.toReversed() });
    assert.deepEqual(await room.keys("people", { where: { age: { equals: 36 } } }), ["ada"]);
  },

  "a collection that is defined with other columns is refused, and stays as it was": async (room) => {
    await room.engine.define(people);
    await room.put("people", { ada: { city: "London", age: 36 } });
    const [city, age] = people.columns;
    assert.ok(city && age);
    for (const columns of [
      [city],
      [city, age, { name: "height", type: "number" as const }],
      [city, { ...age, type: "text" as const }],
    ])
      await assert.rejects(room.engine.define({ name: "people", columns, indexes: [] }));
    await room.reopen();
    await assert.rejects(room.engine.define({ name: "people", columns: [city], indexes: [] }));
    await room.engine.define(people);
    assert.deepEqual(await room.keys("people", { where: { age: { equals: 36 } } }), ["ada"]);
  },

  "indexes may change, and change no answer": async (room) => {
    await room.engine.define({ ...people, indexes: [] });
    await room.put("people", { ada: { city: "London", age: 36 }, bob: { city: "Paris", age: 7 }, cyd: { age: 50 } });
    const ask = () =>
      room.keys("people", { where: { age: { from: 10 } }, orderBy: { column: "city", descending: true } });
    assert.deepEqual(await ask(), ["ada", "cyd"]);
    const some = { columns: ["age"], where: { column: "city", is: "not null" } } as const;
    const none = { columns: ["age", "city"], where: { column: "city", is: "null" } } as const;
    for (const indexes of [people.indexes, [some, none], [["age", "city"], some]]) {
      await room.engine.define({ ...people, indexes });
      assert.deepEqual(await ask(), ["ada", "cyd"]);
    }
  },

  "an index of some documents finds them, and those that come and go": async (room) => {
    const due: Collection = {
      name: "runs",
      columns: [
        { name: "wakeAt", type: "number" },
        { name: "owner", type: "text" },
      ],
      indexes: [
        { columns: ["wakeAt"], where: { column: "owner", is: "null" } },
        { columns: ["owner"], where: { column: "wakeAt", is: "not null" } },
      ],
    };
    await room.engine.define(due);
    await room.put("runs", { a: { wakeAt: 3 }, b: { wakeAt: 1, owner: "n" }, c: { wakeAt: 2, owner: null }, d: {} });
    const where = { owner: { equals: null }, wakeAt: { to: 3 } };
    const orderBy = { column: "wakeAt", descending: false };
    assert.deepEqual(await room.keys("runs", { where, orderBy, limit: 1 }), ["c", "a"]);
    await room.write(
      { collection: "runs", patch: "b", data: { owner: null } },
      { collection: "runs", patch: "c", data: { owner: "n" } },
      { collection: "runs", patch: "d", data: { wakeAt: 0 } },
    );
    assert.deepEqual(await room.keys("runs", { where, orderBy, limit: 1 }), ["d", "b", "a"]);
    assert.deepEqual(await room.keys("runs", { where: { owner: { not: null }, wakeAt: { not: null } } }), ["c"]);
  },

  "a declaration that contradicts itself is refused": async (room) => {
    const wrong: Collection[] = [
      { ...people, columns: [...people.columns, { name: "city", type: "text" }] },
      { ...people, indexes: [["height"]] },
      { ...people, indexes: [{ columns: ["city"], where: { column: "height", is: "null" } }] },
    ];
    for (const collection of wrong) await assert.rejects(room.engine.define(collection), /people/);
    await room.engine.define(people);
    assert.deepEqual(await room.find("people"), []);
  },

  "a collection that nobody defined is refused by whatever needs it, and nothing else is": async (room) => {
    const { epoch } = await room.engine.checkpoint("main", "reader");
    const write = { collection: "nowhere", put: "x", data: {} };
    const refused = await room.append({ events: [toEvent("a/1")], documents: [write] });
    assert.equal(toWord(refused), "refused");
    assert.match(refused.ok || refused.why !== "refused" ? "" : refused.message, /nowhere/);
    await assert.rejects(room.engine.find("nowhere", { limit: 1 }), /nowhere/);
    await assert.rejects(room.engine.claim("nowhere", { limit: 1 }, {}), /nowhere/);
    const checkpoint = { log: "main", reader: "reader", epoch, from: 0, position: 0 };
    await assert.rejects(room.engine.commit(checkpoint, [write]), /nowhere/);
    await room.say("a/1");
    assert.equal((await room.all()).length, 1);
  },

  "collections and columns are told apart by the whole of their names, whatever is in them": async (room) => {
    const long = "x".repeat(80);
    const names = [
      "store.model@1",
      "store.model@2",
      "store.Model@1",
      `${long}1`,
      `${long}2`,
      `it's "odd"; drop table event; --`,
      "é",
      "select",
    ];
    const columns = [...names, "key", "data", "revision", "log"].map((name) => ({ name, type: "text" as const }));
    for (const name of names) {
      await room.engine.define({ name, columns, indexes: columns.map((column) => [column.name]) });
      await room.put(name, {
        [name]: Object.fromEntries(columns.map((column) => [column.name, `${name} ${column.name}`])),
      });
    }
    for (const name of names) {
      assert.deepEqual(await room.keys(name), [name]);
      for (const column of columns) {
        const equals = (value: string) => room.keys(name, { where: { [column.name]: { equals: value } } });
        assert.deepEqual(await equals(`${name} ${column.name}`), [name]);
        assert.deepEqual(await equals(`${name} ${name}x`), []);
      }
    }
    assert.deepEqual((await room.engine.collections()).toSorted(), names.toSorted());
  },

  "a collection without columns keeps documents by their keys": async (room) => {
    await room.engine.define({ name: "bare", columns: [], indexes: [] });
    await room.put("bare", { b: { any: [1] }, a: {} });
    assert.deepEqual(await room.find("bare"), [
      { key: "a", revision: 1, data: {} },
      { key: "b", revision: 1, data: { any: [1] } },
    ]);
  },

  "what is on disk is told by name, by whatever code it was defined": async (room) => {
    assert.deepEqual(await room.engine.collections(), []);
    await room.engine.define(people);
    await room.engine.define({ ...people, name: "others" });
    await room.reopen();
    assert.deepEqual((await room.engine.collections()).toSorted(), ["others", "people"]);
  },

  "a collection that is dropped is gone, and may be defined anew": async (room) => {
    await room.engine.define(people);
    await room.engine.define({ ...people, name: "others" });
    await room.put("people", { ada: { city: "London" } });
    await room.put("others", { bob: { city: "Paris" } });
    await room.engine.drop({ collection: "people" });
    assert.deepEqual(await room.engine.collections(), ["others"]);
    await assert.rejects(room.engine.find("people", { limit: 1 }));
    assert.equal(toWord(await room.write({ collection: "people", put: "ada", data: {} })), "refused");
    await room.engine.define({ name: "people", columns: [{ name: "age", type: "text" }], indexes: [["age"]] });
    assert.deepEqual(await room.find("people"), []);
    await room.put("people", { cyd: { age: "old" } });
    await room.reopen();
    assert.deepEqual((await room.engine.collections()).toSorted(), ["others", "people"]);
    await room.engine.define({ ...people, name: "others" });
    assert.deepEqual(await room.keys("others"), ["bob"]);
  },

  "a reader that is dropped is forgotten, and others are not": async (room) => {
    await room.engine.define(people);
    toWritten(await room.append({ events: [toEvent("a/1")], readers: ["gone", "stays"] }));
    toWritten(await room.append({ events: [toEvent("a/1")], readers: ["gone"] }, "runs"));
    await room.engine.drop({ collection: "people", reader: { log: "main", name: "gone" } });
    const at = async (log: string, reader: string) => (await room.engine.checkpoint(log, reader)).position;
    assert.deepEqual([await at("main", "gone"), await at("main", "stays"), await at("runs", "gone")], [0, 1, 1]);
    assert.deepEqual(await room.engine.collections(), []);
    const { epoch } = await room.engine.checkpoint("main", "gone");
    assert.equal(await room.engine.commit({ log: "main", reader: "gone", epoch, from: 0, position: 1 }, []), true);
  },

  "a collection that another process drops is made anew by whoever has defined it": async (room) => {
    const other = await room.second();
    const write = { collection: "people", put: "ada", data: { city: "London", age: 36 } };
    const asks: readonly (() => Promise<unknown>)[] = [
      () => room.engine.find("people", { limit: 1 }),
      () => room.engine.count("people", { limit: 1 }),
      () => room.engine.claim("people", { where: { city: { equals: "Paris" } }, limit: 1 }, { city: "London" }),
      async () => toWritten(await room.append({ events: [toEvent("a/1")], documents: [write], readers: ["r"] })),
      async () => {
        const place = await room.engine.checkpoint("main", "r");
        const step = { log: "main", reader: "r", ...place, from: place.position };
        assert.equal(await room.engine.commit(step, [write]), true);
      },
    ];
    await room.engine.define(people);
    for (const ask of asks) {
      await other.drop({ collection: "people", reader: { log: "main", name: "r" } });
      await room.engine.commit({ log: "main", reader: "r", ...(await room.engine.head("main")), from: 0 }, []);
      await ask();
      assert.deepEqual(await room.engine.collections(), ["people"]);
    }
    assert.deepEqual(await room.keys("people"), ["ada"]);
    await other.drop({ collection: "people" });
    await other.define(people); // it is not the same one
    const outcomes = await Promise.all(
      toRange(20).map((n) => room.append({ events: [toEvent(`b/${n}`)], ...(n % 4 === 3 && { documents: [write] }) })),
    );
    assert.deepEqual(new Set(outcomes.map(toWord)), new Set(["written"]));
    assert.deepEqual(
      (await room.find("people")).map(({ revision }) => revision),
      [5],
    );
  },

  "a collection that another process has dropped, with other columns, is not written by mistake": async (room) => {
    const other = await room.second();
    await room.engine.define(people);
    await other.drop({ collection: "people" });
    await other.define({ name: "people", columns: [{ name: "age", type: "text" }], indexes: [["age"]] });
    const write = { collection: "people", put: "ada", data: { age: 36 } };
    await assert.rejects(room.engine.find("people", { limit: 1 }));
    await room.append({ documents: [write] }).then(
      (outcome) => assert.equal(outcome.ok, false),
      () => {},
    );
    assert.deepEqual(await other.find("people", { limit: 1 }), []);
  },

  "dropping what is not there is no matter": async (room) => {
    await room.engine.drop({});
    await room.engine.drop({ collection: "nowhere", reader: { log: "never-written", name: "nobody" } });
    assert.deepEqual(await room.engine.collections(), []);
  },

  "many may define the same at once": async (room) => {
    await Promise.all(toRange(10).map((n) => room.engine.define(n % 2 ? people : { ...people, name: `p${n}` })));
    await room.put("people", { ada: { city: "London" } });
    assert.equal((await room.engine.collections()).length, 6);
  },
};
