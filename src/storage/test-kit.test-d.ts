/** What the tests of this folder share: the contract and the store of the README's example, and a storage on a real file. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import {
  anonymous,
  type Call,
  type Clock,
  command,
  contract,
  type Duration,
  event,
  failure,
  personal,
  query,
  silent,
  subject,
  systemClock,
} from "../contracts/index.ts";
import { openSqlite } from "../engines/sqlite/index.ts";
import type { AnyStore, Engine, Storage, StoragePorts } from "./host.ts";
import { openStorage } from "./host.ts";
import { entity, type Rows, readModel, type Subscription, store } from "./index.ts";

export const Seat = z.object({ flight: z.string(), booking: subject(z.uuid()), traveller: personal(z.string()) });
export const Booking = Seat.extend({
  status: z.enum(["held", "ticketed", "released"]),
  ticket: z.string().optional(),
});
const Place = Seat.omit({ traveller: true });
const Ticket = z.object({ ticket: z.string() });
const SoldOut = failure(409, "No seat is left.");

export const Bookings = contract("bookings", "1.0.0", {
  hold: command({ input: Seat, failures: { SoldOut } }),
  ticket: command({ input: Place, output: Ticket }),
  release: command({ input: Place }),
  get: query({
    input: Seat.pick({ booking: true }),
    output: Booking,
    failures: { NotFound: failure(404, "No such booking.") },
    http: "GET /bookings/{booking}",
    access: "bookings:read",
  }),
  SeatHeld: event(Seat),
  Ticketed: event(Place.extend(Ticket.shape)),
  Released: event(Place),
});

/** The example, with as many seats as a test wants. */
export function toBookingStore(seats: number, version = 1) {
  const flights = entity("flight", {
    events: Bookings,
    state: z.object({ taken: z.array(z.string()) }),
    initial: { taken: [] },
    evolve: {
      SeatHeld: ({ taken }, { booking }) => ({ taken: [...taken, booking] }),
      Ticketed: (flight) => flight,
      Released: ({ taken }, { booking }) => ({ taken: taken.filter((other) => other !== booking) }),
    },
  });
  const bookings = readModel("booking", {
    version,
    events: Bookings,
    row: Booking,
    key: "booking",
    indexes: ["flight", "status"],
    on: {
      SeatHeld: (seat, rows) => rows.put({ ...seat, status: "held" }),
      Ticketed: ({ booking, ticket }, rows) => rows.patch(booking, { status: "ticketed", ticket }),
      Released: ({ booking }, rows) => rows.patch(booking, { status: "released" }),
    },
  });
  return store(
    Bookings,
    { flights, bookings },
    {
      hold: (seat, { flights, fail }) =>
        flights(seat.flight).decide(({ taken }, { SeatHeld }) =>
          taken.length < seats ? SeatHeld(seat) : fail.SoldOut(),
        ),
      ticket: async (place, { flights }) => {
        const ticket = `T-${place.booking}`;
        await flights(place.flight).decide((_, { Ticketed }) => Ticketed({ ...place, ticket }));
        return { ticket };
      },
      release: (place, { flights }) =>
        flights(place.flight).decide(({ taken }, { Released }) =>
          taken.includes(place.booking) ? Released(place) : [],
        ),
      get: async ({ booking }, { bookings, fail }) => (await bookings.get(booking)) ?? fail.NotFound(),
    },
  );
}

export const Tally = contract("tally", "1.0.0", {
  add: command({ input: z.object({ id: z.string(), amount: z.int() }) }),
  get: query({ input: z.object({ id: z.string(), wait: z.custom<Duration>().optional() }), output: z.any() }),
  all: query({ input: z.object({ position: z.int() }), output: z.array(z.any()) }),
  Added: event(z.object({ id: z.string(), amount: z.int() })),
});
const Row = z.object({ id: z.string(), sum: z.int(), adds: z.int() });
/** What an addition does to the rows. */
export type On = (
  event: { id: string; amount: number },
  rows: Rows<z.infer<typeof Row>, z.infer<typeof Row>, "id">,
) => void;
export const usual: On = ({ id, amount }, rows) => rows.increment(id, { sum: amount, adds: 1 });

/** Sums by id, as rows that follow the log or travel with it. */
export function toTallyStore({ version = 1, kept = "async" as "async" | "inline", on = usual } = {}) {
  const sums = entity("sum", {
    events: Tally,
    state: z.object({ sum: z.int() }),
    initial: { sum: 0 },
    evolve: { Added: ({ sum }, { amount }) => ({ sum: sum + amount }) },
  });
  const rows = readModel("row", {
    version,
    kept,
    events: Tally,
    row: Row,
    key: "id",
    indexes: ["sum"],
    on: { Added: on },
  });
  return store(
    Tally,
    { sums, rows },
    {
      add: (input, { sums }) => sums(input.id).decide((_, { Added }) => Added(input)),
      all: async ({ position }, { rows }) => {
        await rows.caughtUp({ position, within: "30s" });
        return [...(await rows.find({}, { limit: 1_000 }))];
      },
      get: async ({ id, wait }, { rows }) => {
        if (wait) await rows.caughtUp({ within: wait });
        return (await rows.get(id)) ?? null;
      },
    },
  );
}
export const toCall = (options: Partial<Call> = {}): Call => ({
  principal: anonymous,
  trace: silent,
  aborted: new AbortController().signal,
  ...options,
});

export function toFolder(): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "trilith-storage-"));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export interface Opened extends AsyncDisposable {
  readonly engine: Engine;
  readonly storage: Storage;
  /** Calls an operation as the dispatcher does, without its validation. */
  call(operation: string, input: unknown, options?: Partial<Call>): Promise<unknown>;
  void(operation: string, key: string): Promise<unknown>;
}

/** Opens an engine and stores on it, as a process does when it starts. */
export async function open(folder: string, stores: readonly AnyStore[], clock: Clock = systemClock): Promise<Opened> {
  const engine = await openSqlite({ folder, clock });
  try {
    const opened = await openOn(engine, stores, { clock });
    return {
      ...opened,
      [Symbol.asyncDispose]: async () => {
        await opened[Symbol.asyncDispose]();
        await engine.close();
      },
    };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/** An engine with some of its answers changed; everything else is the engine's own. */
export function toChanged(engine: Engine, changed: Partial<Engine>): Engine {
  return new Proxy(engine, {
    get(target, name) {
      const member: unknown = Reflect.get(name in changed ? changed : target, name);
      return typeof member === "function" && !(name in changed) ? member.bind(target) : member;
    },
  });
}

/** Opens stores on an engine that stays open: what another process, or this one after a restart, has in memory. */
export async function openOn(
  engine: Engine,
  stores: readonly (AnyStore | Subscription)[],
  ports: Partial<StoragePorts> = {},
): Promise<Opened> {
  const storage = await openStorage(stores, { engine, clock: systemClock, ...ports });
  const provider = (operation: string) => {
    const found = storage.providers.find((one) => one.operation === operation);
    if (!found) throw new Error(`There is no ${operation}.`);
    return found;
  };
  return {
    engine,
    storage,
    call: async (operation, input, options) => {
      const reply = await provider(operation).handle(input, toCall(options), input);
      if ("accepted" in reply) throw new Error("A store accepted instead of answering.");
      return reply.output;
    },
    void: async (operation, key) => provider(operation).void?.(key, toCall()),
    [Symbol.asyncDispose]: () => storage.close(),
  };
}
