import assert from "node:assert/strict";
import type { After, Condition, DocumentQuery, Write } from "../../storage/host.ts";
import { type Cases, people, type Room, toRange } from "./room.ts";

async function citizens(room: Room): Promise<void> {
  await room.engine.define(people);
  await room.put("people", {
    ada: { city: "London", age: 36 },
    bob: { city: "Paris", age: 7 },
    cyd: { city: "London", age: 50 },
    dan: { city: null, age: 36 },
    eve: { age: -1.5 },
    fay: { city: "", age: null },
    gus: { city: "london" },
  });
}
const by = (column: string, descending = false): Pick<DocumentQuery, "orderBy"> => ({
  orderBy: { column, descending },
});

/** Questions to collections: what is found, in which order, page by page. */
export const queries: Cases = {
  "a document is found by its key, and by nothing near it": async (room) => {
    await citizens(room);
    assert.deepEqual(await room.find("people", { key: "ada" }), [
      { key: "ada", revision: 1, data: { city: "London", age: 36 } },
    ]);
    for (const key of ["Ada", "ad", "ada ", "a%", ""]) assert.deepEqual(await room.find("people", { key }), []);
    assert.deepEqual(await room.keys("people", { key: "ada", where: { age: { equals: 7 } } }), []);
  },

  "documents are counted under conditions, and no further than asked": async (room) => {
    await citizens(room);
    const count = (where: NonNullable<DocumentQuery["where"]>, limit = 10) =>
      room.engine.count("people", { where, limit });
    assert.equal(await count({}), 7);
    assert.equal(await count({}, 3), 3);
    assert.equal(await count({ city: { equals: "London" } }), 2);
    assert.equal(await count({ city: { equals: null } }), 2);
    assert.equal(await count({ city: { equals: "London" }, age: { from: 40 } }), 1);
    assert.equal(await count({ city: { equals: "Rome" } }), 0);
  },

  "without an order documents come by their keys": async (room) => {
    await citizens(room);
    assert.deepEqual(await room.keys("people"), ["ada", "bob", "cyd", "dan", "eve", "fay", "gus"]);
  },

  "conditions are met to the byte, and null is a value": async (room) => {
    await citizens(room);
    const where = (condition: Condition, column = "city") => room.keys("people", { where: { [column]: condition } });
    assert.deepEqual(await where({ equals: "London" }), ["ada", "cyd"]);
    assert.deepEqual(await where({ equals: "" }), ["fay"]);
    assert.deepEqual(await where({ equals: null }), ["dan", "eve"]);
    assert.deepEqual(await where({ not: "London" }), ["bob", "dan", "eve", "fay", "gus"]);
    assert.deepEqual(await where({ not: null }), ["ada", "bob", "cyd", "fay", "gus"]);
    assert.deepEqual(await where({ in: ["Paris", "london", "Nowhere"] }), ["bob", "gus"]);
    assert.deepEqual(await where({ in: [] }), []);
    assert.deepEqual(await where({ equals: 36 }, "age"), ["ada", "dan"]);
    assert.deepEqual(await where({ in: [7, 50] }, "age"), ["bob", "cyd"]);
    assert.deepEqual(await where({ not: 36 }, "age"), ["bob", "cyd", "eve", "fay", "gus"]);
  },

  "a range has its ends in it, and never null": async (room) => {
    await citizens(room);
    const where = (condition: Condition, column = "age") => room.keys("people", { where: { [column]: condition } });
    assert.deepEqual(await where({ from: 7, to: 36 }), ["ada", "bob", "dan"]);
    assert.deepEqual(await where({ from: 36 }), ["ada", "cyd", "dan"]);
    assert.deepEqual(await where({ to: 7 }), ["bob", "eve"]);
    assert.deepEqual(await where({ from: 40, to: 8 }), []);
    assert.deepEqual(await where({ from: "L", to: "Paris" }, "city"), ["ada", "bob", "cyd"]);
    assert.deepEqual(await where({ from: "a" }, "city"), ["gus"]);
    assert.deepEqual(await where({ to: "" }, "city"), ["fay"]);
  },

  "all conditions are met together": async (room) => {
    await citizens(room);
    const where = { city: { equals: "London" }, age: { from: 40 } };
    assert.deepEqual(await room.keys("people", { where }), ["cyd"]);
    assert.deepEqual(await room.keys("people", { where: { city: { equals: null }, age: { equals: 36 } } }), ["dan"]);
  },

  "null comes before everything, and the key decides between equals, both ways": async (room) => {
    await citizens(room);
    assert.deepEqual(await room.keys("people", by("age")), ["fay", "gus", "eve", "bob", "ada", "dan", "cyd"]);
    assert.deepEqual(await room.keys("people", by("age", true)), ["cyd", "dan", "ada", "bob", "eve", "gus", "fay"]);
    assert.deepEqual(await room.keys("people", by("city")), ["dan", "eve", "fay", "ada", "cyd", "bob", "gus"]);
    assert.deepEqual(await room.keys("people", by("city", true)), ["gus", "bob", "cyd", "ada", "fay", "eve", "dan"]);
  },

  "where any of the equals will do, the values are in order all the same, and no page goes on behind them": async (
    room,
  ) => {
    await citizens(room);
    const find = (descending: boolean, limit: number) =>
      room.engine.find("people", { orderBy: { column: "age", descending, ties: "any" }, limit });
    const ages = (found: readonly { readonly data: unknown }[]) =>
      found.map(({ data }) => (data as { age?: number }).age ?? null);
    const ascending = [null, null, -1.5, 7, 36, 36, 50];
    for (const limit of [1, 3, 6, 7]) {
      assert.deepEqual(ages(await find(false, limit)), ascending.slice(0, limit));
      assert.deepEqual(ages(await find(true, limit)), ascending.toReversed().slice(0, limit));
    }
    const orderBy = { column: "age", descending: false, ties: "any" } as const;
    await assert.rejects(room.engine.find("people", { orderBy, limit: 1, after: { key: "bob", value: 7 } }), {
      name: "TypeError",
      message: /has no place to go on from/,
    });
  },

  "pages put together are the whole, whatever the order and the conditions": async (room) => {
    await citizens(room);
    const wheres = [{}, { age: { not: 7 } }, { city: { in: ["London", "Paris", ""] } }, { age: { from: -2, to: 40 } }];
    const orders = [{}, by("age"), by("age", true), by("city"), by("city", true)];
    for (const where of wheres)
      for (const order of orders) {
        const whole = await room.engine.find("people", { where, ...order, limit: 100 });
        for (const limit of [1, 2, 3]) assert.deepEqual(await room.find("people", { where, ...order, limit }), whole);
      }
  },

  "more documents than one page may hold are found page by page": async (room) => {
    await room.engine.define(people);
    const keys = toRange(2_300).map((n) => `p${String(n).padStart(4, "0")}`);
    await room.put("people", Object.fromEntries(keys.map((key, n) => [key, { age: n % 10, city: "x".repeat(200) }])));
    assert.deepEqual(await room.keys("people", { limit: 5_000 }), keys);
    const tens = await room.keys("people", { limit: 5_000, ...by("age", true) });
    assert.deepEqual(
      tens,
      keys.toReversed().toSorted((a, b) => (Number(b.slice(1)) % 10) - (Number(a.slice(1)) % 10)),
    );
  },

  "keys and text are in the order of their bytes": async (room) => {
    await room.engine.define(people);
    // U+FF5A comes before U+1F600 in UTF-8 and after it in UTF-16.
    const inOrder = ["", "  ", "A", "Z", "_", "a", "a b", "a-b", "aB", "ab", "z", "ß", "é", "ｚ", "😀"];
    await room.put("people", Object.fromEntries(inOrder.toReversed().map((text) => [`k${text}`, { city: text }])));
    assert.deepEqual(
      await room.keys("people"),
      inOrder.map((text) => `k${text}`),
    );
    const cities = async (query: Partial<DocumentQuery>) =>
      (await room.find("people", query)).map(({ data }) => (data as { city: string }).city);
    assert.deepEqual(await cities({ ...by("city"), limit: 2 }), inOrder);
    assert.deepEqual(await cities({ ...by("city", true), limit: 2 }), inOrder.toReversed());
    assert.deepEqual(await cities({ ...by("city"), where: { city: { from: "_", to: "ab" } } }), [
      "_",
      "a",
      "a b",
      "a-b",
      "aB",
      "ab",
    ]);
    assert.deepEqual(await cities({ ...by("city"), where: { city: { from: "ｚ" } } }), ["ｚ", "😀"]);
  },

  "numbers are compared as numbers": async (room) => {
    await room.engine.define(people);
    const inOrder = [
      -1e300, -9007199254740991, -10, -9, -0.5, 0, 0.1, 0.30000000000000004, 9, 10, 1_700_000_000_123, 9007199254740991,
      1e300,
    ];
    await room.put("people", Object.fromEntries(inOrder.toReversed().map((age) => [String(age), { age }])));
    const ages = async (query: Partial<DocumentQuery>) =>
      (await room.find("people", query)).map(({ data }) => (data as { age: number }).age);
    assert.deepEqual(await ages({ ...by("age"), limit: 3 }), inOrder);
    for (const age of inOrder) assert.deepEqual(await ages({ where: { age: { equals: age } } }), [age]);
    assert.deepEqual(await ages({ ...by("age"), where: { age: { in: [0.1, 1e300, 5] } } }), [0.1, 1e300]);
  },

  "reading on sees what changed in between, and skips nobody who was there all along": async (room) => {
    await citizens(room);
    const first = await room.engine.find("people", { ...by("age"), limit: 3 });
    assert.deepEqual(
      first.map(({ key }) => key),
      ["fay", "gus", "eve"],
    );
    await room.put("people", { new: { age: 8 }, old: { age: -5 } });
    const rest = await room.keys("people", { ...by("age"), after: { key: "eve", value: -1.5 }, limit: 2 });
    assert.deepEqual(rest, ["bob", "new", "ada", "dan", "cyd"]);
  },

  "a page goes on where the last one ended, whatever became of its last document": async (room) => {
    const changes: Write[] = [
      { collection: "people", remove: "bob" },
      { collection: "people", patch: "bob", data: { age: 99 } },
      { collection: "people", patch: "bob", data: { age: null } },
      { collection: "people", patch: "bob", data: { age: -99 } },
    ];
    for (const change of changes) {
      await citizens(room);
      await room.write(change);
      const others = (keys: readonly string[]) => keys.filter((key) => key !== "bob");
      const up = await room.keys("people", { ...by("age"), after: { key: "bob", value: 7 }, limit: 1 });
      assert.deepEqual(others(up), ["ada", "dan", "cyd"]);
      const down = await room.keys("people", { ...by("age", true), after: { key: "bob", value: 7 }, limit: 1 });
      assert.deepEqual(others(down), ["eve", "gus", "fay"]);
      const byKey = await room.keys("people", { after: { key: "bob" } });
      assert.deepEqual(byKey, ["cyd", "dan", "eve", "fay", "gus"]);
    }
  },

  "a page goes on after a document without a value that is gone, both ways": async (room) => {
    await citizens(room);
    await room.write({ collection: "people", remove: "fay" });
    const after = { key: "fay", value: null };
    assert.deepEqual(await room.keys("people", { ...by("age"), after, limit: 2 }), [
      "gus",
      "eve",
      "bob",
      "ada",
      "dan",
      "cyd",
    ]);
    assert.deepEqual(await room.keys("people", { ...by("age", true), after, limit: 2 }), []);
    const behindGus = { key: "gus", value: null };
    assert.deepEqual(await room.keys("people", { ...by("age"), after: behindGus }), [
      "eve",
      "bob",
      "ada",
      "dan",
      "cyd",
    ]);
  },

  "pages that are asked to be longer than they may be leave nobody out between those without a value and the others":
    async (room) => {
      await room.engine.define(people);
      const keys = toRange(2_200).map((n) => `p${String(n).padStart(4, "0")}`);
      await room.put("people", Object.fromEntries(keys.map((key, n) => [key, { age: n < 1_100 ? null : n }])));
      assert.deepEqual(await room.keys("people", { ...by("age"), limit: 5_000 }), keys);
      assert.deepEqual(await room.keys("people", { ...by("age", true), limit: 5_000 }), keys.toReversed());
      const rest = await room.engine.find("people", { ...by("age"), after: { key: "", value: null }, limit: 5_000 });
      assert.deepEqual(
        rest.map(({ key }) => key),
        keys.slice(0, rest.length),
      );
    },

  "a place without the value that its order goes by is refused, and so is a key alone": async (room) => {
    await citizens(room);
    const ask = (after: unknown, order = by("age")) =>
      room.engine.find("people", { ...order, after: after as After, limit: 10 });
    for (const order of [by("age"), {}]) await assert.rejects(ask("bob", order), TypeError);
    for (const after of [{ key: "bob" }, { key: "bob", value: "7" }, { key: "bob", value: Number.NaN }, { value: 7 }])
      await assert.rejects(ask(after), TypeError);
    await assert.rejects(ask({ key: "bob", value: 7 }, by("city")), TypeError);
  },

  "a value of another type than its column's is refused, and so is null where it is no value": async (room) => {
    await citizens(room);
    const wrong: [string, unknown][] = [
      ["city", { equals: 5 }],
      ["city", { not: 5 }],
      ["city", { from: 5 }],
      ["city", { to: 5 }],
      ["city", { in: ["London", 5] }],
      ["city", { equals: true }],
      ["age", { equals: "7" }],
      ["age", { not: "7" }],
      ["age", { from: "7" }],
      ["age", { from: 1, to: "7" }],
      ["age", { in: [7, "7"] }],
      ["age", { equals: Number.NaN }],
      ["age", { from: Number.NaN }],
      ["age", { in: [Number.NaN] }],
      ["age", { in: [null] }],
      ["age", { from: null }],
    ];
    for (const [column, condition] of wrong) {
      const query = { where: { [column]: condition as Condition }, limit: 10 };
      const said = `${column}: ${JSON.stringify(condition)}`;
      await assert.rejects(room.engine.find("people", query), TypeError, said);
      await assert.rejects(room.engine.count("people", query), TypeError, said);
      await assert.rejects(room.engine.claim("people", query, {}), TypeError, said);
    }
    const endless = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
    assert.deepEqual(await room.keys("people", { where: { age: endless } }), ["ada", "bob", "cyd", "dan", "eve"]);
  },

  "a column that is not declared cannot be asked for, whatever its name says": async (room) => {
    await citizens(room);
    for (const column of ["height", "key", "data", "constructor", "__proto__", `city" or 1=1 --`, "city, age"]) {
      const where = Object.fromEntries([[column, { equals: "x" }]]);
      await assert.rejects(room.engine.find("people", { where, limit: 1 }), TypeError);
      await assert.rejects(room.engine.find("people", { ...by(column), limit: 1 }), TypeError);
      await assert.rejects(room.engine.claim("people", { where, limit: 1 }, {}), TypeError);
    }
    assert.equal((await room.find("people")).length, 7);
  },

  "values are never taken for SQL": async (room) => {
    await citizens(room);
    for (const text of ["' or 1=1 --", "London' --", "%", "Lon_on", "(select 1)", "$1", "?"]) {
      assert.deepEqual(await room.keys("people", { where: { city: { equals: text } } }), []);
      assert.deepEqual(await room.keys("people", { where: { city: { in: [text] } } }), []);
      assert.deepEqual(await room.find("people", { key: text }), []);
    }
    assert.equal((await room.find("people")).length, 7);
  },
};
