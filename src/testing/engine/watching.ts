import assert from "node:assert/strict";
import { alone, type Cases, follow, soon, toEvent, toRange, toReceipt, toWritten } from "./room.ts";

/** Watching: who waits for a log to grow hears of it. */
export const watching: Cases = {
  "a watch wakes when something is appended": async (room) => {
    for (const after of toRange(5)) {
      const woken = room.watch("main", after);
      await room.say("a/1");
      await soon(woken, "Who watches hears of an append");
    }
  },

  "a watch for what is there already ends at once": async (room) => {
    await room.say("a/1", "a/1");
    for (const after of [0, 1]) await soon(room.watch("main", after), "What is there is seen");
  },

  "what is appended between a look and the watch is not missed": async (room) => {
    for (const round of toRange(30)) {
      const { position } = await room.engine.head("main");
      const appended = room.append({ events: [toEvent("a/1")] });
      if (round % 2) await appended;
      await soon(room.watch("main", position), "What comes in between is seen");
      await appended;
    }
  },

  "a log may be watched before anybody has written to it": async (room) => {
    const woken = room.watch("new-log", 0);
    toWritten(await room.append({ events: [toEvent("a/1")] }, "new-log"));
    await soon(woken, "Who watches a new log hears of its first event");
  },

  "many may watch, each from where it is, and all are woken": async (room) => {
    await room.say("a/1");
    const woken = toRange(200).map((n) => room.watch("main", n % 3));
    await room.say("a/1", "a/1");
    await soon(Promise.all(woken), "All who watch hear of it");
  },

  "a watch ends with the reason when it is given up, and so does one that was given up before it began": async (
    room,
  ) => {
    const control = new AbortController();
    const given = [room.watch("main", 0, control.signal), room.watch("never-written", 3, control.signal)];
    const reason = new Error("enough");
    control.abort(reason);
    for (const watch of given) await assert.rejects(soon(watch, "A watch that is given up ends"), reason);
    await assert.rejects(soon(room.watch("main", 0, AbortSignal.abort(reason)), "It never begins"), reason);
    await room.say("a/1");
  },

  "a reader that watches where nothing is left gets to the end of what others write": async (room) => {
    const total = 150;
    const writing = (async () => {
      for (const n of toRange(total)) {
        await room.append({ events: [toEvent(`s/${n % 5}`)] });
        if (n % 10 === 0) await room.append({ receipt: toReceipt(`key ${n}`) });
      }
    })();
    const seen = await follow(room.engine, { total, limit: 20, watching: true });
    await writing;
    assert.deepEqual(seen, toRange(total, 1));
  },

  "nobody is left watching when the engine closes": alone(async (room) => {
    const watching = room.watch("main", 0).then(
      () => "woken",
      () => "ended",
    );
    await room.engine.close();
    await soon(watching, "A watch ends when the engine closes");
  }),
};
