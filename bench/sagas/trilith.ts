import { command, contract, failure, query, signal } from "trilith/contracts";
import { workflow } from "trilith/orchestration";
import { z } from "zod";

const Trip = z.object({ flight: z.string(), booking: z.uuid(), card: z.string(), lastKnownFare: z.number() });
const Place = Trip.pick({ flight: true, booking: true });
const Ticket = z.object({ ticket: z.string() });

export const Bookings = contract("bookings", "1.0.0", {
  hold: command({ input: Place, failures: { SoldOut: failure(409, "No seat is left.") } }),
  release: command({ input: Place }),
  ticket: command({ input: Place, output: Ticket }),
});
export const Payments = contract("payments", "1.0.0", {
  charge: command({ input: z.object({ payment: z.uuid(), card: z.string(), amount: z.number() }) }),
  refund: command({ input: z.object({ payment: z.uuid() }) }),
});
export const Fares = contract("fares", "1.0.0", {
  quote: query({ input: Place, output: z.number() }),
});
export const Trips = contract("trips", "1.0.0", {
  book: command({
    input: Trip,
    output: Ticket,
    failures: {
      SoldOut: failure(409, "No seat is left."),
      NotApproved: failure(403, "Nobody approved the fare in time."),
    },
    signals: { approved: signal(z.object({ by: z.string() }), { access: "trips:approve" }) },
    http: "POST /trips",
    access: "trips:book",
  }),
});

export const bookTrip = workflow(
  Trips.book,
  { version: 1, uses: [Bookings, Fares, Payments] },
  async (trip, { bookings, fares, payments, run, fail }) => {
    const payment = run.uuid();
    await bookings.hold(trip).undo(() => bookings.release(trip));
    const amount = await fares.quote(trip, { timeout: "2s" }).or(() => trip.lastKnownFare);
    await payments
      .charge({ payment, card: trip.card, amount }, { attempts: 5 })
      .undo(() => payments.refund({ payment }));
    if (amount > 2_000 && !(await run.signal.approved.within("2 days"))) throw fail.NotApproved();
    return bookings.ticket(trip);
  },
);
