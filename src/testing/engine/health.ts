import assert from "node:assert/strict";
import { Fault } from "../../contracts/index.ts";
import { alone, type Cases, people, soon, toAppend, toEvent, toRange, toReceipt, toWritten } from "./room.ts";

/** What an operator asks, and how an engine ends. */
export const health: Cases = {
  "the status says what it is, where its logs are and how large it is": alone(async (room) => {
    const { epoch } = await room.engine.head("main");
    await room.say("a/1", "a/1");
    toWritten(await room.append({ events: [toEvent("a/1")] }, "runs"));
    const { engine, exclusive, logs, bytes, queued, appendMs, replicas } = await room.engine.status();
    assert.match(engine, /^[a-z]+ \d/);
    assert.equal(typeof exclusive, "boolean");
    assert.deepEqual({ ...logs.main }, { epoch, position: 2 });
    assert.equal(logs.runs?.position, 1);
    assert.ok(bytes > 0);
    assert.equal(queued, 0);
    assert.ok(appendMs.p50 >= 0 && appendMs.p99 >= appendMs.p50, JSON.stringify(appendMs));
    for (const replica of replicas) assert.equal(typeof replica.behindBytes, "number");
  }),

  "the status of a new engine can be asked for": alone(async (room) => {
    const { logs, queued, appendMs } = await room.engine.status();
    assert.equal(
      Object.values(logs).every(({ position }) => position === 0),
      true,
    );
    assert.deepEqual([queued, Number.isFinite(appendMs.p50), Number.isFinite(appendMs.p99)], [0, true, true]);
  }),

  "a sound engine is found to be sound": alone(async (room) => {
    await room.engine.define(people);
    await room.append({
      events: toRange(300).map((n) => toEvent(`s/${n % 7}`)),
      documents: toRange(50).map((n) => ({
        collection: "people",
        put: `p${n}`,
        data: { city: n % 2 ? "x" : null, age: n },
      })),
      receipt: toReceipt("key"),
      readers: ["reader"],
    });
    await room.write(
      { collection: "people", remove: "p7" },
      { collection: "people", patch: "p8", data: { age: null } },
    );
    assert.deepEqual(await room.engine.check(), []);
    await room.reopen();
    assert.deepEqual(await room.engine.check(), []);
  }),

  "what was asked for before closing is done, and is there when it is opened again": alone(async (room) => {
    const asked = Promise.all(toRange(200).map((n) => room.append({ events: [toEvent(`s/${n % 5}`)] })));
    await room.reopen();
    for (const outcome of await asked) toWritten(outcome);
    assert.deepEqual(
      (await room.all()).map(({ position }) => position),
      toRange(200, 1),
    );
  }),

  "closing twice is closing once": alone(async (room) => {
    await Promise.all([room.engine.close(), room.engine.close()]);
    await room.engine.close();
  }),

  "after it was closed an engine does nothing, and says so": alone(async (room) => {
    await room.engine.define(people);
    await room.say("a/1");
    const { engine } = room;
    await engine.close();
    const checkpoint = { log: "main", reader: "r", epoch: 1, from: 0, position: 1 };
    const uses: (() => Promise<unknown>)[] = [
      () => engine.append("main", [toAppend({ events: [toEvent("a/1")] })]),
      () => engine.read("main", { after: 0, limit: 1 }),
      () => engine.read("main", { stream: "a/1", from: 0, limit: 1 }),
      () => engine.types("main"),
      () => engine.revision("main", "a/1"),
      () => engine.find("people", { limit: 1 }),
      () => engine.receipt("main", "key"),
      () => engine.commit(checkpoint, []),
      () => engine.checkpoint("main", "r"),
      () => engine.head("main"),
      () => engine.watch("main", 5, new AbortController().signal),
      () => engine.sweep("main", 0, 1),
      () => engine.claim("people", { limit: 1 }, {}),
      () => engine.collections(),
      () => engine.drop({ collection: "people" }),
      () => engine.status(),
      () => engine.check(),
      () => engine.define({ ...people, name: "others" }),
    ];
    for (const use of uses) {
      await assert.rejects(soon(use(), `It answers: ${use}`), (error: unknown) => {
        assert.ok(error instanceof Fault, `${use} should fail with a Fault, and failed with ${error}`);
        assert.deepEqual([error.code, error.outcome], ["Unavailable", "not done"], String(use));
        return true;
      });
    }
    await room.reopen();
    assert.equal((await room.all()).length, 1);
  }),
};
