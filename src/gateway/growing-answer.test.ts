import { once } from "node:events";
import { connect } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Failed, Fault, failure } from "../contracts/index.ts";
import { toAnswer, toEvents } from "./apply-patch.test-d.ts";
import { wantsEvents } from "./growing-answer.ts";
import { type Handler, type Started, startGateway } from "./start-gateway.test-d.ts";

let started: Started | undefined;
afterEach(async () => {
  vi.useRealTimers();
  await started?.stop();
  started = undefined;
});
const start = async (handler: Handler): Promise<Started> => {
  started = await startGateway(handler);
  return started;
};
const accept = { headers: { accept: "text/event-stream" } };
const whole = { shelf: "A", count: 2, weight: 1.5 };

describe("an answer that grows", () => {
  test("is what there is, patches to it, and its provenance in the end", async () => {
    const { get } = await start(async (_operation, _input, { onPart }) => {
      onPart?.({ wire: { shelf: "A" }, pending: ["scales", "counter"] });
      await nextTurn();
      await nextTurn();
      onPart?.({ wire: { shelf: "A", count: 1 }, pending: ["scales"] });
      await nextTurn();
      await nextTurn();
      return { wire: whole, value: whole, meta: { sources: {} } };
    });
    const answer = await get("/shelf", accept);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const events = toEvents(await answer.text());
    expect(events[0]).toEqual({ event: "answer", data: { data: { shelf: "A" }, pending: ["scales", "counter"] } });
    expect(events.slice(1, -1).every(({ event }) => event === "patch")).toBe(true);
    expect(events.at(-1)).toEqual({ event: "complete", data: { meta: { sources: {} } } });
    expect(toAnswer(events)).toEqual(whole);
  });

  test("that is whole at once is one answer and its end", async () => {
    const { get } = await start(async () => ({ wire: whole, value: whole }));
    const events = toEvents(await (await get("/shelf", accept)).text());
    expect(events).toEqual([
      { event: "answer", data: { data: whole, pending: [] } },
      { event: "complete", data: { meta: null } },
    ]);
  });

  test("is in the end what it is without events, whatever there was on the way and however it was timed", async () => {
    const optional = { weight: fc.option(fc.double({ noNaN: true }), { nil: undefined }), heavy: fc.boolean() };
    const parts = fc.record(
      { shelf: fc.string(), count: fc.integer(), ...optional },
      { requiredKeys: ["shelf", "count"] },
    );
    let script: readonly { readonly wire: unknown; readonly turns: number }[] = [];
    const { get } = await start(async (_operation, _input, { onPart }) => {
      for (const { wire, turns } of script) {
        onPart?.({ wire, pending: [] });
        for (let turn = 0; turn < turns; turn++) await nextTurn();
      }
      const { wire } = script.at(-1) ?? {};
      return { wire, value: wire };
    });
    const timed = fc.array(fc.record({ wire: parts, turns: fc.nat(3) }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(timed, async (generated) => {
        script = JSON.parse(JSON.stringify(generated));
        const events = toEvents(await (await get("/shelf", accept)).text());
        expect(toAnswer(events)).toEqual(await (await get("/shelf")).json());
      }),
      { numRuns: 60 },
    );
  });

  test("holds only the fields that are wanted", async () => {
    const { get, calls } = await start(async (_operation, _input, { onPart }) => {
      onPart?.({ wire: { shelf: "A", count: 1 }, pending: ["x"] });
      return { wire: whole, value: whole };
    });
    const events = toEvents(await (await get("/shelf?fields=shelf,weight", accept)).text());
    expect(toAnswer(events)).toEqual({ shelf: "A", weight: 1.5 });
    expect(calls[0]?.call.fields).toEqual({ shelf: {}, weight: {} });
  });

  test("holds nothing that the contract does not declare", async () => {
    const { get } = await start(async (_operation, _input, { onPart }) => {
      onPart?.({ wire: { shelf: "A", secret: 1 }, pending: ["x"] });
      await nextTurn();
      return { wire: { ...whole, secret: 2 }, value: whole };
    });
    expect(await (await get("/shelf", accept)).text()).not.toContain("secret");
  });
});

describe("a failure", () => {
  test("before anything was told has its status and a problem document", async () => {
    const { get } = await start(async () => {
      throw new Fault("Unavailable", "Nobody is there.");
    });
    const answer = await get("/shelf", accept);
    expect(answer.status).toBe(503);
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
    expect(await answer.json()).toMatchObject({ code: "Unavailable" });
  });

  test("after that is an event with a problem document", async () => {
    const { get, logged } = await start(async (_operation, _input, { onPart }) => {
      onPart?.({ wire: { shelf: "A", count: 1 }, pending: ["x"] });
      await nextTurn();
      await nextTurn();
      throw new Failed("other.op", "Gone", failure(410, "It is gone."));
    });
    const events = toEvents(await (await get("/shelf", accept)).text());
    expect(events.map(({ event }) => event)).toEqual(["answer", "problem"]);
    expect(events[1]?.data).toMatchObject({ code: "Internal", status: 500, trace: expect.any(String) });
    await expect.poll(() => logged.some(({ code }) => code === "Internal")).toBe(true);
  });
});

test("a listener that goes away calls off the work, before its first event and after", async () => {
  for (const tells of [false, true]) {
    const gone = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const { url } = await start((_operation, _input, { onPart, aborted }) => {
      if (tells) onPart?.({ wire: { shelf: "A", count: 1 }, pending: ["x"] });
      begun.resolve();
      return new Promise((_, reject) => {
        aborted.addEventListener("abort", () => {
          gone.resolve();
          reject(aborted.reason);
        });
      });
    });
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.write("GET /shelf HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\n\r\n");
    await begun.promise;
    if (tells) await once(socket, "data");
    socket.destroy();
    await gone.promise;
    await started?.stop();
    started = undefined;
  }
});

test("a listener that sleeps costs the memory of one answer, and hears one patch when it wakes", async () => {
  const parts = 2_000;
  const filler = "x".repeat(20_000);
  const done = Promise.withResolvers<void>();
  const { url } = await start(async (_operation, _input, { onPart }) => {
    for (let count = 0; count < parts; count++) {
      onPart?.({ wire: { shelf: `${filler}${count}`, count }, pending: ["x"] });
      await nextTurn();
    }
    done.resolve();
    const last = { shelf: `${filler}end`, count: parts };
    return { wire: last, value: last };
  });
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.pause();
  socket.write("GET /shelf HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\nconnection: close\r\n\r\n");
  await done.promise;
  let text = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  socket.resume();
  await once(socket, "close");
  // What the kernel and the stream had taken before they were full was written; the rest became one patch.
  expect(text.split("event: patch").length).toBeLessThan(parts / 2);
  expect(text).toContain(`${filler}end`);
  expect(text).toContain("event: complete");
});

test("a listener who waits long is told that somebody is still there", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const end = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const { url } = await start(async () => {
    asked.resolve();
    await end.promise;
    return { wire: whole, value: whole };
  });
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.write("GET /shelf HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\nconnection: close\r\n\r\n");
  let text = "";
  socket.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  await asked.promise;
  await vi.advanceTimersByTimeAsync(15_000);
  await vi.advanceTimersByTimeAsync(15_000);
  vi.useRealTimers();
  await expect.poll(() => text).toContain(": still here");
  end.resolve();
  await once(socket, "close");
  expect(text).toContain("event: complete");
});

test.each([
  ["text/event-stream", true],
  ["application/json, text/event-stream", true],
  ["text/event-stream;q=0.5, application/json", false],
  ["text/event-stream;q=0", false],
  ["*/*", false],
  [undefined, false],
])("whoever accepts %s gets events: %s", (accepted, expected) => expect(wantsEvents(accepted)).toBe(expected));
