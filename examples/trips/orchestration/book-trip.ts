// Decisions: what is done in which order, and what is undone. Every awaited call is a durable step.
import { Failed } from "trilith/contracts";
import { workflow } from "trilith/orchestration";
import { Bookings, Fares, Payments, Trips } from "../contracts.ts";

/** Dollars above which somebody has to agree. */
const approvalLimit = 500;

export const bookTrip = workflow(
  Trips.book,
  { version: 1, uses: [Bookings, Fares, Payments] },
  async (trip, { bookings, fares, payments, run, fail }) => {
    const payment = run.uuid();
    await bookings.hold(trip).undo(() => bookings.release(trip)); // the undo is on disk before the seat is held
    const amount = await fares
      .quote(trip, { timeout: "800ms", attempts: 2 })
      .or((why) => (why instanceof Failed ? fail.UnknownFlight() : trip.lastKnownFare)); // a visible fallback: an old fare beats none
    await payments
      .charge({ payment, card: trip.card, amount }, { timeout: "2s", attempts: 6 })
      .undo(() => payments.refund({ payment }, { timeout: "2s" }));
    await run.emit(Trips.Paid, { booking: trip.booking });
    if (amount > approvalLimit && !(await run.signal.approved.within("20 seconds"))) throw fail.NotApproved();
    return bookings.ticket(trip);
  },
);
