// The example's backend a year later, started on the data of the first one.
import { backend } from "trilith";
import { Failed } from "trilith/contracts";
import { workflow } from "trilith/orchestration";
import { entity, readModel, store } from "trilith/storage";
import { z } from "zod";
import { airportPage } from "../../../examples/trips/aggregation/airport-page.ts";
import { Booking, Bookings, Fares, Payments, Trips, tripsV1 } from "./contracts.ts";

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
  version: 2,
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
      if (amount > 500 && !(await run.signal.approved.within("20 seconds"))) throw fail.NotApproved();
      const { ticket } = await bookings.ticket(trip);
      return { ticket, cabin };
    },
  );

export default backend("trips", {
  version: "2.0.0",
  storage: [bookingStore],
  orchestration: [bookTrip(1), bookTrip(2)],
  aggregation: [airportPage],
  older: [tripsV1],
  remote: { payments: "https://payments.test", fares: "https://fares.test" },
});
