// What the layers of this backend share, and all that they share.
import { command, contract, event, failure, impersonal, personal, query, signal, subject } from "trilith/contracts";
import { z } from "zod";

const Seat = z.object({
  flight: z.string().regex(/^[A-Z0-9]{3}-[A-Z0-9]{3}-\d{8}-\d{4}$/, "A flight is named like ABQ-DAL-20010227-1430."),
  booking: subject(z.uuid()),
  traveller: personal(z.string().min(1).max(200)),
});
export const Booking = Seat.extend({
  status: z.enum(["held", "ticketed", "checkedIn", "released"]),
  ticket: z.string().optional(),
});
const Place = Seat.omit({ traveller: true });
const Ticket = z.object({ ticket: z.string() });
const SoldOut = failure(409, "No seat is left.");

/** What the examples speak of: one seat, and the trip that it is part of. */
const place = { flight: "ABQ-DAL-20010227-1430", booking: "0f5b4a52-3a0e-4c6b-9d0a-5d7f0c1c2b11" };
const seat = { ...place, traveller: "Ada Lovelace" };
const payment = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
const ticket = "T-0F5B4A52";

export const Bookings = contract(
  "bookings",
  { version: "1.0.0", owner: "trips", summary: "Seats on flights." },
  {
    hold: command({
      input: Seat,
      failures: { SoldOut },
      examples: [{ input: seat }, { input: seat, failure: "SoldOut" }],
    }),
    ticket: command({ input: Place, output: Ticket, examples: [{ input: place, output: { ticket } }] }),
    release: command({ input: Place, examples: [{ input: place }] }),
    checkIn: command({
      input: Place,
      failures: { NotTicketed: failure(409, "There is no ticket to check in with.") },
      http: "POST /check-ins",
      access: "trips:book",
      summary: "Checks in.",
      examples: [{ input: place }, { input: place, failure: "NotTicketed" }],
    }),
    get: query({
      input: Seat.pick({ booking: true }),
      output: Booking,
      failures: { NotFound: failure(404, "No such booking.") },
      http: "GET /bookings/{booking}",
      access: "bookings:read",
      summary: "One booking.",
      examples: [{ input: { booking: place.booking }, output: { ...seat, status: "ticketed", ticket } }],
    }),
    list: query({
      input: z.object({ flight: Seat.shape.flight, status: Booking.shape.status.optional() }),
      output: z.array(Booking),
      http: "GET /flights/{flight}/bookings",
      access: "bookings:read",
      summary: "The bookings of a flight.",
      examples: [{ input: { flight: place.flight, status: "held" }, output: [{ ...seat, status: "held" }] }],
    }),
    SeatHeld: event(Seat),
    Ticketed: event(Place.extend(Ticket.shape)),
    CheckedIn: event(Place),
    Released: event(Place),
  },
);

export const Payments = contract(
  "payments",
  { version: "1.0.0", owner: "payments", summary: "An outside payment service." },
  {
    charge: command({
      input: z.object({ payment: z.uuid(), card: personal(z.string()), amount: z.number().positive() }),
      failures: { Refused: failure(409, "The payment was refused.") },
      examples: [{ input: { payment, card: "4111-1111", amount: 237.62 } }],
    }),
    refund: command({ input: z.object({ payment: z.uuid() }), examples: [{ input: { payment } }] }),
  },
);

export const Fares = contract(
  "fares",
  { version: "1.0.0", owner: "fares", summary: "An outside fare service." },
  {
    quote: query({
      input: z.object({ flight: z.string() }),
      output: z.number().positive(),
      failures: { UnknownFlight: failure(404, "There is no such flight.") },
      examples: [
        { input: { flight: place.flight }, output: 237.62 },
        { input: { flight: "ABQ-MARS" }, failure: "UnknownFlight" },
      ],
    }),
  },
);

export const Trips = contract(
  "trips",
  { version: "1.0.0", owner: "trips", summary: "Booking a trip." },
  {
    book: command({
      input: Seat.extend({ card: personal(z.string().min(4).max(40)), lastKnownFare: z.number().positive() }),
      output: Ticket,
      failures: {
        SoldOut,
        UnknownFlight: failure(404, "There is no such flight."),
        NotApproved: failure(403, "Nobody approved the fare in time."),
      },
      signals: { approved: signal(z.object({ by: z.string() }), { access: "trips:approve" }) },
      http: "POST /trips",
      access: "trips:book",
      summary: "Books a trip: a seat, a fare, a payment, a ticket, or nothing at all.",
      examples: [{ input: { ...seat, card: "4111-1111", lastKnownFare: 230 }, output: { ticket } }],
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
      examples: [{ input: place, output: { end: "flown" } }],
    }),
    Paid: event(Seat.pick({ booking: true })),
  },
);

export const Delay = z.object({ flight: z.string(), to: z.string(), minutes: z.int(), at: z.iso.datetime() });
const Position = z.object({ latitude: z.number().min(-90).max(90), longitude: z.number().min(-180).max(180) });

const Iata = z.string().regex(/^[A-Z0-9]{3}$/, "An airport has three letters, like ABQ.");

/** What the registries agree on, or what a rule chose where they do not. */
const Golden = z.object({
  iata: z.string(),
  name: impersonal(z.string()),
  city: z.string().optional(),
  country: z.string().length(2).optional(),
  position: Position.optional(),
});

export const Airports = contract(
  "airports",
  { version: "1.0.0", owner: "trips", summary: "What is known of an airport." },
  {
    page: query({
      input: z.object({ iata: Iata }),
      output: z.object({
        name: impersonal(z.string()),
        city: z.string().optional(),
        country: z.string().optional(),
        position: Position.optional(),
        delays: z.array(Delay).optional(),
      }),
      failures: { NotFound: failure(404, "No registry knows this airport.") },
      http: "GET /airports/{iata}",
      access: "public",
      summary: "One honest page out of three registries that disagree.",
      examples: [
        { input: { iata: "ABQ" }, output: { name: "Albuquerque International Sunport", city: "Albuquerque" } },
      ],
    }),
    list: query({
      input: z.object({
        country: z
          .string()
          .regex(/^[A-Z]{2}$/, "A country has two letters, like US.")
          .optional(),
        after: z.string().optional(),
        limit: z.int().positive().optional(),
      }),
      output: z.object({
        items: z.array(Golden),
        complete: z.boolean(),
        next: z.string().optional(),
        missing: z.array(z.string()).optional(),
        found: z.int().optional(),
      }),
      http: "GET /airports",
      access: "public",
      summary: "The golden records of all airports, page by page.",
      examples: [
        {
          input: { country: "NR" },
          output: {
            items: [
              {
                iata: "INU",
                name: "Nauru International Airport",
                city: "Nauru",
                country: "NR",
                position: { latitude: -0.54746, longitude: 166.91901 },
              },
            ],
            complete: true,
            missing: [],
            found: 1,
          },
        },
      ],
    }),
  },
);

export const Hour = z.object({
  iata: Iata,
  hour: z.iso.datetime(),
  departures: z.int(),
  /** Flights whose delay is known. */
  reported: z.int(),
  /** More than a quarter of an hour late. */
  late: z.int(),
  averageMinutes: z.number().nullable(),
  worstMinutes: z.number().nullable(),
  /** How often this hour has been told of again, because reports came late. */
  revision: z.int(),
});
const hour = {
  iata: "ABQ",
  hour: "2001-02-27T21:00:00.000Z",
  ...{ departures: 2, reported: 2, late: 1, averageMinutes: 11.5, worstMinutes: 23, revision: 0 },
};

export const Punctuality = contract(
  "punctuality",
  { version: "1.0.0", owner: "trips", summary: "How punctual the departures of an airport were, hour by hour." },
  {
    record: command({ input: Hour, examples: [{ input: hour }] }),
    hours: query({
      input: z.object({ iata: Iata }),
      output: z.array(Hour),
      http: "GET /airports/{iata}/hours",
      access: "public",
      summary: "The latest hours of which the reports have come in.",
      examples: [{ input: { iata: "ABQ" }, output: [hour] }],
    }),
    HourCounted: event(Hour),
  },
);
