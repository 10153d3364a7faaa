// What of a machine, a schedule and a start must not compile. `tsc` fails here if any of the mistakes begins to compile.
import { z } from "zod";
import { command, contract, event, signal } from "../../contracts/index.ts";
import { machine, schedule, startOn } from "../index.ts";

const Shop = contract("shop", "1.0.0", {
  take: command({ input: z.object({ id: z.string() }), output: z.string() }),
  Taken: event(z.object({ id: z.string() })),
});
const Lives = contract("lives", "1.0.0", {
  live: command({
    input: z.object({ id: z.string() }),
    signals: { paid: signal(z.object({ amount: z.number() })), seen: signal(z.object({})) },
  }),
  told: command({
    input: z.object({ id: z.string() }),
    output: z.object({ end: z.string() }),
    progress: z.object({ where: z.string() }),
  }),
});

export const right = machine(Lives.live, {
  version: 1,
  uses: [Shop],
  context: ({ id }) => ({ id, total: 0 }),
  guards: { enough: ({ context, event }) => event.type === "paid" && event.payload.amount > context.total },
  changes: { add: ({ context }) => ({ total: context.total + 1 }) },
  actions: { take: async ({ context, shop }) => ({ id: await shop.take(context) }) },
  initial: "open",
  states: {
    open: {
      on: { paid: { guard: "enough", set: "add", target: "busy", do: ["take"] } },
      after: { "3 days": "#busy.one" },
    },
    busy: { initial: "one", states: { one: { on: { seen: "two" } }, two: { type: "final" } }, on: { paid: ".two" } },
  },
});

const base = { version: 1, initial: "open" } as const;
// @ts-expect-error an event that is no signal of the command
machine(Lives.live, { ...base, states: { open: { on: { payed: "open" } } } });
// @ts-expect-error a state that there is not
machine(Lives.live, { ...base, states: { open: { on: { paid: "shut" } } } });
// @ts-expect-error a state inside that there is not
machine(Lives.live, { ...base, states: { open: { on: { paid: "#open.inner" } } } });
// @ts-expect-error an initial state that there is not
machine(Lives.live, { version: 1, initial: "shut", states: { open: {} } });
machine(Lives.live, {
  ...base,
  guards: { may: () => true },
  // @ts-expect-error a guard that there is not
  states: { open: { on: { paid: { guard: "might", target: "open" } } } },
});
// @ts-expect-error a guard where there is none
machine(Lives.live, { ...base, states: { open: { on: { paid: { guard: "might", target: "open" } } } } });
// @ts-expect-error an action that there is not
machine(Lives.live, { ...base, actions: { a: () => {} }, states: { open: { entry: "b" } } });
// @ts-expect-error a duration that is none
machine(Lives.live, { ...base, states: { open: { after: { soon: "open" } } } });
// @ts-expect-error a word that a state does not have
machine(Lives.live, { ...base, states: { open: { onn: { paid: "open" } } } });
// @ts-expect-error a change of what the context does not have
machine(Lives.live, { ...base, context: () => ({ n: 0 }), changes: { c: () => ({ n: "one" }) }, states: { open: {} } });
// @ts-expect-error a contract that it does not use
machine(Lives.live, { ...base, actions: { a: async ({ shop }) => shop.take({ id: "" }) }, states: { open: {} } });
// @ts-expect-error no output, where the contract declares one
machine(Lives.told, { ...base, states: { open: { type: "final" } } });
machine(Lives.told, {
  ...base,
  states: { open: { type: "final" } },
  output: () => ({ end: "" }),
  // @ts-expect-error a progress that is not what the contract declares
  progress: ({ state }) => ({ where: 1, state }),
});

// @ts-expect-error an input that the command does not take
schedule(Lives.live, { cron: "0 6 * * *", zone: "UTC", input: (at) => ({ at }) });
// @ts-expect-error no time zone
schedule(Lives.live, { cron: "0 6 * * *", input: () => ({ id: "" }) });
startOn(Shop.Taken, Lives.live, { input: ({ id }) => ({ id }) });
// @ts-expect-error an event does not have that
startOn(Shop.Taken, Lives.live, { input: ({ name }) => ({ id: name }) });
// @ts-expect-error a command is no event
startOn(Shop.take, Lives.live, { input: () => ({ id: "" }) });
