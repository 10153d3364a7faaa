// What is inferred, to the letter, and what must not compile. `tsc` fails here if any of the mistakes begins to compile.
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import { z } from "zod";
import {
  type CallerInput,
  type CallerOutput,
  type CamelCase,
  type Client,
  command,
  contract,
  type Duration,
  type EventNames,
  event,
  type Fail,
  failure,
  type HandlerInput,
  type HandlerOutput,
  type NameOf,
  type OperationNames,
  type Out,
  personal,
  query,
  type Schema,
  signal,
  subject,
  toFail,
  upcast,
} from "./index.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function is<T extends true>(): T;

const Seat = z.object({ flight: z.string(), booking: subject(z.uuid()), traveller: personal(z.string()) });
const Booking = Seat.extend({ status: z.enum(["held", "ticketed", "released"]), ticket: z.string().optional() });
const SoldOut = failure(409, "No seat is left.");
const Bookings = contract("seat-bookings", "1.0.0", {
  hold: command({
    input: Seat,
    failures: { SoldOut, NotApproved: failure(403, "Nobody approved it in time.") },
    signals: { approved: signal(z.object({ by: z.string() }), { access: "trips:approve" }) },
    http: "POST /bookings",
    access: "bookings:hold",
  }),
  ticket: command({ input: Seat.omit({ traveller: true }), output: z.object({ ticket: z.string() }) }),
  get: query({
    input: Seat.pick({ booking: true }),
    output: Booking,
    failures: { NotFound: failure(404, "No such booking.") },
    http: "GET /bookings/{booking}",
    access: "bookings:read",
  }),
  SeatHeld: event(Seat),
});

// names, ids
is<Equal<NameOf<typeof Bookings>, "seat-bookings">>();
is<Equal<OperationNames<typeof Bookings>, "hold" | "ticket" | "get">>();
is<Equal<EventNames<typeof Bookings>, "SeatHeld">>();
is<Equal<typeof Bookings.hold.id, "seat-bookings.hold">>();
is<Equal<CamelCase<NameOf<typeof Bookings>>, "seatBookings">>();

// a client
declare const client: Client<typeof Bookings>;
is<Equal<keyof typeof client, "hold" | "ticket" | "get">>();
is<Equal<Awaited<ReturnType<typeof client.hold>>, void>>();
is<Equal<Awaited<ReturnType<typeof client.ticket>>, { ticket: string }>>();
is<Equal<Awaited<ReturnType<typeof client.get>>["status"], "held" | "ticketed" | "released">>();
is<Equal<Parameters<typeof client.get>[0], { booking: string }>>();
// @ts-expect-error a wrong input
void client.get({ bookin: "x" });
// @ts-expect-error an operation that the contract does not have
void client.gte;
// @ts-expect-error an event is not called
void client.SeatHeld;

// failures
declare const fail: Fail<typeof Bookings.hold.failures>;
is<Equal<keyof typeof fail, "SoldOut" | "NotApproved">>();
is<Equal<ReturnType<typeof fail.SoldOut>, never>>();
is<Equal<typeof SoldOut.status, 409>>();
const refuse = toFail("bags.check", {
  SoldOut,
  TooHeavy: failure(422, "Too heavy.", { details: z.object({ most: z.number() }) }),
});
is<Equal<Parameters<typeof refuse.TooHeavy>, [details: { most: number }]>>();
is<Equal<Parameters<typeof refuse.SoldOut>, []>>();
export const failing = {
  // @ts-expect-error a failure that is not declared
  undeclared: () => refuse.Late(),
  // @ts-expect-error details that are missing
  missing: () => refuse.TooHeavy(),
  // @ts-expect-error details of the wrong kind
  wrong: () => refuse.TooHeavy({ most: "32" }),
  // @ts-expect-error details where none are declared
  none: () => refuse.SoldOut({ most: 32 }),
};

// written is not read: dates, defaults
const Opening = z.object({
  at: z.iso.datetime().transform((text) => new Date(text)),
  seats: z.int().default(180),
});
const Maps = contract("maps", "1.0.0", {
  open: command({ input: Opening, output: Opening }),
  close: command({ input: z.object({}) }),
  Opened: event(Opening),
});
type Open = typeof Maps.open;
is<Equal<CallerInput<Open>, { at: string; seats?: number | undefined }>>();
is<Equal<HandlerInput<Open>, { at: Date; seats: number }>>();
is<Equal<HandlerOutput<Open>, { at: string; seats?: number | undefined }>>();
is<Equal<CallerOutput<Open>, { at: Date; seats: number }>>();
is<Equal<CallerOutput<typeof Maps.close>, void>>();
is<Equal<HandlerOutput<typeof Maps.close>, unknown>>();
is<Equal<Out<typeof Maps.Opened.schema>, { at: Date; seats: number }>>();

// contracts carry plain data types, not the schema library's own
is<Equal<typeof Maps.open.input, Schema<{ at: string; seats?: number | undefined }, { at: Date; seats: number }>>>();
// @ts-expect-error so what a library adds to its schemas is not there any more
void Maps.open.input.shape;

// signals
is<Equal<Out<typeof Bookings.hold.signals.approved.schema>, { by: string }>>();
// @ts-expect-error an undeclared signal
void Bookings.hold.signals.aproved;
// @ts-expect-error a query has no signals
void Bookings.get.signals;

// progress
const Telling = command({
  input: z.object({}),
  progress: z.object({ at: z.iso.date().transform((text) => new Date(text)) }),
});
is<Equal<NonNullable<typeof Telling.progress>, Schema<{ at: string }, { at: Date }>>>();
is<Equal<NonNullable<typeof Bookings.hold.progress>, Schema<never>>>();
// @ts-expect-error a query makes no progress
query({ input: z.object({}), output: z.string(), progress: z.object({}) });

// events: each step of a history reads its own older payload
event(z.object({ row: z.int() }), {
  version: 2,
  from: [
    upcast(z.object({ seat: z.string() }), (old) => {
      is<Equal<typeof old, { seat: string }>>();
      return { row: Number.parseInt(old.seat, 10) };
    }),
  ],
});
// @ts-expect-error a field that the older payload does not have
upcast(z.object({ seat: z.string() }), (old) => ({ row: old.row }));
// a way down begins with what the way up comes to, unless it says otherwise, and leads to the older payload or nowhere
upcast(
  z.object({ seat: z.string() }),
  ({ seat }) => ({ row: Number.parseInt(seat, 10) }),
  (now) => {
    is<Equal<typeof now, { row: number }>>();
    return now.row > 0 ? { seat: `${now.row}A` } : undefined;
  },
);
upcast(
  z.object({ at: z.string() }),
  (old) => old,
  ({ at }: { at: Date }) => ({ at: at.toISOString() }),
);
upcast(
  z.object({ seat: z.string() }),
  ({ seat }) => ({ seat, row: 1 }),
  // @ts-expect-error that is not the older payload
  ({ row }) => ({ seat: row }),
);

// the last step is tied to the present schema, on both ways: constants are kept, and what is read begins the way down
const Paid = z.object({ cents: z.int() });
const PaidBy = Paid.extend({ by: z.enum(["cash", "transfer"]) });
const Noted = PaidBy.extend({ note: z.string().default("") });
type PaidBy = { cents: number; by: "cash" | "transfer" };
event(PaidBy, {
  version: 2,
  from: [
    upcast(
      Paid,
      (old) => ({ ...old, by: "transfer" }),
      (now) => {
        is<Equal<typeof now, PaidBy>>();
        return now.by === "cash" ? undefined : { cents: now.cents };
      },
    ),
  ],
});
event(PaidBy, { version: 1, from: [] });
// @ts-expect-error the present schema knows no cards
event(PaidBy, { version: 2, from: [upcast(Paid, (old) => ({ ...old, by: "card" }))] });
// @ts-expect-error a field is missing
event(PaidBy, { version: 2, from: [upcast(Paid, (old) => old)] });
// earlier steps are held against the next one's schema, but for constants, which the compiler takes for any text
event(Noted, {
  version: 3,
  from: [
    upcast(
      Paid,
      (old) => ({ ...old, by: "transfer" }),
      ({ cents }) => ({ cents }),
    ),
    upcast(
      PaidBy,
      (old) => old, // what has a default may be left out
      (now) => {
        is<Equal<typeof now.note, string>>();
        return now.note === "" ? now : undefined;
      },
    ),
  ],
});
// @ts-expect-error the first step misses a field of the second
event(Noted, { version: 3, from: [upcast(Paid, (old) => old), upcast(PaidBy, (old) => old)] });
// @ts-expect-error and here it gives another type
event(Noted, { version: 3, from: [upcast(Paid, () => ({ cents: 1, by: 2 })), upcast(PaidBy, (old) => old)] });
event(Noted, {
  version: 3,
  from: [
    // @ts-expect-error it leads down from transfers only, and cash is read as well
    upcast(
      Paid,
      (old) => ({ ...old, by: "transfer" as const }),
      (now) => now,
    ),
    upcast(PaidBy, (old) => old),
  ],
});
// steps that are kept elsewhere, and with a condition
const toPaidBy = upcast(Paid, (old) => ({ ...old, by: "cash" as const }));
event(PaidBy, { version: 2, from: [toPaidBy] });
event(PaidBy, { version: 2, from: Math.random() > 1 ? [] : [toPaidBy] });
// @ts-expect-error one that leads elsewhere
event(Noted.extend({ at: z.string() }), { version: 2, from: [toPaidBy] });

// another schema library: Valibot, through its Standard JSON Schema adapter
const Bag = toStandardJsonSchema(
  v.object({ tag: v.string(), kilos: v.optional(v.number(), 0), kind: v.picklist(["hand", "hold"]) }),
);
const Bags = contract("bags", "1.0.0", { check: command({ input: Bag, output: z.int() }), Checked: event(Bag) });
is<Equal<CallerInput<typeof Bags.check>, { tag: string; kilos?: number | undefined; kind: "hand" | "hold" }>>();
is<Equal<HandlerInput<typeof Bags.check>, { tag: string; kilos: number; kind: "hand" | "hold" }>>();
is<Equal<CallerOutput<typeof Bags.check>, number>>();
// @ts-expect-error without the adapter it has no JSON Schema
event(v.object({ tag: v.string() }));

// routes and access
// @ts-expect-error {id} is not a field of the input
query({ input: z.object({ booking: z.string() }), output: z.string(), http: "GET /bookings/{id}", access: "public" });
// @ts-expect-error a route without access
query({ input: z.object({ booking: z.string() }), output: z.string(), http: "GET /bookings/{booking}" });
// @ts-expect-error an access without a scope
query({ input: z.object({}), output: z.string(), http: "GET /bookings", access: "bookings" });
// @ts-expect-error not a verb
query({ input: z.object({}), output: z.string(), http: "FETCH /bookings", access: "public" });
// @ts-expect-error not a path
query({ input: z.object({}), output: z.string(), http: "GET bookings", access: "public" });
query({ input: z.object({}), output: z.string(), access: "bookings:read" });

// shapes of declarations
// @ts-expect-error a query without an output
query({ input: z.object({}) });
// @ts-expect-error a misspelt part
command({ input: z.object({}), failure: { X: failure(409, "x") } });
// @ts-expect-error a query takes no signals
query({ input: z.object({}), output: z.string(), signals: { approved: signal(z.object({})) } });
// @ts-expect-error not a time
command({ input: z.object({}), timeout: "2 fortnights" });
// @ts-expect-error not a version
contract("x", "1.0", { Held: event(Seat) });
// @ts-expect-error not a version, in the longer form
contract("x", { version: "1.0" }, { Held: event(Seat) });
// @ts-expect-error not a member
contract("x", "1.0.0", { Held: Seat });

// what an operation was, and that it goes
command({ input: z.object({}), earlier: [upcast(z.object({ a: z.string() }), ({ a }) => ({ b: a }))] });
// @ts-expect-error an upcaster reads what its own schema gives
command({ input: z.object({}), earlier: [upcast(z.object({ a: z.string() }), ({ c }) => c)] });
// @ts-expect-error a query keeps no input
query({ input: z.object({}), output: z.string(), earlier: [] });
// @ts-expect-error a deprecation says since when
command({ input: z.object({}), deprecated: { sunset: "2026-12-31" } });
contract("x", { version: "2.0.0", migration: "Say for how many days." }, {});

// nothing in a contract can be assigned to
// @ts-expect-error a member
Bookings.hold = client.hold;
// @ts-expect-error what a member says
Bookings.hold.idempotent = false;

// durations
const durations: Duration[] = ["250ms", "2s", "1.5 hours", "2 days", "1 week"];
// @ts-expect-error a unit that there is not
durations.push("2 msec");
// @ts-expect-error a number without its unit
durations.push(250);
