import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { type CamelCase, contract, eventsOf, operationsOf, toCamelCase, type Version } from "./contract.ts";
import { event } from "./event.ts";
import { failure } from "./failure.ts";
import { command, query, signal } from "./operation.ts";
import { nothing } from "./schema.ts";

const Seat = z.object({ flight: z.string(), booking: z.string() });
const Bookings = contract("seat-bookings", "1.2.3", {
  hold: command({
    input: Seat,
    failures: { SoldOut: failure(409, "No seat is left.") },
    signals: { approved: signal(z.object({ by: z.string() }), { access: "seats:approve" }) },
    http: "POST /seats",
    access: "seats:hold",
    summary: "Holds a seat.",
    timeout: "2s",
  }),
  get: query({ input: Seat, output: Seat, http: "GET /seats/{booking}", access: "public" }),
  SeatHeld: event(Seat),
});

describe("a contract", () => {
  it("gives each member its id", () => {
    expect(Bookings.hold.id).toBe("seat-bookings.hold");
    expect(Bookings.SeatHeld.id).toBe("seat-bookings.SeatHeld");
    expectTypeOf(Bookings.get.id).toEqualTypeOf<"seat-bookings.get">();
  });

  it("says of itself what was said of it", () => {
    expect(Bookings["~contract"]).toEqual({ name: "seat-bookings", version: "1.2.3" });
    const told = contract("a", { version: "0.0.1", owner: "Ada", summary: "An example." }, {});
    expect(told["~contract"]).toEqual({ name: "a", version: "0.0.1", owner: "Ada", summary: "An example." });
  });

  it("is frozen: itself, what is said of it, its members and all that they list", () => {
    const { hold, get, SeatHeld } = Bookings;
    const parts = [Bookings, Bookings["~contract"], hold, hold.failures, hold.failures.SoldOut, hold.signals];
    for (const part of [...parts, hold.signals.approved, hold.route, get, get.route?.params, SeatHeld, SeatHeld.from])
      expect(Object.isFrozen(part)).toBe(true);
  });

  it("leaves the members that it was given as they are, so that one may be used in two contracts", () => {
    const held = event(Seat);
    const one = contract("one", "1.0.0", { held });
    const two = contract("two", "1.0.0", { held });
    expect([one.held.id, two.held.id, "id" in held]).toEqual(["one.held", "two.held", false]);
  });

  it("lists its operations and its events apart, each in the order in which they were declared", () => {
    expect(operationsOf(Bookings).map(({ id, kind }) => [id, kind])).toEqual([
      ["seat-bookings.hold", "command"],
      ["seat-bookings.get", "query"],
    ]);
    expect([...eventsOf(Bookings)]).toEqual([["SeatHeld", Bookings.SeatHeld]]);
  });

  it.each(["Bookings", "seat_maps", "seatMaps", "-a", "a-", "a--b", "1a", "", "a.b", "a b", "ä"])(
    "refuses the name %j",
    (name) =>
      expect(() => contract(name, "1.0.0", {})).toThrow(
        `A contract's name is in kebab-case, like "seat-maps"; "${name}" is not.`,
      ),
  );

  it.each(["1.0", "1", "v1.0.0", "1.0.0-beta", "1.0.0.0", "01.0.0", "1.00.0", "", "1.x.0"])(
    "refuses the version %j",
    (version) =>
      expect(() => contract("a", version as Version, {})).toThrow(
        `The contract "a" has the version "${version}"; a version has three numbers, like "1.0.0".`,
      ),
  );

  it.each(["a-b", "a.b", "1a", "", "~contract", "__proto__", "a b"])("refuses a member called %j", (name) => {
    const members = Object.fromEntries([[name, event(Seat)]]);
    expect(() => contract("a", "1.0.0", members)).toThrow(`"a.${name}" is not a name: use letters and digits.`);
  });
});

describe("an operation", () => {
  it("carries everything that was said of it as plain data", () => {
    expect(Bookings.hold).toMatchObject({
      kind: "command",
      input: Seat,
      output: nothing,
      route: { verb: "POST", path: "/seats", params: [] },
      access: "seats:hold",
      summary: "Holds a seat.",
      timeoutMs: 2_000,
      idempotent: true,
      signals: { approved: { kind: "signal", access: "seats:approve" } },
    });
    expect(Bookings.hold).not.toHaveProperty("http");
  });

  it("carries the examples that it was given, and none otherwise", () => {
    const examples = [{ input: { flight: "UA1", booking: "b" }, failure: "SoldOut" }] as const;
    const { examples: kept } = command({ input: Seat, failures: { SoldOut: failure(409, "x") }, examples });
    expect(kept).toEqual(examples);
    expect(Object.isFrozen(kept)).toBe(true);
    expect(command({ input: Seat }).examples).toEqual([]);
    // @ts-expect-error an example is what may be sent, and fails as declared
    command({ input: Seat, failures: {}, examples: [{ input: { flight: 1, booking: "b" }, failure: "Late" }] });
  });

  it("has no route, access, summary, time or progress that nobody gave it", () => {
    const bare = command({ input: Seat });
    for (const part of ["route", "access", "summary", "timeoutMs", "progress"]) expect(bare).not.toHaveProperty(part);
    expect(bare).toMatchObject({ failures: {}, signals: {}, idempotent: true });
  });

  it("may say that it is not safe to repeat; a query always is", () => {
    expect(command({ input: Seat, idempotent: false }).idempotent).toBe(false);
    expect(Bookings.get.idempotent).toBe(true);
  });

  it("does not change when the list of failures does that it was made from", () => {
    const failures: { [name: string]: ReturnType<typeof failure<409>> } = { SoldOut: failure(409, "x") };
    const { failures: kept } = command({ input: Seat, failures });
    failures.Late = failure(409, "y");
    expect(Object.keys(kept)).toEqual(["SoldOut"]);
  });

  it("refuses a route or a time that cannot be read, where it is declared", () => {
    expect(() => command({ input: Seat, http: "POST seats" as "POST /seats", access: "public" })).toThrow(
      "is not a route",
    );
    expect(() => command({ input: Seat, timeout: "soon" as "1s" })).toThrow('"soon" is not a duration.');
  });
});

describe("toCamelCase", () => {
  it("agrees with the type of the same name", () => {
    const names = ["a", "seat-maps", "a-b-c", "gate-2-go", "a1-b2"] as const;
    expect(names.map(toCamelCase)).toEqual(["a", "seatMaps", "aBC", "gate2Go", "a1B2"]);
    expectTypeOf<CamelCase<(typeof names)[number]>>().toEqualTypeOf<"a" | "seatMaps" | "aBC" | "gate2Go" | "a1B2">();
  });
});
