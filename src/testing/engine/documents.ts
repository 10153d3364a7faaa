import assert from "node:assert/strict";
import type { Outcome, Write } from "../../storage/host.ts";
import { type Cases, people, type Room, toEvent, toRange, toWord, toWritten } from "./room.ts";

const to = (write: object): Write => ({ collection: "people", ...write }) as Write; // the cases spell the kinds out
const only = async (room: Room, key: string) => (await room.find("people", { key }))[0];

/** Documents, as appends change them. */
export const documents: Cases = {
  "a put makes a document or replaces it, and its revision counts the writes": async (room) => {
    await room.engine.define(people);
    toWritten(await room.write(to({ put: "ada", data: { city: "London", age: 36, more: { deep: [1] } } })));
    assert.deepEqual(await only(room, "ada"), {
      key: "ada",
      revision: 1,
      data: { city: "London", age: 36, more: { deep: [1] } },
    });
    toWritten(await room.write(to({ put: "ada", data: { city: "Paris" } })));
    assert.deepEqual(await only(room, "ada"), { key: "ada", revision: 2, data: { city: "Paris" } });
    assert.deepEqual(await room.keys("people", { where: { age: { equals: null } } }), ["ada"]);
  },

  "a patch changes the fields that it names, one level deep": async (room) => {
    await room.engine.define(people);
    await room.put("people", { ada: { city: "London", age: 36, more: { a: 1, b: 2 } } });
    toWritten(
      await room.write(to({ patch: "ada", data: { age: null, city: undefined, more: { c: 3 }, added: true } })),
    );
    const data = { city: "London", age: null, more: { c: 3 }, added: true };
    assert.deepEqual(await only(room, "ada"), { key: "ada", revision: 2, data });
    assert.deepEqual(await room.keys("people", { where: { age: { equals: null }, city: { equals: "London" } } }), [
      "ada",
    ]);
  },

  "a document that is not there stays away when it is patched or removed": async (room) => {
    await room.engine.define(people);
    toWritten(await room.write(to({ patch: "ada", data: { age: 1 } }), to({ remove: "bob" })));
    assert.deepEqual(await room.find("people"), []);
  },

  "an increment adds to number fields, or starts from what it is given": async (room) => {
    await room.engine.define(people);
    const add = (by: object) => room.write(to({ increment: "ada", by, initial: { city: "London", age: 1 } }));
    toWritten(await add({ age: 35 }));
    toWritten(await add({ age: -0.5, visits: 2 }));
    toWritten(await add({ visits: 1 }));
    const data = { city: "London", age: 35.5, visits: 3 };
    assert.deepEqual(await only(room, "ada"), { key: "ada", revision: 3, data });
    assert.deepEqual(await room.keys("people", { where: { age: { from: 35.5, to: 35.5 } } }), ["ada"]);
  },

  "an increment that has nothing to start from needs its document, and says so": async (room) => {
    await room.engine.define(people);
    const add = to({ increment: "ada", by: { age: 1 }, initial: "There is no Ada." });
    const outcome = await room.append({ events: [toEvent("a/1")], documents: [add, add] });
    assert.deepEqual(outcome, { ok: false, why: "refused", message: "There is no Ada." });
    assert.deepEqual([await room.all(), await room.find("people")], [[], []]);
    await room.put("people", { ada: { city: "London", age: 36 } });
    toWritten(await room.write(add, add));
    assert.deepEqual((await only(room, "ada"))?.data, { city: "London", age: 38 });
    toWritten(await room.write(to({ remove: "ada" }), to({ put: "ada", data: { age: 1 } }), add));
    assert.deepEqual((await only(room, "ada"))?.data, { age: 2 });
  },

  "only numbers are incremented": async (room) => {
    await room.engine.define(people);
    await room.put("people", { ada: { city: "London", age: 36 } });
    const outcome = await room.append({
      events: [toEvent("a/1")],
      documents: [to({ increment: "ada", by: { age: 1, city: 1 }, initial: {} })],
    });
    assert.equal(toWord(outcome), "refused");
    assert.deepEqual(await only(room, "ada"), { key: "ada", revision: 1, data: { city: "London", age: 36 } });
    assert.deepEqual(await room.all(), []);
  },

  "a removed document is gone, and found no more": async (room) => {
    await room.engine.define(people);
    await room.put("people", { ada: { city: "London" }, bob: { city: "London" } });
    toWritten(await room.write(to({ remove: "ada" })));
    assert.deepEqual(await room.keys("people", { where: { city: { equals: "London" } } }), ["bob"]);
    toWritten(await room.write(to({ patch: "ada", data: { age: 1 } })));
    assert.equal(await only(room, "ada"), undefined);
    await room.put("people", { ada: { age: 2 } });
    assert.deepEqual((await only(room, "ada"))?.data, { age: 2 });
  },

  "the writes of one append happen in their order": async (room) => {
    await room.engine.define(people);
    const outcome = await room.write(
      to({ increment: "ada", by: { age: 1 }, initial: { age: 10 } }),
      to({ patch: "ada", data: { city: "London" } }),
      to({ increment: "ada", by: { age: 1 }, initial: { age: 100 } }),
      to({ put: "bob", data: { city: "Paris" } }),
      to({ remove: "bob" }),
      to({ patch: "bob", data: { city: "Rome" } }),
      to({ put: "cyd", data: { age: 1 } }),
      to({ put: "cyd", data: { city: "Oslo" } }),
    );
    toWritten(outcome);
    assert.deepEqual(await room.find("people"), [
      { key: "ada", revision: 3, data: { age: 12, city: "London" } },
      { key: "cyd", revision: 2, data: { city: "Oslo" } },
    ]);
  },

  "a refused write takes its whole append back": async (room) => {
    await room.engine.define(people);
    await room.engine.define({ ...people, name: "others" });
    await room.put("people", { ada: { age: 1 }, bob: { age: 1 } });
    const outcome = await room.append({
      events: [toEvent("a/1")],
      documents: [
        to({ put: "ada", data: { age: 2 } }),
        to({ remove: "bob" }),
        { collection: "others", put: "cyd", data: {} },
        to({ put: "dan", data: { age: "old" } }),
      ],
    });
    assert.equal(toWord(outcome), "refused");
    assert.deepEqual(await room.find("people"), [
      { key: "ada", revision: 1, data: { age: 1 } },
      { key: "bob", revision: 1, data: { age: 1 } },
    ]);
    assert.deepEqual(await room.find("others"), []);
    assert.deepEqual(await room.all(), []);
  },

  "a column holds what it is declared to hold, and anything else is refused with a sentence": async (room) => {
    await room.engine.define(people);
    await room.put("people", { ada: { city: "x", age: 1 } });
    const right: object[] = [
      { city: "" },
      { city: null },
      { age: 1.5 },
      { age: -1e300 },
      { age: true },
      { age: null },
      {},
    ];
    const wrong: object[] = [
      { city: 7 },
      { city: true },
      { city: ["a"] },
      { city: {} },
      { age: "7" },
      { age: [1] },
      { age: {} },
    ];
    const tried = async (data: object, write: Write): Promise<void> => {
      const outcome: Outcome = await room.write(write);
      if (right.includes(data)) toWritten(outcome);
      else {
        assert.ok(!outcome.ok && outcome.why === "refused", `${JSON.stringify(write)} should be refused.`);
        assert.match(outcome.message, /city|age/);
      }
    };
    for (const data of [...right, ...wrong]) {
      await tried(data, to({ put: "bob", data }));
      await tried(data, to({ patch: "ada", data }));
      await tried(data, to({ increment: `new ${JSON.stringify(data)}`, by: { visits: 1 }, initial: data }));
    }
    const found = await room.find("people", { where: { age: { equals: 1 } } });
    assert.ok(found.some(({ data }) => (data as { age: unknown }).age === true));
  },

  "a boolean in a number column is found as 1 or 0, and stays a boolean": async (room) => {
    await room.engine.define(people);
    await room.put("people", { ada: { age: true }, bob: { age: false }, cyd: { age: 0 } });
    assert.deepEqual(await room.find("people", { where: { age: { equals: 1 } } }), [
      { key: "ada", revision: 1, data: { age: true } },
    ]);
    assert.deepEqual(await room.keys("people", { where: { age: { equals: 0 } } }), ["bob", "cyd"]);
  },

  "a document that nobody changed is not touched by what fails around it": async (room) => {
    await room.engine.define(people);
    await room.put("people", { ada: { age: 1 } });
    await room.append({
      expect: [{ stream: "a/1", revision: "exists" }],
      documents: [to({ put: "ada", data: { age: 2 } })],
    });
    assert.deepEqual(await only(room, "ada"), { key: "ada", revision: 1, data: { age: 1 } });
  },

  "increments that come at once all count": async (room) => {
    await room.engine.define(people);
    await Promise.all(
      toRange(100).map((n) => room.write(to({ increment: `p${n % 3}`, by: { age: 1 }, initial: { age: 0 } }))),
    );
    const counted = (await room.find("people")).map(({ data, revision }) => [(data as { age: number }).age, revision]);
    assert.deepEqual(counted, [
      [34, 34],
      [33, 33],
      [33, 33],
    ]);
  },

  "documents are there after the engine was opened again": async (room) => {
    await room.engine.define(people);
    await room.put("people", { ada: { city: "London", age: 36 } });
    await room.reopen();
    await room.engine.define(people);
    toWritten(await room.write(to({ increment: "ada", by: { age: 1 }, initial: {} })));
    assert.deepEqual(await room.find("people"), [{ key: "ada", revision: 2, data: { city: "London", age: 37 } }]);
  },

  "what was given is fixed when it was asked for, whatever its owner does with it": async (room) => {
    await room.engine.define(people);
    const data = { city: "London", tags: ["a"] };
    const asked = room.write(to({ put: "ada", data }));
    data.city = "Paris";
    data.tags.push("b");
    toWritten(await asked);
    assert.deepEqual((await only(room, "ada"))?.data, { city: "London", tags: ["a"] });
  },
};
