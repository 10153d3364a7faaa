import assert from "node:assert/strict";
import type { NewReceipt } from "../../storage/host.ts";
import { type Cases, people, toAppend, toEvent, toRange, toReceipt, toWord, toWritten } from "./room.ts";

const hour = 3_600_000;

/** One key, one effect. */
export const receipts: Cases = {
  "a receipt answers for its key, and nothing is done again": async (room) => {
    await room.engine.define(people);
    const append = {
      events: [toEvent("a/1")],
      documents: [{ collection: "people", increment: "ada", by: { age: 1 }, initial: {} }],
      receipt: toReceipt("key", { result: '{"n":1}' }),
    };
    toWritten(await room.append(append));
    const again = { ok: true, again: { key: "key", digest: "digest", result: '{"n":1}', voided: false } };
    assert.deepEqual(await room.append(append), again);
    assert.deepEqual(await room.append({ ...append, receipt: toReceipt("key", { result: '"other"' }) }), again);
    assert.equal(await room.engine.revision("main", "a/1"), 0);
    assert.deepEqual(await room.find("people"), [{ key: "ada", revision: 1, data: { age: 1 } }]);
  },

  "a receipt is known to those who ask, and an unknown key is not": async (room) => {
    await room.append({ receipt: toReceipt("with", { result: "null" }) });
    await room.append({ receipt: toReceipt("without") });
    const known = { key: "with", digest: "digest", result: "null", voided: false };
    assert.deepEqual(await room.engine.receipt("main", "with"), known);
    assert.deepEqual(await room.engine.receipt("main", "without"), { key: "without", digest: "digest", voided: false });
    assert.equal(await room.engine.receipt("main", "wit"), undefined);
    assert.equal(await room.engine.receipt("never-written", "with"), undefined);
  },

  "a result comes back to the character": async (room) => {
    const result = ' { "b" : "\\u0000 é 𝒳 \u2028", "a" : 1.0 } ';
    await room.append({ receipt: toReceipt("key", { result }) });
    assert.equal((await room.engine.receipt("main", "key"))?.result, result);
  },

  "a receipt answers before the revisions are looked at": async (room) => {
    const append = {
      expect: [{ stream: "a/1", revision: "none" as const }],
      events: [toEvent("a/1")],
      receipt: toReceipt("key"),
    };
    toWritten(await room.append(append));
    assert.equal(toWord(await room.append(append)), "again");
  },

  "the same key with another digest is refused": async (room) => {
    await room.append({ receipt: toReceipt("key") });
    const outcome = await room.append({ events: [toEvent("a/1")], receipt: toReceipt("key", { digest: "other" }) });
    assert.deepEqual(outcome, { ok: false, why: "key reused", key: "key" });
    assert.equal(await room.engine.revision("main", "a/1"), -1);
  },

  "a voided key is refused for good, whatever is asked under it": async (room) => {
    toWritten(await room.append({ receipt: toReceipt("key", { digest: "", voided: true }) }));
    for (const digest of ["", "digest"]) {
      const outcome = await room.append({ events: [toEvent("a/1")], receipt: toReceipt("key", { digest }) });
      assert.deepEqual(outcome, { ok: false, why: "voided", key: "key" });
    }
    assert.equal(await room.engine.revision("main", "a/1"), -1);
    assert.equal((await room.engine.receipt("main", "key"))?.voided, true);
  },

  "voiding a key that is known says what is known of it": async (room) => {
    const voiding = (key: string) => room.append({ receipt: toReceipt(key, { digest: "", voided: true }) });
    await room.append({ events: [toEvent("a/1")], receipt: toReceipt("done", { result: "1" }) });
    const done = { key: "done", digest: "digest", result: "1", voided: false };
    assert.deepEqual(await voiding("done"), { ok: true, again: done });
    assert.deepEqual(await room.engine.receipt("main", "done"), done);
    toWritten(await voiding("never"));
    assert.deepEqual(await voiding("never"), { ok: true, again: { key: "never", digest: "", voided: true } });
  },

  "doing and voiding at once end in one of the two": async (room) => {
    for (const round of toRange(10)) {
      const [done, voided] = await Promise.all([
        room.append({ events: [toEvent(`a/${round}`)], receipt: toReceipt(`key ${round}`) }),
        room.append({ receipt: toReceipt(`key ${round}`, { digest: "", voided: true }) }),
      ]);
      const took = done.ok;
      assert.deepEqual([toWord(done), toWord(voided)], took ? ["written", "again"] : ["voided", "written"]);
      assert.equal(await room.engine.revision("main", `a/${round}`), took ? 0 : -1);
    }
  },

  "of many with the same key at once one takes effect, and all hear the same": async (room) => {
    const outcomes = await Promise.all(
      toRange(30).map((index) =>
        room.append({ events: [toEvent("a/1")], receipt: toReceipt("key", { result: `${index}` }) }),
      ),
    );
    assert.equal(outcomes.filter((outcome) => toWord(outcome) === "written").length, 1);
    const kept = await room.engine.receipt("main", "key");
    for (const outcome of outcomes) if (outcome.ok && "again" in outcome) assert.deepEqual(outcome.again, kept);
    assert.equal((await room.all()).length, 1);
  },

  "an append that is not done leaves no receipt": async (room) => {
    await room.append({ expect: [{ stream: "a/1", revision: "exists" }], receipt: toReceipt("conflict") });
    await room.append({ documents: [{ collection: "nowhere", remove: "x" }], receipt: toReceipt("refused") });
    assert.equal(await room.engine.receipt("main", "conflict"), undefined);
    assert.equal(await room.engine.receipt("main", "refused"), undefined);
    toWritten(await room.append({ events: [toEvent("a/1")], receipt: toReceipt("conflict") }));
  },

  "receipts are there after the engine was opened again": async (room) => {
    const done = { events: [toEvent("a/1")], receipt: toReceipt("done", { result: "1" }) };
    await room.append(done);
    await room.append({ receipt: toReceipt("voided", { voided: true }) });
    await room.reopen();
    assert.deepEqual(await room.append(done), {
      ok: true,
      again: { key: "done", digest: "digest", result: "1", voided: false },
    });
    assert.equal(toWord(await room.append({ receipt: toReceipt("done", { digest: "other" }) })), "key reused");
    assert.equal(toWord(await room.append({ receipt: toReceipt("voided") })), "voided");
    assert.equal(await room.engine.revision("main", "a/1"), 0);
  },

  "receipts that have expired are swept, and their keys may be used again": async (room) => {
    const now = room.clock.now();
    const keep = (key: string, more: Partial<NewReceipt> = {}) => room.append({ receipt: toReceipt(key, more) });
    await keep("soon", { expires: now + hour });
    await keep("later", { expires: now + 3 * hour });
    await keep("never");
    await keep("voided", { expires: now + hour, voided: true });
    assert.equal(await room.engine.sweep("main", now, 100), 0);
    assert.equal(await room.engine.sweep("main", now + 2 * hour, 100), 1);
    assert.equal(await room.engine.receipt("main", "soon"), undefined);
    assert.equal((await room.engine.receipt("main", "later"))?.key, "later");
    assert.equal(await room.engine.sweep("main", now + 1_000_000 * hour, 100), 1);
    assert.equal((await room.engine.receipt("main", "never"))?.key, "never");
    assert.equal((await room.engine.receipt("main", "voided"))?.voided, true);
    toWritten(await keep("soon", { digest: "other" }));
    assert.equal(toWord(await keep("voided")), "voided");
  },

  "a sweep takes no more than it may, and only from its own log": async (room) => {
    const expires = room.clock.now() + hour;
    const group = toRange(25).map((index) => toAppend({ receipt: toReceipt(`${index}`, { expires }) }));
    await room.engine.append("main", group);
    await room.append({ receipt: toReceipt("elsewhere", { expires }) }, "runs");
    const swept = [];
    for (const _ of toRange(4)) swept.push(await room.engine.sweep("main", expires + 1, 10));
    assert.deepEqual(swept, [10, 10, 5, 0]);
    assert.equal((await room.engine.receipt("runs", "elsewhere"))?.key, "elsewhere");
    assert.equal(await room.engine.sweep("never-written", expires + 1, 10), 0);
  },

  "keys are told apart to the byte, and may be long": async (room) => {
    const keys = [
      "k",
      "K",
      "k ",
      "é",
      "e\u0301",
      "key%",
      "ke_",
      "'; drop table receipt; --",
      `${"€".repeat(500)}a`,
      `${"€".repeat(500)}b`,
    ];
    for (const key of keys) toWritten(await room.append({ receipt: toReceipt(key, { result: JSON.stringify(key) }) }));
    for (const key of keys) assert.equal((await room.engine.receipt("main", key))?.result, JSON.stringify(key));
  },
};
