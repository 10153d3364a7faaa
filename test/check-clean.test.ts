import { describe, expect, it } from "vitest";
import { check } from "../src/check/index.ts";
import { clean, edited, type Files, projectWith, workflowWith } from "./check-project.ts";

const flow = "orchestration/book-trip.ts";
const inFlow = (body: string, above = "", more: Files = {}): Files => ({ [flow]: workflowWith(body, above), ...more });

/** What looks like a violation and is none. */
const projects: { readonly [what: string]: Files } = {
  "a backend as the guides write it": {},
  "parameters and variables that are called like globals": inFlow(
    `  const ask = (fetch: (url: string) => string, Date: { now(): number }) => fetch(String(Date.now()));
  for (const process of [{ env: 1 }]) ask(() => String(process.env), { now: () => 5 });
  try { ask(String, { now: () => 1 }); } catch (performance) { String(performance); }
  { const Math = { random: () => 4 }; Math.random(); }
  class crypto { static randomUUID() { return "4"; } }
  crypto.randomUUID();
  function setTimeout(done: () => void) { done(); }
  setTimeout(() => {});`,
  ),
  "normalisers in a source": {
    "aggregation/more.ts": `import { text } from "trilith/normalise";
import { countryCode } from "trilith/normalise/countries";
export const it = [text, countryCode()];
`,
  },
  "workers, requires and modules of others": {
    "orchestration/more.ts": `import { createRequire } from "node:module";
import { Worker } from "somebody";
declare module "pg" { interface Pool { readonly more: string } }
declare module "*.css" {}
const load = createRequire(import.meta.url);
export const it = [load("../contracts.ts"), new Worker("queue"), process.getBuiltinModule("node:path")];
`,
    "storage/more.ts": `/** @type {import("../orchestration/book-trip.ts").bookTrip}: a comment is only one in TypeScript. */
export class Worker { readonly file: string; constructor(file: string) { this.file = file; } }
export const it = (file: string) => new Worker(file);
`,
  },
  "names that are handed over": {
    [flow]: edited(
      workflowWith(""),
      ["{ bookings, run }", "{ bookings, run, run: { now: fetch } }"],
      ["await bookings", "fetch();\n  await bookings"],
    ),
  },
  "keys, members and labels that are called like globals": inFlow(
    `  const it = { fetch: 1, Date: 2, console: { log: 3 } };
  const { fetch: url, console: { log } } = it;
  fetch: for (;;) { if (it.fetch + url + log > it.Date) break fetch; }`,
  ),
  "dates that are given": inFlow(
    '  const day = new Date(run.now().getTime() + 5);\n  if (day instanceof Date && Date.parse("2001-01-01") > Date.UTC(2001, 1)) return String(new Date(5));',
  ),
  "clocks and files in steps": inFlow(
    `  await run.step("at", () => new Date().toISOString());
  await run.step("file", async ({ key }) => (await readFile("x", "utf8")) + process.env.REGION + key);
  await run.step("elsewhere", draw, { attempts: 2 });`,
    'import { readFile } from "node:fs/promises";\nconst draw = () => Math.random();',
  ),
  "a local function that steps alone use": inFlow(
    `  const now = () => Date.now();
  const at = async () => now();
  function draw() { return Math.random(); }
  await run.step("x", async () => now());
  await run.step("y", at);
  await run.step("z", async () => draw());`,
  ),
  "variables of a run, and modules that are asked": inFlow(
    `  let count = 0;
  const seen = new Map<string, number>();
  count++;
  seen.set(trip.flight, sums.add(count) + known.size + [...names].sort().length);
  const { join } = await import("node:path");
  if (known.has(join("a", days.format(run.now())))) return trip.flight;`,
    'const known = new Set(["a"]);\nconst names = ["b"];\nconst sums = { add: (n: number) => n + 1 };\nconst days = new Intl.DateTimeFormat("en");',
  ),
  "words in comments, strings and types": inFlow(
    `  // Date.now() and import("../storage/bookings.ts") would be wrong here; fetch too.
  const text: string | typeof Date.now = "Math.random() import('../storage/bookings.ts') require('../storage/bookings.ts')";
  if (text === \`fetch(\${trip.flight})\`) return text;`,
  ),
  "helpers of the layer, in circles and through an index": inFlow(
    "  if (even(trip.flight.length)) return even.name;",
    'import { even } from "./kit/index.ts";',
    {
      "orchestration/kit/index.ts": 'export * from "./even.ts";\nexport { odd as default } from "./odd.ts";\n',
      "orchestration/kit/even.ts":
        'import { odd } from "./odd.ts";\nexport const even = (n: number): boolean => n === 0 || odd(n - 1);\n',
      "orchestration/kit/odd.ts":
        'import { even } from "./even.ts";\nexport const odd = (n: number): boolean => n !== 0 && even(n - 1);\nexport const unused = () => Date.now();\n',
    },
  ),
  "randomness in a store's handler, handed to the decision": {
    "storage/bookings.ts": edited(
      clean["storage/bookings.ts"],
      [
        "hold: (seat, { flights }) => flights(seat.flight)",
        "hold: (seat, { flights }) => { const id = crypto.randomUUID(); const at = new Date(); return flights(seat.flight)",
      ],
      ["SeatHeld(seat)),", "SeatHeld({ ...seat, flight: seat.flight + id + at })); },"],
    ),
  },
  "every way to import contracts": {
    "tsconfig.json": '{ "compilerOptions": { "paths": { "@contracts": ["./contracts.ts"] } } }',
    "package.json": '{ "name": "seats", "type": "module", "imports": { "#contracts": "./contracts.ts" } }',
    "orchestration/more.ts": `import type { Seat } from "@contracts";
import { Trips } from "#contracts";
export type It = typeof import("../contracts.ts").Seat | typeof Seat;
export const later = () => import("../contracts");
export { Trips };
`,
    "aggregation/linked.ts": "→ ../contracts.ts",
    "aggregation/more.ts": 'export { Airports } from "./linked.ts";\n',
  },
  "tests and tools that import everything": {
    "storage/bookings.test.ts":
      'import "../orchestration/book-trip.ts";\nimport type {} from "pg";\nfetch("https://x.test");\n',
    "test/kit.ts": 'export * from "../storage/bookings.ts";\n',
    "scripts/fill.ts": 'import type {} from "../backend.ts";\nimport "node:net";\n',
    "vitest.config.ts": "export default {};\n",
  },
  "a socket in aggregation": {
    "aggregation/upstream.ts":
      'import { request } from "node:https";\nexport const ask = (url: string) => [fetch(url), request(url)];\n',
  },
  "layers of one's own": {
    "trilith.check.json": JSON.stringify({
      layers: {
        ops: { files: ["ops/"], imports: ["backend"], may: ["drivers"] },
        money: { files: ["money.ts"], imports: [] },
        storage: { imports: ["contracts", "money"] },
      },
      ignore: ["generated/**"],
    }),
    "ops/migrate.ts": 'import type { Pool } from "pg";\nimport type {} from "../backend.ts";\nexport type It = Pool;\n',
    "money.ts": "export const toCents = (n: number) => n * 100;\n",
    "storage/prices.ts": 'import { toCents } from "../money.ts";\nexport const price = toCents(5);\n',
    "generated/broken.ts": "export const = 1;\n",
  },
  "personal data that says so, and names that mislead": {
    "contracts.ts": edited(
      clean["contracts.ts"],
      ["event, personal,", "event, impersonal, personal,"],
      [
        "z.object({ city: z.string() })",
        `z.object({
      city: z.string(),
      name: impersonal(z.string()).optional(),
      email: personal(z.email()).optional(),
      address: z.object({ street: personal(z.string()), zip: personal(z.string()) }).optional(),
      emailSent: z.boolean().optional(),
      birthKind: z.enum(["a", "b"]).optional(),
      fileName: z.string().optional(),
      phones: z.array(personal(z.string())).optional(),
      contact: personal(z.object({ email: z.string() })).optional(),
    })`,
      ],
    ),
  },
  "examples that a schema brings": {
    "contracts.ts": edited(
      clean["contracts.ts"],
      [", examples: [{ input: seat }]", ""],
      ["traveller: personal(z.string()) });", "traveller: personal(z.string()) }).meta({ examples: [seat] });"],
      [/^const seat = .*\n/m, ""],
      [
        "export const Seat",
        'const seat = { flight: "UA1", booking: "0f5b4a52-3a0e-4c6b-9d0a-5d7f0c1c2b11", traveller: "Ada" };\nexport const Seat',
      ],
    ),
  },
  "a contract that another service implements": {
    "contracts.ts": `${clean["contracts.ts"]}
export const Fares = contract("fares", { version: "1.0.0", owner: "fares", summary: "Fares." }, {
  quote: query({ input: z.object({ flight: z.string() }), output: z.number(), examples: [{ input: { flight: "UA1" }, output: 5 }] }),
});
`,
    [flow]: edited(
      workflowWith("  await fares.quote(trip);"),
      ["{ Bookings, Trips }", "{ Bookings, Fares, Trips }"],
      ["uses: [Bookings]", "uses: [Bookings, Fares]"],
      ["{ bookings, run }", "{ bookings, fares, run }"],
    ),
    "backend.ts": edited(clean["backend.ts"], [
      "[airportPage]",
      '[airportPage], remote: { fares: "https://fares.test" }',
    ]),
  },
  "what is allowed, with reasons": {
    ...inFlow(`  // trilith-allow pure/clock: the line below is dropped in every replay
  // as the guide explains
  if (Date.now() < 0) return trip.flight;
  if (Math.random() > 2) return trip.flight; // trilith-allow pure/random: it never is
  console.log(1); /* trilith-allow pure/io: for a demonstration */`),
    "utils.ts": "export {};\n",
    "trilith.check.json": JSON.stringify({
      allow: [
        { rule: "files/layer", at: "utils.ts", reason: "It goes with the next release." },
        { rule: "contracts/owner", at: "trips", reason: "Nobody yet." },
      ],
      off: { "contracts/summary": "The portal has them." },
    }),
    "contracts.ts": edited(clean["contracts.ts"], ['owner: "trips", summary: "Trips."', 'summary: ""']),
  },
  "a backend in a single file": {
    "contracts.ts": null,
    "storage/bookings.ts": null,
    [flow]: null,
    "aggregation/airport-page.ts": null,
    "backend.ts": `import { backend } from "trilith";
import { command, contract, event, subject } from "trilith/contracts";
import { entity, store } from "trilith/storage";
import { z } from "zod";
const Seat = z.object({ booking: subject(z.string()) });
const Bookings = contract("bookings", { version: "1.0.0", owner: "trips", summary: "Seats." }, {
  hold: command({ input: Seat, examples: [{ input: { booking: "B1" } }] }),
  SeatHeld: event(Seat),
});
const seats = entity("seat", { events: Bookings, state: z.object({}), initial: {}, evolve: { SeatHeld: (seat) => seat } });
export default backend("seats", {
  storage: [store(Bookings, { seats }, { hold: (seat, { seats }) => seats(seat.booking).decide((_, { SeatHeld }) => SeatHeld(seat)) })],
});
`,
  },
  "a folder for each feature, below src": {
    ...Object.fromEntries(
      Object.keys(clean)
        .filter((path) => path.endsWith(".ts"))
        .map((path) => [path, null]),
    ),
    "src/contracts.ts": clean["contracts.ts"],
    "src/seats/storage/bookings.ts": edited(clean["storage/bookings.ts"], ["../contracts", "../../contracts"]),
    "src/trips/orchestration/book-trip.ts": edited(clean["orchestration/book-trip.ts"], [
      "../contracts",
      "../../contracts",
    ]),
    "src/airports/aggregation/airport-page.ts": edited(clean["aggregation/airport-page.ts"], [
      "../contracts",
      "../../contracts",
    ]),
    "src/backend.ts": edited(
      clean["backend.ts"],
      ["./storage", "./seats/storage"],
      ["./orchestration", "./trips/orchestration"],
      ["./aggregation", "./airports/aggregation"],
    ),
  },
  "a project in JavaScript": {
    ...Object.fromEntries(
      Object.keys(clean)
        .filter((path) => path.endsWith(".ts"))
        .map((path) => [path, null]),
    ),
    ...Object.fromEntries(
      Object.entries(clean)
        .filter(([path]) => path.endsWith(".ts"))
        .map(([path, text]) => [path.replace(/ts$/, "js"), text.replaceAll('.ts"', '.js"')]),
    ),
  },
  "a glossary whose words are kept": {
    "glossary.md":
      "# Words\n\n| use | not |\n|---|---|\n| booking | reservation, order (of seats) |\n| run | process instance |\n\n| seat | not that |\n|---|---|\n| x | booking |\n",
    "orchestration/order.ts": "export const processed = 1;\n",
  },
};

describe("a clean project", () => {
  it.each(Object.entries(projects))("has no finding: %s", async (_what, files) => {
    await using project = await projectWith(files);
    const { findings, notes } = await check(project.folder);
    expect(findings).toEqual([]);
    expect(notes).toEqual([]);
  });

  it("is each of more than ten", () => expect(Object.keys(projects).length).toBeGreaterThan(10));
});
