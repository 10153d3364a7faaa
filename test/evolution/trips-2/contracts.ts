// The example's contracts a year later: seats have cabins. One event is upcast, one command changed with an adapter.
import { adapt, command, contract, event, failure, personal, query, signal, subject, upcast } from "trilith/contracts";
import { z } from "zod";
import { Bookings as BookingsV1, Trips as TripsV1 } from "../../../examples/trips/contracts.ts";

export { Fares, Payments } from "../../../examples/trips/contracts.ts";

const Cabin = z.enum(["economy", "business"]);
const Seat = z.object({
  flight: z.string().regex(/^[A-Z0-9]{3}-[A-Z0-9]{3}-\d{8}-\d{4}$/, "A flight is named like ABQ-DAL-20010227-1430."),
  booking: subject(z.uuid()),
  traveller: personal(z.string().min(1).max(200)),
  cabin: Cabin,
});
export const Booking = Seat.partial({ cabin: true }).extend({
  status: z.enum(["held", "ticketed", "checkedIn", "released"]),
  ticket: z.string().optional(),
});
const Place = Seat.omit({ traveller: true, cabin: true });
const Ticket = z.object({ ticket: z.string() });

export const Bookings = contract(
  "bookings",
  { version: "2.0.0", owner: "trips", summary: "Seats on flights.", migration: "Events of held seats name the cabin." },
  {
    ticket: command({ input: Place, output: Ticket }),
    release: command({ input: Place }),
    Ticketed: event(Place.extend(Ticket.shape)),
    Released: event(Place),
    CheckedIn: event(Place),
    checkIn: command({
      input: BookingsV1.checkIn.input,
      failures: BookingsV1.checkIn.failures,
      http: "POST /check-ins",
      access: "trips:book",
      summary: "Checks in.",
    }),
    hold: command({
      input: Seat.partial({ cabin: true }),
      failures: BookingsV1.hold.failures,
    }),
    get: query({
      input: Seat.pick({ booking: true }),
      output: Booking,
      failures: BookingsV1.get.failures,
      http: "GET /bookings/{booking}",
      access: "bookings:read",
      summary: "One booking.",
    }),
    list: query({
      input: z.object({ flight: Seat.shape.flight, status: Booking.shape.status.optional() }),
      output: z.array(Booking),
      http: "GET /flights/{flight}/bookings",
      access: "bookings:read",
      summary: "The bookings of a flight.",
    }),
    SeatHeld: event(Seat, {
      version: 2,
      from: [upcast(BookingsV1.SeatHeld.schema, (seat) => ({ ...seat, cabin: "economy" as const }))],
    }),
  },
);

export const Trips = contract(
  "trips",
  {
    version: "2.0.0",
    owner: "trips",
    summary: "Booking a trip.",
    migration: "Say which cabin, and send it to /v2/trips.",
  },
  {
    book: command({
      input: Seat.extend({ card: personal(z.string().min(4).max(40)), lastKnownFare: z.number().positive() }),
      earlier: [upcast(TripsV1.book.input, (trip) => ({ ...trip, cabin: "economy" as const }))],
      output: Ticket.extend({ cabin: Cabin }),
      failures: {
        CabinFull: failure(409, "This cabin is full.", { details: z.object({ cabin: Cabin }) }),
        UnknownFlight: failure(404, "There is no such flight."),
        NotApproved: failure(403, "Nobody approved the fare in time."),
      },
      signals: {
        approved: signal(z.object({ by: z.string(), limit: z.number().optional() }), { access: "trips:approve" }),
      },
      http: "POST /v2/trips",
      access: "trips:book",
      summary: "Books a trip: a seat, a fare, a payment, a ticket, or nothing at all.",
    }),
    follow: command({
      input: Place,
      output: z.object({ end: z.enum(["flown", "expired", "released"]) }),
      signals: {
        paid: signal(z.object({})),
        ticketed: signal(Ticket),
        checkedIn: signal(z.object({})),
        released: signal(z.object({})),
      },
      progress: z.object({ state: z.string() }),
      access: "bookings:read",
      summary: "The life of a booking.",
    }),
    Paid: event(Seat.pick({ booking: true })),
  },
);

export const tripsV1 = adapt(
  TripsV1,
  Trips,
  { since: "2026-11-01", sunset: "2027-05-01", instead: "POST /v2/trips, with a cabin." },
  {
    book: {
      up: (trip) => ({ ...trip, cabin: "economy" }),
      down: ({ ticket }) => ({ ticket }),
      failures: { CabinFull: "SoldOut" },
      signals: { approved: ({ by }) => ({ by, limit: 10_000 }) },
    },
    follow: {},
  },
);
