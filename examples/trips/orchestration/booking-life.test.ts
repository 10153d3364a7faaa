import { type BenchOptions, crashEverywhere, fake, workflowBench } from "trilith/testing";
import { expect, test } from "vitest";
import { Bookings } from "../contracts.ts";
import { bookingLife } from "./booking-life.ts";

const place = { flight: "ABQ-DAL-20010227-1430", booking: "0f5b4a52-3a0e-4c6b-9d0a-5d7f0c1c2b11" };
const onTheBench = (options: BenchOptions = {}) =>
  workflowBench(bookingLife, [fake(Bookings, { release: () => {} })], options);

test("a booking is flown a day after its check-in, whatever crashes on the way", async () => {
  await crashEverywhere(
    async (options) => {
      const bench = onTheBench(options);
      const states: unknown[] = [];
      await bench.begin(place);
      for (const [signal, payload] of [
        ["paid", {}],
        ["ticketed", { ticket: "T-1" }],
        ["checkedIn", {}],
      ] as const) {
        states.push((bench.progress as { state: string }).state);
        await bench.signal(signal, payload);
      }
      await bench.pass("1 day");
      return { bench, told: { states, end: await bench.end(), released: bench.calls.length } };
    },
    (told, undisturbed, where) => {
      expect(told, where).toEqual(undisturbed);
      expect(told).toEqual({ states: ["held", "paid", "ticketed"], end: { end: "flown" }, released: 0 });
    },
  );
});

test("a seat that nobody pays for within half an hour is free again", async () => {
  const bench = onTheBench();
  await bench.begin(place);
  await bench.pass("30 minutes");
  expect(await bench.end()).toEqual({ end: "expired" });
  expect(bench.calls).toMatchObject([{ operation: "bookings.release", input: place }]);
});
