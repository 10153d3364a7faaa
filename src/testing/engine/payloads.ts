import assert from "node:assert/strict";
import { type Cases, people, toAppend, toEvent, toReceipt, toWritten } from "./room.ts";

const odd: readonly string[] = [
  "plain",
  "\u0000 and \u0001",
  "é, and e\u0301",
  "𝒳 😀 \u{10ffff}",
  "\u2028\u2029\ufeff\uffff",
  "\\u0000",
  `"'\`;--%_\\ \t\r\n`,
  "'; drop table event; --",
  "$1 ? :a @b {}",
  "مرحبا 你好 ไทย",
];
const texts: readonly string[] = [
  '{"b":1,"a":2,"10":3,"9":4}',
  '{"a":1,"a":2}',
  ' {\n\t"spaced" : [ ] } ',
  "1.0",
  "1e400",
  "12345678901234567890.123456789",
  "-0",
  "null",
  '""',
  '"\\ud800 half of a pair"',
  '"\\u0000\\u001f"',
  '{"__proto__":{"x":1},"constructor":null}',
  ...odd.map((text) => JSON.stringify(text)),
];

/** Bytes come back as they went in. */
export const payloads: Cases = {
  "data and meta come back to the character, and nothing is read into them": async (room) => {
    const events = texts.map((text, index) =>
      toEvent("a/1", { data: text, meta: texts[texts.length - 1 - index] ?? "" }),
    );
    toWritten(await room.append({ events }));
    await room.reopen();
    for (const read of [await room.stream("a/1"), await room.all()]) {
      assert.deepEqual(
        read.map(({ data }) => data),
        texts,
      );
      assert.deepEqual(
        read.map(({ meta }) => meta),
        texts.toReversed(),
      );
    }
  },

  "an event without meta has none": async (room) => {
    await room.append({ events: [toEvent("a/1"), toEvent("a/1", { meta: "null" })] });
    const [without, withNull] = await room.stream("a/1");
    assert.equal(without?.meta, undefined);
    assert.equal(withNull?.meta, "null");
  },

  "an event of a mebibyte comes back whole, and so does one of many bytes a character": async (room) => {
    const large = [JSON.stringify("x".repeat(1_048_574)), JSON.stringify("€".repeat(349_524))];
    toWritten(await room.append({ events: large.map((data) => toEvent("a/1", { data, meta: data })) }));
    const read = await room.stream("a/1");
    assert.ok(read.every(({ data, meta }, index) => data === large[index] && meta === large[index]));
  },

  "an append of ten mebibytes is one append": async (room) => {
    const data = JSON.stringify("y".repeat(262_142));
    toWritten(await room.append({ events: Array.from({ length: 40 }, (_, n) => toEvent(`s/${n}`, { data })) }));
    const read = await room.all({ limit: 1_000 });
    assert.deepEqual([read.length, read.every((event) => event.data === data)], [40, true]);
  },

  "names of streams and types are kept to the byte, and are never taken for anything else": async (room) => {
    const names = [
      ...odd.filter((text) => !text.includes("\u0000")),
      "plain ",
      "Plain",
      "x".repeat(300),
      `${"x".repeat(300)}y`,
    ];
    const events = names.map((name) => toEvent(`s/${name}`, { type: `t.${name}`, data: JSON.stringify(name) }));
    toWritten(await room.append({ events }));
    await room.reopen();
    for (const [index, name] of names.entries()) {
      const stream = `s/${name}`;
      const [event, ...others] = await room.stream(stream);
      assert.deepEqual(others, []);
      assert.deepEqual([event?.stream, event?.type, event?.position], [stream, `t.${name}`, index + 1]);
      assert.equal(await room.engine.revision("main", stream), 0);
      assert.deepEqual((await room.all({ types: [`t.${name}`] })).length, 1);
    }
    assert.equal((await room.all({ categories: ["s"] })).length, names.length);
  },

  "a stream's name may have 512 bytes": async (room) => {
    const names = ["a", "b"].map((last) => `s/${"€".repeat(169)}xx${last}`);
    assert.equal(Buffer.byteLength(names[0] ?? ""), 512);
    await room.say(...names, ...names);
    for (const name of names) assert.equal(await room.engine.revision("main", name), 1);
  },

  "documents keep any text, in keys, fields and columns": async (room) => {
    await room.engine.define(people);
    const keys = odd.filter((text) => !text.includes("\u0000"));
    for (const key of keys)
      await room.put("people", { [key]: { city: key, note: { [key]: [key, "\u0000", null, 1.5, true] } } });
    await room.reopen();
    await room.engine.define(people);
    for (const key of keys) {
      const document = { key, revision: 1, data: { city: key, note: { [key]: [key, "\u0000", null, 1.5, true] } } };
      assert.deepEqual(await room.find("people", { key }), [document]);
      assert.deepEqual(await room.find("people", { where: { city: { equals: key } } }), [document]);
      assert.deepEqual(await room.find("people", { where: { city: { in: [key] } } }), [document]);
    }
    assert.deepEqual((await room.keys("people", { where: { city: { in: keys } } })).length, keys.length);
  },

  "a null byte in a column is kept or refused, and costs its neighbours nothing": async (room) => {
    await room.engine.define(people);
    const put = (key: string, city: string) => ({ documents: [{ collection: "people", put: key, data: { city } }] });
    const [before, odd, after] = await room.engine.append("main", [
      toAppend({ events: [toEvent("a/1")], ...put("ada", "London") }),
      toAppend({ events: [toEvent("a/1")], ...put("bob", "a\u0000b") }),
      toAppend({ events: [toEvent("a/1")], ...put("cyd", "Rome"), receipt: toReceipt("key") }),
    ]);
    toWritten(before);
    toWritten(after);
    assert.ok(odd?.ok || odd?.why === "refused");
    const found = await room.find("people", { where: { city: { equals: "a\u0000b" } } });
    assert.deepEqual(found, odd.ok ? [{ key: "bob", revision: 1, data: { city: "a\u0000b" } }] : []);
  },

  "a document may be large, and a column's text a thousand bytes": async (room) => {
    await room.engine.define(people);
    const unlike = (length: number, seed: number): string =>
      Array.from({ length }, (_, n) => String.fromCharCode(97 + ((n * n * 31 + n * seed) % 26))).join("");
    const city = unlike(1_000, 7);
    const other = `${city.slice(0, -1)}!`;
    const text = unlike(1_000_000, 3);
    await room.put("people", { ada: { city, text }, bob: { city: other } });
    assert.deepEqual(await room.find("people", { key: "ada" }), [{ key: "ada", revision: 1, data: { city, text } }]);
    assert.deepEqual(await room.keys("people", { where: { city: { equals: other } } }), ["bob"]);
    assert.deepEqual(await room.keys("people", { orderBy: { column: "city", descending: false }, limit: 1 }), [
      "bob",
      "ada",
    ]);
  },
};
