import { randomUUID } from "node:crypto";
import { expect, test, vi } from "vitest";
import { z } from "zod";
import { type Call, command, contract, event, systemClock } from "../contracts/index.ts";
import { openSqlite } from "../engines/sqlite/index.ts";
import { entity, store } from "./index.ts";
import { openOn, toBookingStore, toFolder } from "./test-kit.test-d.ts";

const day = 86_400_000;
const toSeat = () => ({ flight: "UA1", booking: randomUUID(), traveller: "Ada Lovelace" });

test("a receipt stands for its key for thirty days, and is swept away then; what was voided stays voided", async () => {
  const { folder, remove } = toFolder();
  let now = Date.UTC(2026, 0, 1);
  const clock = { ...systemClock, now: () => now };
  const engine = await openSqlite({ folder, clock });
  try {
    await using backend = await openOn(engine, [toBookingStore(180)], { clock });
    const hold = (key: string, seat = toSeat()) => backend.call("bookings.hold", seat, { key });
    const isKept = async (key: string) =>
      (await engine.receipt("main", `anonymous:bookings.hold:${key}`)) !== undefined;
    const seat = toSeat();
    await hold("old", seat);
    await backend.void("bookings.hold", "given up");
    now += 29 * day;
    await hold("young");
    await hold("old", seat);
    expect((await engine.head("main")).position).toBe(2);
    now += 2 * day;
    await hold("nudge");
    await vi.waitFor(async () => expect(await isKept("old")).toBe(false));
    expect(await isKept("young")).toBe(true);
    await expect(hold("given up")).rejects.toMatchObject({ code: "Voided" });
    now += 10_000 * day;
    await hold("nudge again");
    await expect(hold("given up")).rejects.toMatchObject({ code: "Voided" });
  } finally {
    await engine.close();
    remove();
  }
});

test("a thousand expired receipts go between other commands, and the time that they are kept can be told", async () => {
  const { folder, remove } = toFolder();
  let now = Date.UTC(2026, 0, 1);
  const clock = { ...systemClock, now: () => now };
  const engine = await openSqlite({ folder, clock });
  try {
    await using backend = await openOn(engine, [toBookingStore(9_999)], { clock, receiptsFor: "1 hour" });
    const hold = (key: string) => backend.call("bookings.hold", toSeat(), { key });
    await Promise.all(Array.from({ length: 1_200 }, (_, index) => hold(`k${index}`)));
    now += 3_600_001;
    await hold("nudge");
    await vi.waitFor(async () => {
      for (const index of [0, 600, 1_199])
        expect(await engine.receipt("main", `anonymous:bookings.hold:k${index}`)).toBeUndefined();
    });
  } finally {
    await engine.close();
    remove();
  }
});

test("a store says for how long its receipts are kept, by command; what a run calls is kept for thirty days at least", async () => {
  const Doors = contract("doors", "1.0.0", {
    open: command({ input: z.object({ door: z.string() }) }),
    shut: command({ input: z.object({ door: z.string() }) }),
    Moved: event(z.object({ door: z.string() })),
  });
  const door = entity("door", { events: Doors, state: z.null(), initial: null, evolve: { Moved: () => null } });
  type Given = Parameters<typeof store<typeof Doors, { door: typeof door }>>;
  const handlers: Given[2] = {
    open: async (input, { door }) => void (await door(input.door).decide((_, { Moved }) => Moved(input))),
    shut: async (input, { door }) => void (await door(input.door).decide((_, { Moved }) => Moved(input))),
  };
  const { folder, remove } = toFolder();
  let now = Date.UTC(2026, 0, 1);
  const clock = { ...systemClock, now: () => now };
  const engine = await openSqlite({ folder, clock });
  try {
    const doors = store(Doors, { door }, handlers, { receiptsFor: { open: "2 days" } });
    await using backend = await openOn(engine, [doors], { clock, receiptsFor: "7 days" });
    const run = { id: "r1", kind: "run", scopes: [] } as const;
    const move = (operation: string, key: string, options: Partial<Call> = {}) =>
      backend.call(operation, { door: "front" }, { key, ...options });
    await move("doors.open", "k");
    await move("doors.shut", "k");
    await move("doors.open", "k", { principal: run });
    const kept = async (at: number) => {
      now = Date.UTC(2026, 0, 1) + at * day;
      await engine.sweep("main", now, 100);
      const keys = ["anonymous:doors.open:k", "anonymous:doors.shut:k", "@run:doors.open:k"];
      return Promise.all(keys.map(async (key) => (await engine.receipt("main", key)) !== undefined));
    };
    expect(await kept(1.9)).toEqual([true, true, true]);
    expect(await kept(2.1)).toEqual([false, true, true]);
    expect(await kept(7.1)).toEqual([false, false, true]);
    expect(await kept(30.1)).toEqual([false, false, false]);
  } finally {
    await engine.close();
    remove();
  }
  expect(store(Doors, { door }, handlers, { receiptsFor: "1 hour" }).receiptsMs).toEqual({
    open: 3_600_000,
    shut: 3_600_000,
  });
  expect(() => store(Doors, { door }, handlers, { receiptsFor: { Moved: "1 day" } as never })).toThrow(
    'keeps receipts of "Moved", which is no command',
  );
  expect(() => store(Doors, { door }, handlers, { receiptsFor: "soon" as never })).toThrow("is not a duration");
});
