import { type Backend, backend } from "trilith";
import { command, contract, event, failure, query, signal, upcast } from "trilith/contracts";
import { workflow } from "trilith/orchestration";
import { entity, readModel, store } from "trilith/storage";
import { z } from "zod";

/** A small backend at several moments of its life, for what happens when one takes the place of another. */
export interface Moment {
  /** 1: a seat. 2: a seat with a row, led there by an upcaster. "led": and back. "torn": with a row, and no way to get there. */
  readonly event?: 1 | 2 | "led" | "torn";
  /** 1: a seat. 2: a seat and a name, read from what earlier runs stored. "torn": without a way to read that. */
  readonly input?: 1 | 2 | "torn";
  /** The versions of the workflow that are there. */
  readonly workflows?: readonly number[];
  /** The scope of the route. */
  readonly access?: "public" | `${string}:${string}`;
  /** Whether its query is on its way out. */
  readonly leaving?: boolean;
}

export function toSeats({
  event: facts = 1,
  input = 1,
  workflows = [1],
  access = "public",
  leaving = false,
}: Moment = {}): Backend {
  const Seat = z.object({ seat: z.string() });
  const WithRow = z.object({ seat: z.string(), row: z.int() });
  const down = facts === "led" ? ({ seat }: z.output<typeof WithRow>) => ({ seat }) : undefined;
  const Held =
    facts === 2 || facts === "led"
      ? event(WithRow, { version: 2, from: [upcast(Seat, ({ seat }) => ({ seat, row: 1 }), down)] })
      : facts === 1
        ? event(Seat)
        : event(WithRow);
  const Seats = contract("seats", "1.0.0", {
    hold: command({ input: Seat, failures: { Taken: failure(409, "It is taken.") }, http: "POST /seats", access }),
    get: query({
      input: Seat,
      output: z.object({ seat: z.string(), row: z.int().optional() }),
      failures: { Free: failure(404, "It is free.") },
      http: "GET /seats/{seat}",
      access: "public",
      ...(leaving && { deprecated: { since: "2026-01-31", sunset: "2026-12-31", instead: "Look at the map." } }),
    }),
    Held,
  });
  const Named = z.object({ seat: z.string(), name: z.string() });
  const earlier = input === 2 ? [upcast(Seat, ({ seat }) => ({ seat, name: "nobody" }))] : [];
  const Trips = contract("trips", input === 1 ? "1.0.0" : { version: "2.0.0", migration: "Say a name." }, {
    book: command({
      input: input === 1 ? Seat : (Named as unknown as typeof Seat), // one type for every moment
      earlier,
      output: z.object({ ticket: z.string() }),
      failures: { Taken: failure(409, "It is taken.") },
      signals: { approved: signal(z.object({ by: z.string() }), { access: "public" }) },
      http: "POST /trips",
      access: "public",
    }),
  });
  const row = (seat: { readonly seat: string }) => (facts === 1 ? seat : { row: 7, ...seat });
  const seats = entity("seat", {
    events: Seats,
    state: z.object({ taken: z.boolean() }),
    initial: { taken: false },
    evolve: { Held: () => ({ taken: true }) },
  });
  const held = readModel("held", {
    version: 1,
    events: Seats,
    row: z.object({ seat: z.string(), row: z.int().optional() }),
    key: "seat",
    on: { Held: (fact, rows) => rows.put(fact as { seat: string }) },
  });
  const seatStore = store(
    Seats,
    { seats, held },
    {
      hold: (seat, { seats, fail }) =>
        seats(seat.seat).decide(({ taken }, { Held }) =>
          taken ? fail.Taken() : Held(row(seat) as { seat: string; row: number }),
        ),
      get: async ({ seat }, { held, fail }) => (await held.get(seat)) ?? fail.Free(),
    },
  );
  const book = (version: number) =>
    workflow(Trips.book, { version, uses: [Seats] }, async (trip, { seats, run }) => {
      await seats.hold({ seat: trip.seat });
      const { by } = await run.signal.approved;
      const { name } = trip as { readonly name?: string };
      return { ticket: `${trip.seat} for ${name ?? "somebody"}, by ${by}` };
    });
  return backend("seats", { storage: [seatStore], orchestration: workflows.map(book) });
}
