import { describe, expect, test } from "vitest";
import { z } from "zod";
import { command, contract, event, failure, query, toFail } from "../contracts/index.ts";
import { type Decision, type Emit, entity, store } from "../storage/index.ts";
import { given, memoryEngine, testStores } from "./index.ts";

const Seat = z.object({
  flight: z.string(),
  booking: z.string(),
  since: z.iso.datetime().transform((at) => new Date(at)),
});
const Place = Seat.pick({ flight: true, booking: true });
const SoldOut = failure(409, "No seat is left.", { details: z.object({ taken: z.int() }) });
const Seats = contract("seats", "1.0.0", {
  hold: command({ input: Seat, failures: { SoldOut } }),
  release: command({ input: Place }),
  taken: query({ input: Place.pick({ flight: true }), output: z.array(z.string()) }),
  Held: event(Seat),
  Released: event(Place),
});

const flights = entity("flight", {
  events: Seats,
  state: z.object({ taken: z.array(z.string()), last: z.string().optional() }),
  initial: { taken: [] },
  evolve: {
    Held: ({ taken }, { booking, since }) => ({ taken: [...taken, booking], last: since.toISOString() }),
    Released: ({ taken, ...flight }, { booking }) => ({ ...flight, taken: taken.filter((one) => one !== booking) }),
  },
});
interface Flight {
  readonly taken: readonly string[];
}
type Emits = Emit<{ Held: typeof Seats.Held; Released: typeof Seats.Released }>;
const fail = toFail("seats.hold", { SoldOut });
const hold =
  (seat: z.input<typeof Seat>) =>
  ({ taken }: Flight, { Held }: Emits): Decision =>
    taken.length < 2 ? Held(seat) : fail.SoldOut({ taken: taken.length });
const release =
  (place: z.input<typeof Place>) =>
  ({ taken }: Flight, { Released }: Emits): Decision =>
    taken.includes(place.booking) ? Released(place) : [];

const at = "2026-01-01T00:00:00.000Z";
const seat = (booking: string) => ({ flight: "UA1", booking, since: at });
const place = { flight: "UA1", booking: "b1" };

describe("given, when, then", () => {
  test("what a decision emits is compared event by event", () => {
    given(flights)
      .when(hold(seat("b1")))
      .thenEmits({ Held: seat("b1") });
    given(flights, { Held: seat("b1") })
      .when(release(place))
      .thenEmits({ Released: place });
    const both = given(flights).when((_, { Held }) => [Held(seat("b1")), Held(seat("b2"))]);
    both.thenEmits({ Held: seat("b1") }, { Held: seat("b2") });
    expect(() => both.thenEmits({ Held: seat("b2") }, { Held: seat("b1") })).toThrow("b2");
    expect(() => both.thenEmits({ Held: seat("b1") })).toThrow();
    expect(() => both.thenNothing()).toThrow();
    expect(() => given(flights).when(release(place)).thenEmits({ Released: place })).toThrow();
  });

  test("what the contract does not declare does not count", () => {
    given(flights)
      .when((_, { Held }) => Held({ ...seat("b1"), card: "4111" } as never))
      .thenEmits({ Held: seat("b1") });
  });

  test("nothing may be what follows", () => {
    given(flights).when(release(place)).thenNothing();
    expect(() =>
      given(flights)
        .when(hold(seat("b1")))
        .thenNothing(),
    ).toThrow("Held");
  });

  test("a declared failure is known by its name and its details", () => {
    const full = given(flights, { Held: seat("b1") }, { Held: seat("b2") }).when(hold(seat("b3")));
    full.thenFails("SoldOut");
    full.thenFails("SoldOut", { taken: 2 });
    expect(() => full.thenFails("NotFound")).toThrow();
    expect(() => full.thenFails("SoldOut", { taken: 3 })).toThrow();
    expect(() => full.thenEmits({ Held: seat("b3") })).toThrow("No seat is left.");
    expect(() =>
      given(flights)
        .when(hold(seat("b1")))
        .thenFails("SoldOut"),
    ).toThrow("It should have failed");
  });

  test("states follow from events, read as their schemas read them", () => {
    given(flights).thenState({ taken: [] });
    given(flights, { Held: seat("b1") }).thenState({ taken: ["b1"], last: at });
    given(flights, { Held: seat("b1") })
      .when(hold(seat("b2")))
      .thenState({ taken: ["b1", "b2"], last: at });
    expect(() => given(flights).thenState({ taken: ["b1"] })).toThrow();
    expect(() =>
      given(flights)
        .when(hold(seat("b1")))
        .thenState({ taken: [] }),
    ).toThrow();
  });

  test("a mistake in a decision is said: waiting, changing the state, emitting what is no event", () => {
    const wrong = (decision: unknown) => given(flights, { Held: seat("b1") }).when(decision as never);
    wrong(async () => []).thenThrows("promise");
    wrong(() => [{ Held: 1 }]).thenThrows("no event");
    wrong((state: { taken: string[] }) => state.taken.push("b2")).thenThrows(/not extensible|read only/);
    wrong((_: unknown, { Held }: { Held: (payload: unknown) => unknown }) => Held({})).thenThrows(
      "does not fit its schema",
    );
    expect(() => wrong(() => []).thenThrows("anything")).toThrow("It should have failed");
    const thrown = given(flights).when(() => {
      throw new Error("broken");
    });
    thrown.thenThrows("broken");
    expect(() => thrown.thenThrows("whole")).toThrow("broken");
    expect(() => thrown.thenFails("SoldOut")).toThrow("broken");
  });

  test("a mistake in what is given is said at once", () => {
    expect(() => given(flights, { Held: { flight: "UA1" } } as never)).toThrow("does not fit its schema");
    expect(() => given(flights, { Sold: {} } as never)).toThrow("It has Held, Released");
    expect(() => given(flights, {} as never)).toThrow("One event is told by one name");
  });
});

const seatStore = store(
  Seats,
  { flights },
  {
    hold: async (seat, { flights }) => {
      await flights(seat.flight).decide(hold({ ...seat, since: seat.since.toISOString() }));
    },
    release: async (place, { flights }) => {
      await flights(place.flight).decide(release(place));
    },
    taken: async ({ flight }, { flights }) => (await flights(flight).state())?.taken ?? [],
  },
);

describe("stores under test", () => {
  test.each([
    ["a SQLite of their own", {}],
    ["an engine that the test brings", { engine: memoryEngine() }],
  ])("are called by their contracts, on %s", async (_, options) => {
    await using stores = await testStores([seatStore], options);
    const seats = stores.client(Seats);
    await seats.hold({ ...seat("b1"), card: "4111" } as never);
    await seats.hold(seat("b2"));
    expect(await seats.taken({ flight: "UA1" })).toEqual(["b1", "b2"]);
    await expect(seats.hold(seat("b3"))).rejects.toMatchObject({ code: "SoldOut" });
    await expect(seats.hold({} as never)).rejects.toMatchObject({ code: "InvalidInput" });
    const again = stores.client(Seats, { key: "once" });
    await again.release(place);
    await again.release(place);
    expect(await seats.taken({ flight: "UA1" })).toEqual(["b2"]);
    for await (const { data } of stores.storage.log.after(0)) expect(data).not.toHaveProperty("card");
  });

  test("leave an engine open that is not theirs, and close their own", async () => {
    const engine = memoryEngine();
    await (await testStores([seatStore], { engine })).close();
    expect((await engine.status()).logs).toBeDefined();
    const own = await testStores([seatStore]);
    await own.close();
    await own.close();
    await expect(own.engine.status()).rejects.toMatchObject({ code: "Unavailable" });
  });
});
