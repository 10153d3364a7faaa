// What is inferred, to the letter, and what must not compile. `tsc` fails here if any of the mistakes begins to compile.
import { z } from "zod";
import { command, contract, event, failure, type NameOf, query, signal } from "../../contracts/index.ts";
import { type Step, type Undone, type Workflow, workflow } from "../index.ts";
import type { Tags } from "./tags.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function is<T extends true>(): T;

const Seat = z.object({ flight: z.string(), booking: z.uuid() });
const Ticket = z.object({ ticket: z.string() });
const Bookings = contract("bookings", "1.0.0", {
  hold: command({ input: Seat, failures: { SoldOut: failure(409, "No seat is left.") } }),
  ticket: command({ input: Seat, output: Ticket }),
  release: command({ input: Seat }),
  SeatHeld: event(Seat),
});
const Fares = contract("fares", "1.0.0", {
  quote: query({ input: z.object({ flight: z.string() }), output: z.number() }),
});
const SeatMaps = contract("seat-maps", "1.0.0", {
  open: command({
    input: z.object({ at: z.iso.datetime().transform((text) => new Date(text)), seats: z.int().default(180) }),
    output: z.object({ since: z.iso.datetime().transform((text) => new Date(text)) }),
  }),
  Opened: event(z.object({})),
});
const Trips = contract("trips", "1.0.0", {
  book: command({
    input: Seat.extend({ lastKnownFare: z.number(), until: z.iso.date().transform((text) => new Date(text)) }),
    output: Ticket,
    failures: {
      NotApproved: failure(403, "Nobody approved the fare in time."),
      TooDear: failure(422, "Too dear.", { details: z.object({ most: z.number() }) }),
    },
    signals: { approved: signal(z.object({ by: z.string() }), { access: "trips:approve" }) },
  }),
  tidy: command({ input: z.object({}) }),
});
const Airports = contract("airports", "1.0.0", {
  page: query({ input: z.object({ iata: z.string() }), output: z.object({ name: z.string() }) }),
});

// a workflow knows what it implements and what it needs
const book = workflow(Trips.book, { version: 1, uses: [Bookings, Fares] }, async (trip, { bookings }) =>
  bookings.ticket(trip),
);
is<Equal<typeof book, Workflow<"trips.book", "bookings" | "fares", Tags, typeof Trips.book>>>();
const alone = workflow(Trips.tidy, { version: 1 }, async () => {});
is<Equal<typeof alone, Workflow<"trips.tidy", never, Tags, typeof Trips.tidy>>>();
is<Equal<NameOf<typeof SeatMaps>, "seat-maps">>();

// input, steps, fallbacks, signals
workflow(Trips.book, { version: 1, uses: [Bookings, Fares] }, async (trip, { bookings, fares, run, fail }) => {
  is<Equal<typeof trip.until, Date>>();
  is<Equal<keyof typeof bookings, "hold" | "ticket" | "release">>();
  is<Equal<ReturnType<typeof bookings.ticket>, Step<{ ticket: string }>>>();
  is<Equal<ReturnType<typeof bookings.hold>, Step<void>>>();
  const amount = await fares.quote(trip, { timeout: "2s", attempts: 3, name: "first quote" }).or(() => 100);
  is<Equal<typeof amount, number>>();
  const maybe = await fares.quote(trip).or(() => undefined);
  is<Equal<typeof maybe, number | undefined>>();
  const asked = await fares.quote(trip).or(async (_why) => {
    is<Equal<typeof _why, unknown>>();
    return "later" as const;
  });
  is<Equal<typeof asked, number | "later">>();
  const approved = await run.signal.approved.within("2 days");
  is<Equal<typeof approved, { by: string } | undefined>>();
  const certain = await run.signal.approved;
  is<Equal<typeof certain, { by: string }>>();
  is<Equal<[ReturnType<typeof run.now>, ReturnType<typeof run.random>], [Date, number]>>();
  if (!approved) throw fail.NotApproved();
  is<Equal<typeof approved, { by: string }>>();
  if (amount > 2_000) fail.TooDear({ most: 2_000 });
  return bookings.ticket(trip);
});

// side by side
workflow(Trips.book, { version: 1, uses: [Bookings, Fares] }, async (trip, { bookings, fares, run }) => {
  const [price, rolled] = await run.all([fares.quote(trip), run.step("roll", () => "six" as const)]);
  is<Equal<typeof price, number>>();
  is<Equal<typeof rolled, "six">>();
  const tickets = await run.all([1, 2], async (item, branch) => {
    is<Equal<typeof item, number>>();
    is<Equal<keyof typeof branch, "bookings" | "fares" | "run" | "fail">>();
    return branch.bookings.ticket(trip);
  });
  is<Equal<typeof tickets, { ticket: string }[]>>();
  return bookings.ticket(trip);
});

// side by side, by name, and the first of several
const Jobs = contract("jobs", "1.0.0", {
  go: command({ input: Seat, output: z.number(), progress: z.object({ done: z.int().default(0) }) }),
  Gone: event(z.object({ at: z.iso.datetime().transform((text) => new Date(text)) })),
});
workflow(Jobs.go, { version: 1, uses: [Bookings, Fares, Trips] }, async (seat, { bookings, fares, run }) => {
  const named = await run.all({ price: fares.quote(seat), seat: async ({ bookings }) => bookings.ticket(seat) });
  is<Equal<typeof named, { price: number; seat: { ticket: string } }>>();
  const first = await run.race([fares.quote(seat), bookings.ticket(seat), run.sleep("1 day")]);
  is<Equal<typeof first, number | { ticket: string } | void>>();
  const winner = await run.race({ price: fares.quote(seat), over: run.sleep("1 day") });
  if (winner.winner === "price") is<Equal<typeof winner.value, number>>();
  const some = await run.any(["a", "b"], async (item, { fares }) => {
    is<Equal<typeof item, string>>();
    return fares.quote(seat);
  });
  is<Equal<typeof some, number>>();
  const inTime = await run.within("10s", async ({ fares }) => fares.quote(seat));
  is<Equal<typeof inTime, number>>();
  const step = await run.within("10s", bookings.ticket(seat));
  is<Equal<typeof step, { ticket: string }>>();
  await run.until(new Date(0));
  await fares.quote(seat, {
    deadline: "1 minute",
    retry: { backoff: "1s", factor: 3, max: "1 minute", jitter: false },
  });
  const child = await run.child(Trips.book, { ...seat, lastKnownFare: 1, until: "2026-01-01" });
  is<Equal<ReturnType<typeof child.result>, Step<{ ticket: string }>>>();
  is<Equal<typeof child.run, string>>();
  await run.emit(Bookings.SeatHeld, seat).undo(() => bookings.release(seat));
  await run.emit(Jobs.Gone, { at: "2026-01-01T00:00:00Z" });
  run.progress({});
  run.progress({ done: 1 });
  if (run.changed("greeting")) throw run.continueAsNew(seat);

  // @ts-expect-error what is read is no instant on the wire
  await run.emit(Jobs.Gone, { at: new Date() });
  // @ts-expect-error an event of a contract that it does not use
  await run.emit(SeatMaps.Opened, {});
  // @ts-expect-error a query is no child
  await run.child(Fares.quote, { flight: "x" });
  // @ts-expect-error a command of a contract that it does not use
  await run.child(SeatMaps.open, { at: "x" });
  // @ts-expect-error a wrong input
  await run.child(Trips.book, seat);
  // @ts-expect-error not what the contract declares
  run.progress({ done: "1" });
  // @ts-expect-error not the workflow's input
  if (seat.flight) throw run.continueAsNew({ flight: "x" });
  // @ts-expect-error an instant is a Date
  await run.until("2026-01-01");
  // @ts-expect-error a branch reaches no more than the workflow does
  await run.race({ one: async ({ jobs }) => jobs });
  return 1;
});
workflow(Trips.tidy, { version: 1 }, async (_, { run }) => {
  // @ts-expect-error its contract declares no progress
  run.progress({ done: 1 });
});

// undo is told what became of the step
workflow(Trips.book, { version: 1, uses: [Bookings, Fares] }, async (trip, { bookings, fares, run }) => {
  await bookings.ticket(trip).undo((done) => {
    is<Equal<typeof done, Undone<{ ticket: string }>>>();
    is<Equal<typeof done.result, { ticket: string } | undefined>>();
    is<Equal<typeof done.outcome, "done" | "unknown">>();
    is<Equal<[typeof done.of, typeof done.key], [string, string]>>();
    return bookings.release(trip);
  });
  await bookings.hold(trip).undo(() => {});
  // @ts-expect-error the result may be missing: the outcome may be unknown
  await bookings.ticket(trip).undo(({ result }) => bookings.release({ ...trip, booking: result.ticket }));
  const chained = await fares
    .quote(trip)
    .undo(() => bookings.release(trip))
    .or(() => "none" as const);
  is<Equal<typeof chained, number | "none">>();
  const key = await run.step("pay", async ({ key, attempt, aborted }) => {
    is<Equal<[typeof key, typeof attempt, typeof aborted], [string, number, AbortSignal]>>();
    return key;
  });
  is<Equal<typeof key, string>>();
  return bookings.ticket(trip);
});

// written is not read; kebab-case becomes camelCase
workflow(Trips.book, { version: 1, uses: [SeatMaps] }, async (_, { seatMaps }) => {
  const { since } = await seatMaps.open({ at: "2026-01-01T00:00:00Z" });
  is<Equal<typeof since, Date>>();
  // @ts-expect-error what is written is text, not a date
  await seatMaps.open({ at: since });
  return { ticket: "" };
});

// literals stay literal
const Lights = contract("lights", "1.0.0", {
  turn: command({ input: z.object({}), output: z.object({ now: z.enum(["red", "green"]) }) }),
});
workflow(Lights.turn, { version: 1 }, async () => ({ now: "red" }));
// @ts-expect-error a literal that is none of them
workflow(Lights.turn, { version: 1 }, async () => ({ now: "blue" }));

// mistakes, one a line
workflow(Trips.book, { version: 1, uses: [Bookings] }, async (trip, { bookings, run, fail }) => {
  // @ts-expect-error a wrong input
  await bookings.hold({ flight: trip.flight });
  // @ts-expect-error an operation that the contract does not have
  await bookings.hld(trip);
  // @ts-expect-error an event is no step
  await bookings.SeatHeld(trip);
  // @ts-expect-error an undeclared signal
  await run.signal.aproved.within("2 days");
  // @ts-expect-error not a time
  await run.signal.approved.within("2 fortnights");
  // @ts-expect-error not a time
  await run.sleep(1_000);
  // @ts-expect-error not a time
  await bookings.hold(trip, { timeout: "soon" });
  // @ts-expect-error a misspelt policy
  await bookings.hold(trip, { retries: 3 });
  // @ts-expect-error an undeclared failure
  if (!trip.flight) throw fail.NoFlight();
  // @ts-expect-error details that are missing
  if (!trip.flight) throw fail.TooDear();
  // @ts-expect-error a wrong fallback is seen where it is used
  (await bookings.ticket(trip).or(() => ({ tickt: "" }))).ticket;
  // @ts-expect-error a branch reaches no more than the workflow does
  await run.all([1], async (_, { fares }) => fares);
  return bookings.ticket(trip);
});
// @ts-expect-error a contract that it does not list in `uses`
workflow(Trips.book, { version: 1, uses: [Bookings] }, async (_, { fares }) => ({ ticket: String(fares) }));
// @ts-expect-error a wrong output
workflow(Trips.book, { version: 1, uses: [Bookings] }, async (trip, { bookings }) => bookings.hold(trip));
// @ts-expect-error a wrong output
workflow(Trips.book, { version: 1 }, async () => ({ tickt: "x" }));
// @ts-expect-error a query is no workflow
workflow(Airports.page, { version: 1 }, async () => ({ name: "" }));
// @ts-expect-error an event is no workflow
workflow(Bookings.SeatHeld, { version: 1 }, async () => {});
// @ts-expect-error a version is missing
workflow(Trips.tidy, {}, async () => {});
// @ts-expect-error what it uses are contracts
workflow(Trips.tidy, { version: 1, uses: [Bookings.hold] }, async () => {});

// limits read the input as the handler does
const limits = {
  concurrency: { limit: 10, key: ({ flight }: { readonly flight: string }) => flight },
  rate: { limit: 600, per: "1m", burst: 20 },
} as const;
const limited = workflow(Trips.book, { version: 1, uses: [Bookings], ...limits }, async (trip, { bookings }) =>
  bookings.ticket(trip),
);
is<Equal<typeof limited, Workflow<"trips.book", "bookings", Tags, typeof Trips.book>>>();
workflow(
  Trips.book,
  {
    version: 1,
    concurrency: { limit: 1, key: ({ until }) => until.toISOString() },
    priority: ({ lastKnownFare }) => (lastKnownFare > 100 ? 1 : 0),
    fairness: ({ flight }) => flight,
  },
  async () => ({ ticket: "t" }),
);
// @ts-expect-error: a key is a text
workflow(Trips.tidy, { version: 1, concurrency: { limit: 1, key: () => 7 } }, async () => {});
// @ts-expect-error: a rate says in which time
workflow(Trips.tidy, { version: 1, rate: { limit: 1 } }, async () => {});
// @ts-expect-error: the input has no such field
workflow(Trips.tidy, { version: 1, fairness: ({ tenant }) => tenant }, async () => {});
