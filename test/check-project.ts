import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");

/** The files of a small project by their paths; `null` takes one out, `→ path` makes a link. */
export interface Files {
  readonly [path: string]: string | null;
}
export interface PlantedProject extends AsyncDisposable {
  readonly folder: string;
}

/** A project on disk, made of the clean one and what is planted in it. */
export async function projectWith(planted: Files = {}): Promise<PlantedProject> {
  const folder = await mkdtemp(join(tmpdir(), "trilith-check-"));
  await mkdir(join(folder, "node_modules"));
  for (const name of ["zod", "@types"])
    await symlink(join(root, "node_modules", name), join(folder, "node_modules", name));
  await symlink(root, join(folder, "node_modules/trilith"));
  for (const [path, text] of Object.entries({ ...clean, ...planted })) {
    if (text === null) continue;
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    if (text.startsWith("→ ")) await symlink(text.slice(2), file);
    else await writeFile(file, text);
  }
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

/** A backend in which nothing breaks a rule. */
export const clean = {
  "package.json": '{ "name": "seats", "private": true, "type": "module" }',
  "contracts.ts": `import { command, contract, event, personal, query, subject } from "trilith/contracts";
import { z } from "zod";

export const Seat = z.object({ flight: z.string(), booking: subject(z.uuid()), traveller: personal(z.string()) });
const seat = { flight: "UA1", booking: "0f5b4a52-3a0e-4c6b-9d0a-5d7f0c1c2b11", traveller: "Ada" };

export const Bookings = contract("bookings", { version: "1.0.0", owner: "trips", summary: "Seats." }, {
  hold: command({ input: Seat, examples: [{ input: seat }] }),
  SeatHeld: event(Seat),
});

export const Trips = contract("trips", { version: "1.0.0", owner: "trips", summary: "Trips." }, {
  book: command({ input: Seat, output: z.string(), examples: [{ input: seat, output: "T-1" }] }),
});

export const Airports = contract("airports", { version: "1.0.0", owner: "trips", summary: "Airports." }, {
  page: query({
    input: z.object({ iata: z.string() }),
    output: z.object({ city: z.string() }),
    examples: [{ input: { iata: "ABQ" }, output: { city: "Albuquerque" } }],
  }),
});
`,
  "storage/bookings.ts": `import { entity, readModel, store } from "trilith/storage";
import { z } from "zod";
import { Bookings, Seat } from "../contracts.ts";

const flights = entity("flight", {
  events: Bookings,
  state: z.object({ taken: z.array(z.string()) }),
  initial: { taken: [] },
  evolve: { SeatHeld: ({ taken }, { booking }) => ({ taken: [...taken, booking] }) },
});
const bookings = readModel("booking", {
  version: 1, events: Bookings, row: Seat, key: "booking", indexes: ["flight"],
  on: { SeatHeld: (seat, rows) => rows.put(seat) },
});
export const bookingStore = store(Bookings, { flights, bookings }, {
  hold: (seat, { flights }) => flights(seat.flight).decide((_, { SeatHeld }) => SeatHeld(seat)),
});
`,
  "orchestration/book-trip.ts": `import { workflow } from "trilith/orchestration";
import { Bookings, Trips } from "../contracts.ts";

export const bookTrip = workflow(Trips.book, { version: 1, uses: [Bookings] }, async (trip, { bookings, run }) => {
  await bookings.hold(trip);
  return run.uuid();
});
`,
  "aggregation/airport-page.ts": `import { json, prefer, source, view } from "trilith/aggregation";
import { z } from "zod";
import { Airports } from "../contracts.ts";

const registry = source("registry", {
  get: json("https://registry.test/{iata}", z.object({ town: z.string() })),
  shape: ({ town }) => ({ city: town }),
});
export const airportPage = view(Airports.page, {
  budget: "1s", require: [registry], fields: { city: prefer(registry) },
});
`,
  "backend.ts": `import { backend } from "trilith";
import { airportPage } from "./aggregation/airport-page.ts";
import { bookTrip } from "./orchestration/book-trip.ts";
import { bookingStore } from "./storage/bookings.ts";

export default backend("seats", { storage: [bookingStore], orchestration: [bookTrip], aggregation: [airportPage] });
`,
};

/** A workflow whose body is planted, with what stands above it. */
export const workflowWith = (body: string, above = ""): string => `${above}
import { workflow } from "trilith/orchestration";
import { Bookings, Trips } from "../contracts.ts";

export const bookTrip = workflow(Trips.book, { version: 1, uses: [Bookings] }, async (trip, { bookings, run }) => {
  await bookings.hold(trip);
${body}
  return run.uuid();
});
`;

/** A text with parts of it replaced, each of which has to be there. */
export function edited(text: string, ...edits: readonly (readonly [from: string | RegExp, to: string])[]): string {
  return edits.reduce((before, [from, to]) => {
    const after = before.replace(from, () => to);
    if (after === before) throw new Error(`There is no ${from} to replace.`);
    return after;
  }, text);
}
