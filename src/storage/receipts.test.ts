import { randomUUID } from "node:crypto";
import { expect, test, vi } from "vitest";
import { systemClock } from "../contracts/index.ts";
import { openSqlite } from "../engines/sqlite/index.ts";
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
