// The composition root: the only file that knows every layer.
import { backend } from "trilith";
import { airportPage } from "./aggregation/airport-page.ts";
import { goldenAirports } from "./aggregation/golden-airports.ts";
import { hourlyDelaysFeed } from "./aggregation/hourly-delays.ts";
import { bookTrip } from "./orchestration/book-trip.ts";
import { bookingLife, followBookings } from "./orchestration/booking-life.ts";
import { reportsOf } from "./run/reports.ts";
import { bookingStore } from "./storage/bookings.ts";
import { hourStore } from "./storage/hours.ts";

export default backend("trips", {
  version: "1.0.0",
  storage: [bookingStore, hourStore],
  orchestration: [bookTrip, bookingLife, followBookings],
  aggregation: [airportPage, goldenAirports],
  feeds: [hourlyDelaysFeed(reportsOf("departures"), reportsOf("delays"))],
  remote: { payments: "https://payments.test", fares: "https://fares.test" }, // overridden by TRILITH_REMOTE_…_URL
});
