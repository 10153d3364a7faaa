// A booking's life, as long as it lasts: a machine that follows what storage and the booking of the trip say.
import { machine, signalFrom, startOn } from "trilith/orchestration";
import { Bookings, Trips } from "../contracts.ts";

export const bookingLife = machine(Trips.follow, {
  version: 1,
  uses: [Bookings],
  actions: {
    release: async ({ context, bookings }) => {
      await bookings.release(context);
    },
  },
  initial: "held",
  states: {
    held: { on: { paid: "paid", released: "released" }, after: { "30 minutes": "expired" } }, // nobody keeps a seat for nothing
    paid: { on: { ticketed: "ticketed", released: "released" } },
    ticketed: { on: { checkedIn: "checkedIn", released: "released" } },
    checkedIn: { after: { "1 day": "flown" } }, // check-in opens a day before departure
    flown: { type: "final" },
    expired: { entry: "release", type: "final" },
    released: { type: "final" },
  },
  output: ({ state }) => ({ end: state as "flown" | "expired" | "released" }), // the final ones
  progress: ({ state }) => ({ state: String(state) }),
});

const ofBooking = { key: ({ booking }: { readonly booking: string }) => booking, payload: () => ({}) };

/** A seat that is held begins a life, and what happens to it is told to that one. */
export const followBookings = startOn(Bookings.SeatHeld, Trips.follow, {
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
