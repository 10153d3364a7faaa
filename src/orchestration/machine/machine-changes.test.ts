import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type Call, command, contract, signal, silent, silentTracing } from "../../contracts/index.ts";
import { virtualClock } from "../../testing/index.ts";
import { memoryJournal } from "../../testing/memory-journal.ts";
import { type Machine, machine } from "../index.ts";
import { Runner } from "../node/runner.ts";

const Lamps = contract("lamps", "1.0.0", {
  light: command({
    input: z.object({}),
    signals: { push: signal(z.object({})), smash: signal(z.object({})) },
    progress: z.object({ state: z.unknown(), context: z.unknown() }),
  }),
});
const lamp = (states: object, version = 1, more: object = {}): Machine =>
  machine(Lamps.light, { version, context: () => ({ pushed: 0 }), initial: "off", states, ...more } as never); // as much as changes

const onOff = { off: { on: { push: "on" } }, on: { on: { push: "off" } } };

/** One run over several deployments. */
async function house() {
  const journal = memoryJournal();
  const clock = virtualClock();
  const dispatch = {
    call: () => Promise.reject(new Error("Nothing is called.")),
    void: async () => ({ took: false }) as const,
  };
  let nodes = 0;
  let runner: Runner | undefined;
  let run = "";
  const caller: Call = {
    principal: { id: "ann", kind: "key", scopes: [] },
    ...{ trace: silent, aborted: new AbortController().signal, key: "k", detached: true },
  };
  return {
    async deploy(...machines: readonly Machine[]) {
      await runner?.drain(0);
      runner = new Runner(machines, { journal, clock, dispatch, tracing: silentTracing, node: `node-${++nodes}` });
      await runner.start();
      await clock.advance(0);
    },
    async begin() {
      const reply = await runner?.providers[0]?.handle({}, caller, {});
      run = reply?.run ?? "";
      await clock.advance(0);
    },
    async push(name = "push") {
      await runner?.signal(run, name, {}, { id: "ann" });
      await clock.advance(0);
    },
    async pass(ms: number) {
      await clock.advance(ms);
    },
    async resume() {
      await runner?.resume(run);
      await clock.advance(0);
    },
    get state() {
      return (
        journal.entries(run).findLast(({ type }) => type === "Progress") as { value: { state: unknown } } | undefined
      )?.value.state;
    },
    get row() {
      return journal.rows()[0];
    },
  };
}

describe("a machine that is changed while it lives", () => {
  test("takes new events, new states and new timers where it has not been without ceremony", async () => {
    const one = await house();
    await one.deploy(lamp(onOff));
    await one.begin();
    await one.deploy(lamp({ ...onOff, off: { on: { push: "on", smash: "broken" } }, broken: {} }));
    await one.push("smash");
    expect(one.state).toBe("broken");
  });

  test("is paused where it would be elsewhere by its past, with both states, and goes on with the code that it knew", async () => {
    const one = await house();
    await one.deploy(lamp(onOff));
    await one.begin();
    await one.push();
    expect(one.state).toBe("on");
    await one.deploy(lamp({ off: { on: { push: "dim" } }, dim: { on: { push: "on" } }, on: { on: { push: "off" } } }));
    await one.push();
    expect(one.row).toMatchObject({ state: "paused", reason: expect.stringMatching(/"in on"[\s\S]*"in dim"/) });
    await one.deploy(lamp(onOff));
    await one.resume();
    expect([one.state, one.row?.state]).toEqual(["off", "waiting"]);
  });

  test("moves to the newest version with its next event, and takes its state along", async () => {
    const one = await house();
    await one.deploy(lamp(onOff));
    await one.begin();
    const second = lamp({ ...onOff, on: { on: { push: "bright" } }, bright: { on: { push: "off" } } }, 2);
    await one.deploy(lamp(onOff), second);
    await one.push();
    expect([one.state, one.row?.workflow]).toEqual(["on", "lamps.light@2"]);
    await one.deploy(second);
    await one.push();
    expect(one.state).toBe("bright");
  });

  test("is paused where the newer version has no such state, and goes on once that says what it is now", async () => {
    const one = await house();
    await one.deploy(lamp(onOff));
    await one.begin();
    const glow = { off: { on: { push: "glowing" } }, glowing: { on: { push: "off" } } };
    await one.deploy(lamp(onOff), lamp(glow, 2));
    await one.push();
    expect(one.row?.state).toBe("paused");
    expect(one.row?.reason).toContain('It is in the state "on", which version 2 does not have.');
    const migrate = {
      1: ({ state, context }: { state: unknown; context: object }) => ({
        state: state === "on" ? "glowing" : state,
        context: { ...context, colour: "red" },
      }),
    };
    await one.deploy(lamp(glow, 2, { migrate }));
    await one.resume();
    expect(one.state).toBe("glowing");
    await one.push();
    expect(one.state).toBe("off");
  });

  test("migrates from version to version, and keeps the timers that go on", async () => {
    const one = await house();
    const timed = { off: { on: { push: "on" }, after: { "1 hour": "off" } }, on: { after: { "1 hour": "off" } } };
    await one.deploy(lamp(timed));
    await one.begin();
    await one.pass(1_800_000);
    const named = (version: number, migrate: object) =>
      lamp(
        { off: {}, on: { after: { "1 hour": "off", "2 hours": "off" }, on: { smash: "off" } }, third: {} },
        version,
        { migrate },
      );
    const to =
      (context: object) =>
      ({ state, context: was }: { state: unknown; context: object }) => ({ state, context: { ...was, ...context } });
    await one.deploy(lamp(timed), named(3, { 1: to({ second: true }), 2: to({ third: true }) }));
    await one.push(); // on, since now
    expect([one.state, one.row?.workflow]).toEqual(["on", "lamps.light@3"]);
    await one.pass(3_599_000);
    expect(one.state).toBe("on");
    await one.pass(1_000);
    expect(one.state).toBe("off");
  });

  test("is paused by a guard that throws, and nothing is undone", async () => {
    const one = await house();
    const guarded = (guard: () => boolean) =>
      lamp({ off: { on: { push: { guard: "may", target: "on" } } }, on: {} }, 1, { guards: { may: guard } });
    await one.deploy(
      guarded(() => {
        throw new Error("Who may?");
      }),
    );
    await one.begin();
    await one.push();
    expect(one.row).toMatchObject({ state: "paused", reason: expect.stringContaining("Who may?") });
    await one.deploy(guarded(() => true));
    await one.resume();
    expect(one.state).toBe("on");
  });

  test("that turns in a circle is stopped, and says so", async () => {
    const one = await house();
    const circle = { off: { do: "again", onDone: "on" }, on: { do: "again", onDone: "off" } };
    await one.deploy(lamp(circle, 1, { actions: { again: () => {} } }));
    await one.begin();
    expect(one.row).toMatchObject({ state: "paused", reason: expect.stringContaining("Look for a circle.") });
  });
});
