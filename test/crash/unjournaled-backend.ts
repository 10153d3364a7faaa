// The example with one thing taken away: the payment is an ordinary request of the workflow's code, not a step.
import { randomUUID } from "node:crypto";
import { backend } from "trilith";
import { workflow } from "trilith/orchestration";
import { airportPage } from "../../examples/trips/aggregation/airport-page.ts";
import { Bookings, Fares, Payments, Trips } from "../../examples/trips/contracts.ts";
import { bookingStore } from "../../examples/trips/storage/bookings.ts";

const payments = process.env.TRILITH_REMOTE_PAYMENTS_URL;

const bookTrip = workflow(Trips.book, { version: 1, uses: [Bookings, Fares, Payments] }, async (trip, { bookings }) => {
  await bookings.hold(trip).undo(() => bookings.release(trip));
  const body = JSON.stringify({ payment: randomUUID(), card: trip.card, amount: trip.lastKnownFare });
  await fetch(`${payments}/charge`, { method: "POST", headers: { "content-type": "application/json" }, body });
  return bookings.ticket(trip);
});

export default backend("trips", {
  storage: [bookingStore],
  orchestration: [bookTrip],
  aggregation: [airportPage],
  remote: { payments: "https://payments.test", fares: "https://fares.test" },
});
