// Facts: who holds which seat.
import { entity, readModel, store } from "trilith/storage";
import { z } from "zod";
import { Booking, Bookings } from "../contracts.ts";

/** Few, so that a race for the last one can be watched. */
const seatsOnSale = 4;

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
  version: 2,
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

export const bookingStore = store(
  Bookings,
  { flights, bookings },
  {
    hold: (seat, { flights, fail }) =>
      flights(seat.flight).decide(({ taken }, { SeatHeld }) =>
        taken.length < seatsOnSale ? SeatHeld(seat) : fail.SoldOut(),
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
