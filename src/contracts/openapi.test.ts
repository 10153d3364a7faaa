import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import { expect, test } from "vitest";
import { z } from "zod";
import { contract } from "./contract.ts";
import { failure } from "./failure.ts";
import { personal, subject } from "./marks.ts";
import { toOpenApi } from "./openapi.ts";
import { command, query, signal } from "./operation.ts";

const Seat = z.object({ flight: z.string(), booking: subject(z.uuid()), traveller: personal(z.string()) });
const Booking = Seat.extend({ status: z.enum(["held", "ticketed", "released"]), ticket: z.string().optional() });
const Ticket = z.object({ ticket: z.string() });
const SoldOut = failure(409, "No seat is left.", { details: z.object({ flight: z.string() }) });

const Bookings = contract("bookings", "1.0.0", {
  hold: command({ input: Seat, failures: { SoldOut } }),
  get: query({
    ...{
      input: Seat.pick({ booking: true }),
      output: Booking,
      failures: { NotFound: failure(404, "No such booking.") },
    },
    ...({ http: "GET /bookings/{booking}", access: "bookings:read" } as const),
  }),
});
const Trips = contract("trips", "1.0.0", {
  book: command({
    input: Seat.extend({ card: z.string(), lastKnownFare: z.number() }),
    output: Ticket,
    failures: { SoldOut, NotApproved: failure(403, "Nobody approved the fare in time.") },
    signals: {
      approved: signal(z.object({ by: z.string() }), { access: "trips:approve" }),
      nudged: signal(z.object({ why: z.string() })),
    },
    progress: z.object({ done: z.int().meta({ description: "How many of its steps." }) }),
    http: "POST /trips",
    access: "trips:book",
  }),
});
const Delay = z.object({ flight: z.string(), minutes: z.int(), at: z.iso.datetime() });
const Position = z.object({ latitude: z.number(), longitude: z.number() }).meta({ id: "Position" });
const Airports = contract(
  "airports",
  { version: "1.0.0", summary: "What is known of airports." },
  {
    page: query({
      input: z.object({ iata: z.string().length(3) }),
      output: z.object({
        name: z.string(),
        position: Position.optional(),
        other: Position.optional(),
        delays: z.array(Delay).optional(),
      }),
      http: "GET /airports/{iata}",
      access: "public",
      summary: "Everything about an airport",
    }),
  },
);
const Part = z.object({
  name: z.string(),
  get parts() {
    return z.array(Part).optional();
  },
});
const Box = v.object({ label: v.string(), size: v.optional(v.number()) });
const Parts = contract("spare-parts", "2.1.0", {
  search: query({
    input: z.object({
      ...{
        text: z.string().default(""),
        limit: z.int().min(1).max(50).optional(),
        tags: z.array(z.string()).optional(),
      },
      ...{
        near: z.object({ x: z.number() }).optional(),
        kind: z.discriminatedUnion("k", [z.object({ k: z.literal("a") }), z.object({ k: z.literal("b") })]).optional(),
      },
    }),
    output: z.array(Part),
    http: "GET /parts",
    access: "public",
  }),
  put: command({ input: Part.extend({ part: z.string() }), http: "PUT /parts/{part}", access: "parts:write" }),
  remove: command({ input: z.object({ part: z.string() }), http: "DELETE /parts/{part}", access: "parts:write" }),
  pack: command({
    input: toStandardJsonSchema(Box),
    output: toStandardJsonSchema(Box),
    http: "POST /boxes",
    access: "public",
  }),
  meta: query({ input: z.object({ meta: z.string() }), output: z.string(), http: "GET /meta", access: "public" }),
});

const document = toOpenApi({
  ...{
    title: "trips",
    version: "1.0.0",
    contracts: [Bookings, Trips, Airports, Parts],
    longRunning: ["spare-parts.pack"],
  },
}) as {
  readonly paths: { readonly [path: string]: { readonly [verb: string]: any } }; // read by hand below
  readonly components: { readonly schemas: { readonly [name: string]: any }; readonly securitySchemes: object };
};

test("redocly's recommended rules find no error, and would find one", async () => {
  // That there is no licence is true: whose API it is decides about that.
  expect(await lint(document)).toEqual(["info-license (warn)"]);
  const twice = JSON.stringify(document).replace('"operationId":"trips.book"', '"operationId":"airports.page"');
  expect(await lint(JSON.parse(twice))).toContain("operation-operationId-unique (error)");
}, 120_000);

/** The rules that the real linter sees broken. */
async function lint(described: object): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), "openapi-"));
  try {
    const file = join(folder, "openapi.json");
    await writeFile(file, JSON.stringify(described));
    const redocly = fileURLToPath(new URL("../../node_modules/@redocly/cli/bin/cli.js", import.meta.url));
    const args = [redocly, "lint", file, "--extends=recommended", "--format=json"];
    const env = { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true", CI: "true" };
    // It exits with 1 where it finds something, and says the same on its standard output.
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, env }).catch(
      (failed: { readonly stdout: string }) => failed,
    );
    const { problems } = JSON.parse(stdout) as {
      readonly problems: readonly { readonly ruleId: string; readonly severity: string }[];
    };
    return problems.map(({ ruleId, severity }) => `${ruleId} (${severity})`);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("every operation with a route is there under its verb, and no other", () => {
  const there = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([verb, { operationId }]) => `${operationId}: ${verb} ${path}`),
  );
  expect(there).toEqual([
    "bookings.get: get /bookings/{booking}",
    "trips.book: post /trips",
    "airports.page: get /airports/{iata}",
    "spare-parts.search: get /parts",
    "spare-parts.put: put /parts/{part}",
    "spare-parts.remove: delete /parts/{part}",
    "spare-parts.pack: post /boxes",
    "spare-parts.meta: get /meta",
    "runs.get: get /runs/{run}",
    "runs.progress: get /runs/{run}/progress",
    "runs.signal.approved: post /runs/{run}/signals/approved",
  ]);
});

test("what a run says of itself is part of the run, and a stream of events", () => {
  const ref = { $ref: "#/components/schemas/TripsBookProgress" };
  expect(document.components.schemas.TripsBookProgress.properties).toHaveProperty("done");
  expect(document.components.schemas.Run.properties.progress).toEqual(ref);
  const { responses } = document.paths["/runs/{run}/progress"]?.get ?? {};
  expect(responses["200"].content).toEqual({ "text/event-stream": { schema: ref } });
  const silent = toOpenApi({
    title: "x",
    version: "1.0.0",
    contracts: [Parts],
    longRunning: ["spare-parts.pack"],
  });
  expect(JSON.stringify(silent)).not.toContain("rogress");
});

test("a command that takes its time may be answered with 202, and another may not", () => {
  expect(document.paths["/trips"]?.post.responses).toHaveProperty("202");
  expect(document.paths["/boxes"]?.post.responses).toHaveProperty("202");
  expect(document.paths["/parts/{part}"]?.put.responses).not.toHaveProperty("202");
  expect(Object.keys(document.paths["/parts/{part}"]?.put.responses)).toContain("204");
});

test("a failure has its status, its type, and its details", () => {
  const { responses } = document.paths["/trips"]?.post ?? {};
  expect(Object.keys(responses)).toEqual([
    "200",
    "202",
    "400",
    "401",
    "403",
    "409",
    "413",
    "415",
    "422",
    "500",
    "502",
    "503",
    "504",
  ]);
  expect(responses["403"].description).toBe(
    "`NotApproved`: Nobody approved the fare in time. `Forbidden`: The caller may not do this.",
  );
  const conflict = JSON.stringify(responses["409"]);
  expect(conflict).toContain("urn:trilith:failure:trips.book:SoldOut");
  expect(conflict).toContain("#/components/schemas/TripsBookSoldOutDetails");
  expect(document.components.schemas.TripsBookSoldOutDetails.properties).toHaveProperty("flight");
});

test("access is who may call: a scope by key or token, or everybody", () => {
  expect(document.paths["/trips"]?.post.security).toEqual([{ bearer: ["trips:book"] }, { apiKey: ["trips:book"] }]);
  expect(document.paths["/airports/{iata}"]?.get.security).toEqual([]);
  expect(document.paths["/airports/{iata}"]?.get.responses).not.toHaveProperty("403");
  expect(document.paths["/runs/{run}/signals/approved"]?.post.security).toContainEqual({ bearer: ["trips:approve"] });
  const schemes = JSON.stringify(document.components.securitySchemes);
  for (const scope of ["bookings:read", "parts:write", "trips:approve", "trips:book"])
    expect(schemes).toContain(`\`${scope}\``);
});

test("input is in the path, the query or the body, and nothing is said twice", () => {
  const names = (path: string, verb: string): string[] =>
    (document.paths[path]?.[verb].parameters ?? []).map(
      (one: { in: string; name: string; required?: boolean }) => `${one.in} ${one.name}${one.required ? "!" : ""}`,
    );
  expect(names("/bookings/{booking}", "get")).toEqual([
    "path booking!",
    "query meta",
    "query fields",
    "header Request-Timeout-Ms",
  ]);
  expect(names("/parts", "get").slice(0, 5)).toEqual([
    "query text",
    "query limit",
    "query tags",
    "query near",
    "query kind",
  ]);
  expect(names("/meta", "get")).toEqual(["query meta!", "query fields", "header Request-Timeout-Ms"]);
  expect(document.components.schemas.SparePartsPutInput.properties).not.toHaveProperty("part");
  expect(document.components.schemas.TripsBookInput.required).toContain("card");
});

test("marks of personal data are kept, and references lead to components", () => {
  expect(document.components.schemas.TripsBookInput.properties.traveller).toMatchObject({ "x-personal": true });
  const refs = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref]) => String(ref));
  expect(refs).toContain("#/components/schemas/AirportsPageOutput_Position");
  for (const ref of refs)
    expect(document.components.schemas).toHaveProperty([ref.replace("#/components/schemas/", "")]);
});
