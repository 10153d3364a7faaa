import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { silent, systemClock } from "../contracts/index.ts";
import { openSqlite } from "../engines/sqlite/index.ts";
import type { Engine, Storage } from "./host.ts";
import { openStorage } from "./host.ts";
import { Bookings, toBookingStore, toFolder } from "./test-kit.test-d.ts";

const toSeat = () => ({ flight: "UA1", booking: randomUUID(), traveller: "Ada Lovelace" });
const about = (key: string, id = "r1") => ({ category: "run-trips-book", id, key, trace: silent });

async function withStorage(story: (storage: Storage, engine: Engine) => Promise<void>): Promise<void> {
  const { folder, remove } = toFolder();
  const engine = await openSqlite({ folder });
  const storage = await openStorage([toBookingStore(180)], { engine, clock: systemClock });
  try {
    await story(storage, engine);
  } finally {
    await storage.close();
    await engine.close();
    remove();
  }
}
const streamOf = async (storage: Storage, stream: string) => {
  const events: unknown[] = [];
  for await (const { type, data } of storage.log.stream(stream)) events.push([type, data]);
  return events;
};

test("an event from outside of the stores is written once for each key, into a stream of its own, with its rows", () =>
  withStorage(async (storage) => {
    const seat = toSeat();
    await Promise.all([1, 2, 3].map(() => storage.emit(Bookings.SeatHeld, seat, about("k1"))));
    await storage.emit(Bookings.SeatHeld, seat, about("k1"));
    expect(await streamOf(storage, "run-trips-book/r1")).toEqual([["bookings.SeatHeld", seat]]);
    expect(await streamOf(storage, "flight/UA1")).toEqual([]);
    const get = storage.providers.find(({ operation }) => operation === "bookings.get");
    const call = {
      principal: { id: "a", kind: "system", scopes: [] },
      trace: silent,
      aborted: new AbortController().signal,
    } as const;
    expect(await get?.handle({ booking: seat.booking }, call, {})).toMatchObject({ output: { status: "held" } });
  }));

test("events of one run that are written side by side are all written, each once", () =>
  withStorage(async (storage) => {
    const keys = Array.from({ length: 12 }, (_, nth) => `k${nth}`);
    await Promise.all(
      [...keys, ...keys].map((key, nth) =>
        storage.emit(Bookings.SeatHeld, { ...toSeat(), booking: idOf(nth % 12) }, about(key)),
      ),
    );
    expect(await streamOf(storage, "run-trips-book/r1")).toHaveLength(12);
  }));
const idOf = (nth: number): string => `00000000-0000-4000-8000-${String(nth).padStart(12, "0")}`;

test("a key that was used for another payload is refused, and so is a payload that the contract does not allow", () =>
  withStorage(async (storage, engine) => {
    await storage.emit(Bookings.SeatHeld, toSeat(), about("k1"));
    await expect(storage.emit(Bookings.SeatHeld, toSeat(), about("k1"))).rejects.toMatchObject({ code: "KeyReused" });
    await expect(storage.emit(Bookings.SeatHeld, { flight: 1 }, about("k2"))).rejects.toThrow(
      /does not fit its schema/,
    );
    expect((await engine.head("main")).position).toBe(1);
  }));
