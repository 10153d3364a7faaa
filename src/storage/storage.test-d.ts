/** What must not compile (one mistake a line), and what is inferred, to the letter. `tsc` checks this file; nothing runs it. */
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import { z } from "zod";
import { command, contract, event, failure, query } from "../contracts/index.ts";
import { entity, eventLog, readModel, type Store, store, subscription } from "./index.ts";
import { Booking, Bookings, type toBookingStore } from "./test-kit.test-d.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function is<T extends true>(): T;

is<Equal<ReturnType<typeof toBookingStore>, Store<"bookings">>>();

const Trips = contract("trips", "1.0.0", {
  book: command({ input: z.object({ flight: z.string() }) }),
  Booked: event(z.object({ flight: z.string() })),
});
const Payments = contract("payments", "1.0.0", {
  charge: command({ input: z.object({ amount: z.number() }) }),
  refund: command({ input: z.object({}) }),
});

const state = z.object({ taken: z.array(z.string()) });
const initial = { taken: [] };
entity("flight", {
  events: Bookings,
  state,
  initial,
  // @ts-expect-error forgetting an event in evolve
  evolve: { SeatHeld: (flight) => flight, Ticketed: (flight) => flight },
});
entity("flight", {
  events: Bookings,
  state,
  initial,
  evolve: {
    SeatHeld: (flight) => flight,
    Ticketed: (flight) => flight,
    Released: (flight) => flight,
    // @ts-expect-error an event that the contract does not have
    Relesed: (flight) => flight,
  },
});
entity("flight", {
  events: Bookings,
  state,
  initial,
  evolve: {
    // @ts-expect-error evolve gives a wrong state
    SeatHeld: ({ taken }, { flight }) => ({ taken: [...taken, flight.length] }),
    Ticketed: (flight) => flight,
    // @ts-expect-error payloads are told apart by the event: Released has no traveller
    Released: (flight, { traveller }) => (traveller ? flight : flight),
  },
});

const flights = entity("flight", {
  events: Bookings,
  state,
  initial,
  evolve: { SeatHeld: (f) => f, Ticketed: (f) => f, Released: (f) => f },
});
const bookings = readModel("booking", {
  version: 1,
  events: Bookings,
  row: Booking,
  key: "booking",
  indexes: ["flight", ["flight", "status"]],
  on: {},
});
const rest = {
  hold: async () => {},
  ticket: async () => ({ ticket: "" }),
  release: async () => {},
  get: async () => ({ flight: "", booking: "", traveller: "", status: "held" as const }),
};
store(
  Bookings,
  { flights },
  {
    ...rest,
    hold: (seat, { flights }) =>
      // @ts-expect-error emitting a wrong payload
      flights(seat.flight).decide((_, { SeatHeld }) => SeatHeld({ flight: seat.flight, booking: 3, traveller: "" })),
  },
);
store(
  Bookings,
  { flights },
  {
    ...rest,
    // @ts-expect-error an undeclared failure: NotFound is declared by get, not by hold
    hold: async (_, { fail }) => fail.NotFound(),
  },
);
store(
  Bookings,
  { flights },
  {
    ...rest,
    // @ts-expect-error an undeclared failure where none is declared
    ticket: async (_, { fail }) => fail.SoldOut(),
  },
);
store(
  Bookings,
  { flights },
  {
    ...rest,
    release: (place, { flights }) =>
      // @ts-expect-error a decision that forgets to return its event
      flights(place.flight).decide((_, { Released }) => {
        Released(place);
      }),
  },
);
store(
  Bookings,
  { flights },
  {
    ...rest,
    // @ts-expect-error a query cannot decide
    get: async ({ booking }, { flights }) => flights(booking).decide,
  },
);
store(
  Bookings,
  { flights },
  {
    ...rest,
    // @ts-expect-error a wrong answer
    ticket: async () => ({ tickt: "" }),
  },
);
store(Bookings, { flights }, rest, { receiptsFor: { hold: "90 days" } });
// @ts-expect-error a query has no receipts
store(Bookings, { flights }, rest, { receiptsFor: { get: "90 days" } });
// @ts-expect-error forgetting an operation
store(Bookings, { flights }, { hold: rest.hold, ticket: rest.ticket, release: rest.release });
// @ts-expect-error an entity of somebody else's events
store(Payments, { flights }, { charge: async () => {}, refund: async () => {} });
store(
  Bookings,
  { bookings },
  {
    ...rest,
    get: async ({ booking }, { bookings, fail }) => {
      await bookings.find({ flight: "UA1", status: { in: ["held"] } }, { orderBy: "-flight" });
      // @ts-expect-error asking for what is not indexed
      await bookings.find({ traveller: "x" });
      const { rows, next } = await bookings.page({ flight: "UA1" }, { orderBy: "flight", limit: 10 });
      await bookings.page({}, { after: next, limit: rows.length });
      // @ts-expect-error a place belongs to pages, and is no row
      await bookings.find({}, { after: booking });
      return (await bookings.get(booking)) ?? fail.NotFound();
    },
  },
);
const everything = eventLog("everything", { events: Bookings });
store(
  Bookings,
  { flights, everything },
  {
    ...rest,
    get: async (_, { everything, fail }) => {
      for await (const logged of everything.read({ events: ["Ticketed"], streams: ["flight/UA1"] })) {
        if (logged.event === "Ticketed") return { ...logged.payload, traveller: "", status: "ticketed" };
        // @ts-expect-error another event has no ticket
        logged.payload.ticket;
      }
      // @ts-expect-error an event that is not declared
      everything.read({ events: ["Cancelled"] });
      // @ts-expect-error a log is read, and written by deciding
      everything.decide;
      return fail.NotFound();
    },
  },
);
// @ts-expect-error an index that is not in the schema
readModel("booking", { version: 1, events: Bookings, row: Booking, key: "booking", indexes: ["fligth"], on: {} });
// @ts-expect-error a key that is not in the schema
readModel("booking", { version: 1, events: Bookings, row: Booking, key: "bookin", on: {} });
readModel("taken", {
  version: 1,
  events: Bookings,
  row: z.object({ flight: z.string(), taken: z.int() }),
  key: "flight",
  on: {
    SeatHeld: ({ flight }, rows) => rows.increment(flight, { taken: 1 }),
    // @ts-expect-error only numbers are incremented
    Released: ({ flight }, rows) => rows.increment(flight, { flight: 1 }),
    // @ts-expect-error a wrong row
    Ticketed: ({ flight }, rows) => rows.put({ flight, takn: 1 }),
  },
});
readModel("two contracts", {
  version: 1,
  events: { ...Trips, ...Bookings },
  row: Booking,
  key: "booking",
  on: {
    SeatHeld: (seat, rows) => rows.put({ ...seat, status: "held" }),
    // @ts-expect-error not an event
    book: () => {},
  },
});

// written is not read: dates, defaults
const Timed = contract("seat-maps", "1.0.0", {
  open: command({
    input: z.object({ at: z.iso.datetime().transform((text) => new Date(text)), seats: z.int().default(180) }),
  }),
  Opened: event(z.object({ at: z.iso.datetime().transform((text) => new Date(text)) })),
  list: query({ input: z.object({}), output: z.array(z.object({ seat: z.string(), free: z.boolean() })) }),
});
const maps = entity("map", {
  events: Timed,
  state: z.object({ at: z.string().optional() }),
  initial: {},
  evolve: {
    Opened: (map, { at }) => {
      is<Equal<typeof at, Date>>();
      return { ...map, at: at.toISOString() };
    },
  },
});
store(
  Timed,
  { maps },
  {
    open: ({ at, seats }, { maps }) => {
      is<Equal<typeof at, Date>>();
      is<Equal<typeof seats, number>>();
      return maps("x").decide((_, { Opened }) => [Opened({ at: at.toISOString() })]);
    },
    list: async () => [{ seat: "1A", free: true }],
  },
);
// another schema library: Valibot, through its Standard JSON Schema adapter
const Bag = toStandardJsonSchema(v.object({ tag: v.string(), kilos: v.number(), kind: v.picklist(["hand", "hold"]) }));
const Bags = contract("bags", "1.0.0", {
  check: command({
    input: Bag,
    failures: { TooHeavy: failure(422, "Too heavy.", { details: z.object({ most: z.number() }) }) },
  }),
  Checked: event(Bag),
});
const bags = readModel("bag", {
  version: 1,
  events: Bags,
  row: Bag,
  key: "tag",
  indexes: ["kind"],
  on: {
    Checked: (bag, rows) => {
      is<Equal<typeof bag.kind, "hand" | "hold">>();
      rows.put(bag);
    },
  },
});
store(
  Bags,
  { bags },
  {
    check: async (bag, { fail }) => {
      if (bag.kilos > 32) fail.TooHeavy({ most: 32 });
    },
  },
);
// literals stay literal
const Lights = contract("lights", "1.0.0", {
  turn: command({
    input: z.object({ to: z.enum(["red", "green"]) }),
    output: z.object({ now: z.enum(["red", "green"]) }),
  }),
  see: query({
    input: z.object({ iata: z.string() }),
    output: z.object({ now: z.enum(["red", "green"]), tags: z.array(z.string()) }),
  }),
  Turned: event(z.object({ to: z.enum(["red", "green"]) })),
});
const light = entity("light", {
  events: Lights,
  state: z.discriminatedUnion("status", [
    z.object({ status: z.literal("off") }),
    z.object({ status: z.literal("on"), colour: z.enum(["red", "green"]) }),
  ]),
  initial: { status: "off" },
  evolve: { Turned: (_, { to }) => ({ status: "on", colour: to }) },
});
store(
  Lights,
  { light },
  {
    turn: async (_, { light }) => {
      await light("x").decide((state, { Turned }) =>
        state.status === "on" && state.colour === "red" ? [] : Turned({ to: "red" }),
      );
      return { now: "red" };
    },
    see: async () => ({ now: "green", tags: [] }),
  },
);

// an entity's past is told apart by the event, and read as the contract reads it
store(
  Timed,
  { maps },
  {
    open: async () => {},
    list: async (_, { maps }) => {
      for await (const past of maps("x").history({ backwards: true, until: new Date() })) {
        is<Equal<typeof past.event, "Opened">>();
        is<Equal<typeof past.payload.at, Date>>();
      }
      return [];
    },
  },
);
store(
  Bookings,
  { flights },
  {
    ...rest,
    get: async ({ booking }, { flights }) => {
      for await (const { event, payload } of flights(booking).history()) {
        if (event === "SeatHeld") return { ...payload, status: "held" };
        // @ts-expect-error only SeatHeld has a traveller
        if (event === "Released") return { ...payload, traveller: payload.traveller, status: "held" };
      }
      return rest.get();
    },
  },
);

// a subscription is told apart by the event, and no handler of the store sees it
const mail = subscription("mail", {
  events: { ...Timed, ...Bookings },
  handle: {
    Opened: async ({ at }, { attempt }) => {
      is<Equal<typeof at, Date>>();
      is<Equal<typeof attempt, number>>();
    },
    // @ts-expect-error Released has no traveller
    Released: ({ traveller }) => traveller,
  },
});
// @ts-expect-error not an event
subscription("mail", { events: Bookings, handle: { hold: () => {} } });
store(
  Bookings,
  { flights, mail },
  {
    ...rest,
    // @ts-expect-error a subscription is not there to be asked
    get: async (_, { mail }) => mail,
  },
);

// a decision gives the state that follows from it
store(
  Bookings,
  { flights },
  {
    ...rest,
    hold: async (seat, { flights }) => {
      const state = await flights(seat.flight).decide((_, { SeatHeld }) => SeatHeld(seat));
      is<Equal<typeof state, { taken: string[] }>>();
    },
  },
);
