// The example's backend a year later, started on the data of the first one.
import { backend } from "trilith";
import { Failed } from "trilith/contracts";
import { machine, signalFrom, startOn, workflow } from "trilith/orchestration";
import { entity, readModel, store } from "trilith/storage";
import { z } from "zod";
import { airportPage } from "../../../examples/trips/aggregation/airport-page.ts";
import { goldenAirports } from "../../../examples/trips/aggregation/golden-airports.ts";
import { hourStore } from "../../../examples/trips/storage/hours.ts";
import { Booking, Bookings, Fares, Payments, Trips, tripsV1 } from "./contracts.ts";

const flights = entity("flight", {
  events: Bookings,
  state: z.object({ taken: z.array(z.string()), ticketed: z.array(z.string()) }),
  initial: { taken: [], ticketed: [] },
  evolve: {
    SeatHeld: (flight, { booking }) => ({ ...flight, taken: [...flight.taken, booking] }),
    Ticketed: (flight, { booking }) => ({ ...flight, ticketed: [...flight.ticketed, booking] }),
    CheckedIn: (flight) => flight,
    Released: ({ taken, ticketed }, { booking }) => ({
      taken: taken.filter((other) => other !== booking),
      ticketed: ticketed.filter((other) => other !== booking),
    }),
  },
});
const bookings = readModel("booking", {
  version: 3,
  events: Bookings,
  row: Booking,
  key: "booking",
  indexes: ["flight", "status"],
  on: {
    SeatHeld: (seat, rows) => rows.put({ ...seat, status: "held" }),
    Ticketed: ({ booking, ticket }, rows) => rows.patch(booking, { status: "ticketed", ticket }),
    CheckedIn: ({ booking }, rows) => rows.patch(booking, { status: "checkedIn" }),
    Released: ({ booking }, rows) => rows.patch(booking, { status: "released" }),
  },
});
const bookingStore = store(
  Bookings,
  { flights, bookings },
  {
    hold: (seat, { flights, fail }) =>
      flights(seat.flight).decide(({ taken }, { SeatHeld }) =>
        taken.length < 4 ? SeatHeld({ ...seat, cabin: seat.cabin ?? "economy" }) : fail.SoldOut(),
      ),
    ticket: async (place, { flights }) => {
      const ticket = `T-${place.booking.slice(0, 8).toUpperCase()}`;
      await flights(place.flight).decide((_, { Ticketed }) => Ticketed({ ...place, ticket }));
      return { ticket };
    },
    release: (place, { flights }) =>
      flights(place.flight).decide(({ taken }, { Released }) => (taken.includes(place.booking) ? Released(place) : [])),
    checkIn: async (place, { flights, fail }) => {
      await flights(place.flight).decide(({ ticketed }, { CheckedIn }) =>
        ticketed.includes(place.booking) ? CheckedIn(place) : fail.NotTicketed(),
      );
    },
    get: async ({ booking }, { bookings, fail }) => (await bookings.get(booking)) ?? fail.NotFound(),
    list: ({ flight, status }, { bookings }) => bookings.find(status ? { flight, status } : { flight }, { limit: 100 }),
  },
);

/** Version 1 stays for the runs that began with it, and does what it did; version 2 knows of cabins. */
const bookTrip = (version: 1 | 2) =>
  workflow(
    Trips.book,
    { version, uses: [Bookings, Fares, Payments] },
    async ({ cabin, ...trip }, { bookings, fares, payments, run, fail }) => {
      const payment = run.uuid();
      const seat = version === 1 ? trip : { ...trip, cabin };
      await bookings.hold(seat).undo(() => bookings.release(trip));
      const amount = await fares
        .quote(trip, { timeout: "800ms", attempts: 2 })
        .or((why) => (why instanceof Failed ? fail.UnknownFlight() : trip.lastKnownFare));
      await payments
        .charge({ payment, card: trip.card, amount }, { timeout: "2s", attempts: 6 })
        .undo(() => payments.refund({ payment }, { timeout: "2s" }));
      await run.emit(Trips.Paid, { booking: trip.booking });
      if (amount > 500 && !(await run.signal.approved.within("20 seconds"))) throw fail.NotApproved();
      const { ticket } = await bookings.ticket(trip);
      return { ticket, cabin };
    },
  );

const bookingLife = machine(Trips.follow, {
  version: 1,
  uses: [Bookings],
  actions: {
    release: async ({ context, bookings }) => {
      await bookings.release(context);
    },
  },
  initial: "held",
  states: {
    held: { on: { paid: "paid", released: "released" }, after: { "30 minutes": "expired" } },
    paid: { on: { ticketed: "ticketed", released: "released" } },
    ticketed: { on: { checkedIn: "checkedIn", released: "released" } },
    checkedIn: { after: { "1 day": "flown" } },
    flown: { type: "final" },
    expired: { entry: "release", type: "final" },
    released: { type: "final" },
  },
  output: ({ state }) => ({ end: state as "flown" | "expired" | "released" }), // the final ones
  progress: ({ state }) => ({ state: String(state) }),
});
const ofBooking = { key: ({ booking }: { readonly booking: string }) => booking, payload: () => ({}) };
const followBookings = startOn(Bookings.SeatHeld, Trips.follow, {
  name: "booking-life",
  input: ({ flight, booking }) => ({ flight, booking }),
  key: ({ booking }) => booking,
  signals: {
    paid: signalFrom(Trips.Paid, ofBooking),
    ticketed: signalFrom(Bookings.Ticketed, { ...ofBooking, payload: ({ ticket }) => ({ ticket }) }),
    checkedIn: signalFrom(Bookings.CheckedIn, ofBooking),
    released: signalFrom(Bookings.Released, ofBooking),
  },
});

export default backend("trips", {
  version: "2.0.0",
  storage: [bookingStore, hourStore],
  orchestration: [bookTrip(1), bookTrip(2), bookingLife, followBookings],
  aggregation: [airportPage, goldenAirports],
  older: [tripsV1],
  remote: { payments: "https://payments.test", fares: "https://fares.test" },
});
