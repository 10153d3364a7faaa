import { describe, expect, it } from "vitest";
import { Bookings, Fares, Payments } from "../../examples/trips/contracts.ts";
import { bookTrip } from "../../examples/trips/orchestration/book-trip.ts";
import { type BenchOptions, crashEverywhere, fake, lostAnswer, workflowBench } from "./index.ts";

const trip = {
  flight: "ABQ-DAL-20010227-1430",
  booking: "6f9c0ad2-8c14-4bb1-9d0c-5d3c2f1d7a10",
  traveller: "Ada",
  card: "card-1815",
  lastKnownFare: 200,
};

interface Wishes {
  readonly fare?: number;
  readonly refuse?: boolean;
  readonly lost?: boolean;
}
function onTheBench({ fare = 120, refuse = false, lost = false }: Wishes, options: BenchOptions = {}) {
  const bookings = fake(Bookings, { hold: () => {}, ticket: () => ({ ticket: "T-1" }), release: () => {} });
  const fares = fake(Fares, { quote: () => fare });
  const books = new Map<string, number>();
  const payments = fake(
    Payments,
    {
      charge({ payment, amount }, { fail, nth }) {
        if (refuse) fail.Refused();
        books.set(payment, amount);
        if (lost && nth % 2 === 1) throw lostAnswer();
      },
      refund({ payment }) {
        books.set(payment, 0);
      },
    },
    { as: "outside" },
  );
  return { bench: workflowBench(bookTrip, [bookings, fares, payments], options), books };
}
const effects = (calls: readonly { readonly operation: string }[]): readonly string[] =>
  calls.map(({ operation }) => operation);

/** A payment of which nobody knows is refunded all the same, which leaves a tombstone: no money, but an entry. */
const keptOf = (books: ReadonlyMap<string, number>): readonly number[] =>
  [...books.values()].filter((amount) => amount > 0);

describe("the workflow of the example, on the bench", () => {
  it("books a trip", async () => {
    const { bench } = onTheBench({});
    expect(await bench.run(trip)).toEqual({ ticket: "T-1" });
    expect(effects(bench.calls)).toEqual(["bookings.hold", "fares.quote", "payments.charge", "bookings.ticket"]);
  });

  it("gives the seat back when the payment is refused", async () => {
    const { bench } = onTheBench({ refuse: true });
    await expect(bench.run(trip)).rejects.toMatchObject({ code: "Internal" });
    expect(effects(bench.calls)).toEqual(["bookings.hold", "fares.quote", "bookings.release"]);
  });

  it("waits for an approval of a dear trip, and tickets it when it comes", async () => {
    const { bench } = onTheBench({ fare: 600 });
    await bench.begin(trip);
    await bench.pass("5 seconds");
    expect(bench.row?.state).toBe("waiting");
    await bench.signal("approved", { by: "bob" });
    expect(await bench.end()).toEqual({ ticket: "T-1" });
  });

  it("undoes a dear trip that nobody approves", async () => {
    const { bench, books } = onTheBench({ fare: 600 });
    await expect(bench.run(trip)).rejects.toMatchObject({ code: "NotApproved" });
    expect([...books.values()]).toEqual([0]);
    expect(effects(bench.calls).slice(-2)).toEqual(["payments.refund", "bookings.release"]);
  });
});

describe("a crash at every commit", () => {
  const stories: { readonly [name: string]: Wishes } = {
    "a trip that is booked": {},
    "a trip whose payment's answer gets lost": { lost: true },
    "a trip that nobody approves": { fare: 600 },
    "a trip whose payment is refused": { refuse: true },
  };
  for (const [name, wishes] of Object.entries(stories)) {
    it(`changes nothing for ${name}`, async () => {
      const crashes = await crashEverywhere(
        async (options) => {
          const { bench, books } = onTheBench(wishes, options);
          const end = await bench.run(trip).catch((error: { code: string }) => error.code);
          return { bench, told: { end, kept: keptOf(books), state: bench.row?.state } };
        },
        (told, undisturbed, where) => expect(told, where).toEqual(undisturbed),
      );
      expect(crashes).toBeGreaterThan(12);
    });
  }

  it("is found out where a step is repeated under another key", async () => {
    const { bench } = onTheBench({}, { crash: { at: 3, afterWriting: false } });
    await bench.run(trip);
    expect(bench.crashed).toBe(true);
    const charges = bench.calls.filter(({ operation }) => operation === "payments.charge");
    expect(new Set(charges.map(({ key }) => key)).size).toBe(1);
  });
});
