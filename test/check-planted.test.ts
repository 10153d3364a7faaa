import { describe, expect, it } from "vitest";
import { check, type RuleId, ruleIds } from "../src/check/index.ts";
import { clean, edited, type Files, projectWith, workflowWith } from "./check-project.ts";

interface Planted {
  readonly rule: RuleId;
  /** Where it must be told: the file, and the text that is underlined, if any. */
  readonly at: readonly [file: string, text?: string];
  readonly files: Files;
}

const flow = "orchestration/book-trip.ts";
const seats = "storage/bookings.ts";
/** A file of its own in orchestration, in which nothing but an import is wrong. */
const importing = (line: string, more: Files = {}): Files => ({
  "orchestration/planted.ts": `${line}\nexport {};\n`,
  ...more,
});
const inFlow = (body: string, above = "", more: Files = {}): Files => ({ [flow]: workflowWith(body, above), ...more });
const inContracts = (from: string, to: string): Files => ({
  "contracts.ts": replaced(clean["contracts.ts"], from, to),
});
const inStorage = (from: string, to: string, above = ""): Files => ({
  [seats]: above + replaced(clean[seats], from, to),
});
const inBackend = (from: string, to: string): Files => ({ "backend.ts": replaced(clean["backend.ts"], from, to) });

const planted: { readonly [what: string]: Planted } = {
  // Layers: every way to name a module.
  "a static import of another layer": {
    rule: "layers/import",
    at: ["orchestration/planted.ts", '"../storage/bookings.ts"'],
    files: importing('import { bookingStore } from "../storage/bookings.ts"; export const it = bookingStore;'),
  },
  "an import for its effects": {
    rule: "layers/import",
    at: ["orchestration/planted.ts", '"../storage/bookings.ts"'],
    files: importing('import "../storage/bookings.ts";'),
  },
  "an import of a type": {
    rule: "layers/import",
    at: ["orchestration/planted.ts", '"../aggregation/airport-page.ts"'],
    files: importing(
      'import type { airportPage } from "../aggregation/airport-page.ts"; export type It = typeof airportPage;',
    ),
  },
  "a re-export of names": {
    rule: "layers/import",
    at: ["orchestration/planted.ts", '"../storage/bookings.ts"'],
    files: importing('export { bookingStore } from "../storage/bookings.ts";'),
  },
  "a re-export of everything": {
    rule: "layers/import",
    at: ["orchestration/planted.ts", '"../storage/bookings.ts"'],
    files: importing('export * from "../storage/bookings.ts";'),
  },
  "a dynamic import": {
    rule: "layers/import",
    at: ["orchestration/planted.ts", '"../storage/bookings.ts"'],
    files: importing('export const it = () => import("../storage/bookings.ts");'),
  },
  "a dynamic import in a template": {
    rule: "layers/import",
    at: ["orchestration/planted.ts", "`../storage/bookings.ts`"],
    files: importing("export const it = () => import(`../storage/bookings.ts`);"),
  },
  "an import inside a type": {
    rule: "layers/import",
    at: ["orchestration/planted.ts", '"../storage/bookings.ts"'],
    files: importing('export type It = typeof import("../storage/bookings.ts").bookingStore;'),
  },
  "a require": {
    rule: "layers/import",
    at: ["orchestration/planted.cts", '"../storage/bookings.ts"'],
    files: { "orchestration/planted.cts": 'export const it: unknown = require("../storage/bookings.ts");\n' },
  },
  "an import = of TypeScript": {
    rule: "layers/import",
    at: ["orchestration/planted.cts", '"../storage/bookings.ts"'],
    files: { "orchestration/planted.cts": 'import it = require("../storage/bookings.ts");\nexport = it;\n' },
  },
  "a reference in a comment": {
    rule: "layers/import",
    at: ["orchestration/planted.ts", '/// <reference path="../storage/bookings.ts" />'],
    files: importing('/// <reference path="../storage/bookings.ts" />'),
  },
  "a worker's file, named by URL": {
    rule: "layers/import",
    at: ["orchestration/planted.ts", '"../storage/bookings.ts"'],
    files: importing('export const it = new URL("../storage/bookings.ts", import.meta.url);'),
  },
  "a worker's file, named by its path": {
    rule: "layers/import",
    at: ["orchestration/planted.ts", '"./storage/bookings.ts"'],
    files: importing(
      'import { Worker } from "node:worker_threads"; export const it = new Worker("./storage/bookings.ts");',
    ),
  },
  "a worker's file, named by a URL": {
    rule: "layers/import",
    at: ["orchestration/planted.ts", '"../storage/bookings.ts"'],
    files: importing('export const it = new Worker(new URL("../storage/bookings.ts", import.meta.url));'),
  },
  "a worker whose file only a running program knows": {
    rule: "layers/undecidable-import",
    at: ["orchestration/planted.ts", "file"],
    files: importing("export const it = (file: string) => new Worker(file);"),
  },
  "a require that was made": {
    rule: "layers/import",
    at: ["orchestration/planted.ts", '"../storage/bookings.ts"'],
    files: importing(
      'import { createRequire } from "node:module"; export const it = createRequire(import.meta.url)("../storage/bookings.ts");',
    ),
  },
  "a require that was made and named": {
    rule: "layers/import",
    at: ["orchestration/planted.ts", '"../storage/bookings.ts"'],
    files: importing(
      'import * as module from "node:module"; const load = module.createRequire(__filename); export const it = load("../storage/bookings.ts");',
    ),
  },
  "a type in a comment of JavaScript": {
    rule: "layers/import",
    at: ["orchestration/planted.js", '"../storage/bookings.ts"'],
    files: {
      "orchestration/planted.js":
        '/** @type {import("../storage/bookings.ts").bookingStore} */\nexport const it = /** @type {any} */ ({});\n',
    },
  },
  "an import in a comment of JavaScript": {
    rule: "layers/import",
    at: ["orchestration/planted.js", "'../storage/bookings.ts'"],
    files: {
      "orchestration/planted.js":
        "/**\n * @import { bookingStore } from '../storage/bookings.ts'\n */\nexport const it = 1;\n",
    },
  },
  "a module that another layer adds to": {
    rule: "layers/import",
    at: ["orchestration/planted.ts", '"../storage/bookings.ts"'],
    files: importing('declare module "../storage/bookings.ts" { interface More { readonly more: string } }'),
  },
  "an import without its ending": {
    rule: "layers/import",
    at: ["orchestration/planted.ts", '"../storage"'],
    files: importing('import * as it from "../storage"; export const that = it;', {
      "storage/index.ts": "export {};\n",
    }),
  },
  "an import of what will be compiled": {
    rule: "layers/import",
    at: ["orchestration/planted.ts", '"../storage/bookings.js"'],
    files: importing('import "../storage/bookings.js";'),
  },
  "an alias of the compiler": {
    rule: "layers/import",
    at: ["orchestration/planted.ts", '"@storage/bookings"'],
    files: importing('import type {} from "@storage/bookings";', {
      "tsconfig.json": '{ // with a comment\n "compilerOptions": { "paths": { "@storage/*": ["./storage/*"], } } }',
    }),
  },
  "an alias that a tsconfig inherits": {
    rule: "layers/import",
    at: ["orchestration/planted.ts", '"facts"'],
    files: importing('import type {} from "facts";', {
      "tsconfig.json": '{ "extends": "./config/base.json" }',
      "config/base.json": '{ "compilerOptions": { "paths": { "facts": ["../storage/bookings.ts"] } } }',
    }),
  },
  "a name from the baseUrl": {
    rule: "layers/import",
    at: ["orchestration/planted.ts", '"storage/bookings"'],
    files: importing('import type {} from "storage/bookings";', {
      "tsconfig.json": '{ "compilerOptions": { "baseUrl": "." } }',
    }),
  },
  "an import that package.json maps": {
    rule: "layers/import",
    at: ["orchestration/planted.ts", '"#facts/bookings.ts"'],
    files: importing('import "#facts/bookings.ts";', {
      "package.json": '{ "type": "module", "imports": { "#facts/*": { "node": "./storage/*" } } }',
    }),
  },
  "the package's own name": {
    rule: "layers/import",
    at: ["orchestration/planted.ts", '"seats/facts"'],
    files: importing('import type {} from "seats/facts";', {
      "package.json": '{ "name": "seats", "type": "module", "exports": { "./facts": "./storage/bookings.ts" } }',
    }),
  },
  "data of another layer": {
    rule: "layers/import",
    at: ["orchestration/planted.ts", '"../storage/seats.json"'],
    files: importing('import it from "../storage/seats.json" with { type: "json" }; export const that = it;', {
      "storage/seats.json": "{}",
    }),
  },
  "the composition root in a layer": {
    rule: "layers/import",
    at: ["orchestration/planted.ts", '"../backend.ts"'],
    files: importing('import type {} from "../backend.ts";'),
  },
  "a layer in the contracts": {
    rule: "layers/import",
    at: ["contracts/extra.ts", '"../storage/bookings.ts"'],
    files: { "contracts/extra.ts": 'export type * from "../storage/bookings.ts";\n' },
  },
  "a link to a file": {
    rule: "layers/symlink",
    at: ["orchestration/planted.ts", '"./linked.ts"'],
    files: importing('import "./linked.ts";', { "orchestration/linked.ts": "→ ../storage/bookings.ts" }),
  },
  "a link to a folder": {
    rule: "layers/symlink",
    at: ["orchestration/planted.ts", '"./facts/bookings.ts"'],
    files: importing('import "./facts/bookings.ts";', { "orchestration/facts": "→ ../storage" }),
  },
  "a link that nobody imports": {
    rule: "layers/symlink",
    at: ["orchestration/linked.ts"],
    files: { "orchestration/linked.ts": "→ ../storage/bookings.ts" },
  },
  "a helper that leads to another layer": {
    rule: "layers/transitive",
    at: ["orchestration/planted.ts", '"../helpers/seats.ts"'],
    files: importing('import "../helpers/seats.ts";', {
      "helpers/seats.ts": 'export * from "./more.ts";\n',
      "helpers/more.ts": 'export * from "../storage/bookings.ts";\n',
    }),
  },
  "a configured layer that leads to another one": {
    rule: "layers/transitive",
    at: ["orchestration/planted.ts", '"../shared/seats.ts"'],
    files: importing('import "../shared/seats.ts";', {
      "shared/seats.ts": 'export * from "../storage/bookings.ts";\n',
      "trilith.check.json":
        '{ "layers": { "shared": { "files": ["shared/"] }, "orchestration": { "imports": ["contracts", "shared"] } } }',
    }),
  },
  "a package of the same repository that leads to another layer": {
    rule: "layers/transitive",
    at: ["orchestration/planted.ts", '"facts"'],
    files: importing('import type {} from "facts";', {
      "node_modules/facts": "→ ../packages/facts",
      "packages/facts/package.json": '{ "name": "facts", "type": "module", "exports": "./index.ts" }',
      "packages/facts/index.ts": 'export * from "../../storage/bookings.ts";\n',
    }),
  },
  "a shared helper": {
    rule: "layers/shared-file",
    at: ["orchestration/planted.ts", '"../helpers/cents.ts"'],
    files: importing('import "../helpers/cents.ts";', {
      "helpers/cents.ts": "export const toCents = (n: number) => n * 100;\n",
    }),
  },
  "another layer's door of the package": {
    rule: "layers/door",
    at: ["orchestration/planted.ts", '"trilith/storage"'],
    files: importing('import { entity } from "trilith/storage"; export const it = entity;'),
  },
  "a normaliser where nothing is shaped": {
    rule: "layers/door",
    at: ["orchestration/planted.ts", '"trilith/normalise/countries"'],
    files: importing('import { countryCode } from "trilith/normalise/countries"; export const it = countryCode;'),
  },
  "an engine in a layer": {
    rule: "layers/door",
    at: ["storage/planted.ts", '"trilith/sqlite"'],
    files: { "storage/planted.ts": 'import type {} from "trilith/sqlite";\n' },
  },
  "an import that only a running program knows": {
    rule: "layers/undecidable-import",
    at: ["orchestration/planted.ts", "name"],
    files: importing("export const it = (name: string) => import(name);"),
  },
  "an import of nothing": {
    rule: "layers/unresolved-import",
    at: ["orchestration/planted.ts", '"./gone.ts"'],
    files: importing('import type {} from "./gone.ts";'),
  },
  // Capabilities.
  "a driver in storage": {
    rule: "capabilities/driver",
    at: ["storage/planted.ts", '"pg"'],
    files: { "storage/planted.ts": 'import type { Pool } from "pg";\nexport type It = Pool;\n' },
  },
  "Node's own database in aggregation": {
    rule: "capabilities/driver",
    at: ["aggregation/planted.ts", '"node:sqlite"'],
    files: {
      "aggregation/planted.ts": 'import { DatabaseSync } from "node:sqlite";\nexport const it = DatabaseSync;\n',
    },
  },
  "a driver in a layer of one's own that may not have one": {
    rule: "capabilities/driver",
    at: ["ops/planted.ts", '"pg"'],
    files: {
      "ops/planted.ts":
        'import type {} from "pg";\nimport type {} from "../backend.ts";\nimport type {} from "trilith";\n',
      "trilith.check.json": '{ "layers": { "ops": { "files": ["ops/"], "may": ["network"] } } }',
    },
  },
  "a package that a layer of one's own may not import": {
    rule: "layers/import",
    at: ["ops/planted.ts", '"node:fs"'],
    files: {
      "ops/planted.ts": 'import type {} from "node:fs";\nimport type {} from "node:path";\n',
      "trilith.check.json": '{ "layers": { "ops": { "files": ["ops/"], "packages": ["node:path"] } } }',
    },
  },
  "an HTTP client in orchestration": {
    rule: "capabilities/network",
    at: ["orchestration/planted.ts", '"undici"'],
    files: importing('import { request } from "undici"; export const it = request;'),
  },
  "a socket in storage, by its bare name": {
    rule: "capabilities/network",
    at: ["storage/planted.ts", '"net"'],
    files: { "storage/planted.ts": 'import { connect } from "net";\nexport const it = connect;\n' },
  },
  "a socket that is asked of the process": {
    rule: "capabilities/network",
    at: ["storage/planted.ts", '"node:net"'],
    files: { "storage/planted.ts": 'export const it = process.getBuiltinModule("node:net");\n' },
  },
  "another program in storage": {
    rule: "capabilities/network",
    at: ["storage/planted.ts", '"node:child_process"'],
    files: { "storage/planted.ts": 'import { exec } from "node:child_process";\nexport const it = exec;\n' },
  },
  "another program in orchestration": {
    rule: "capabilities/network",
    at: ["orchestration/planted.ts", '"child_process"'],
    files: importing('import { fork } from "child_process"; export const it = fork;'),
  },
  "fetch in a workflow": {
    rule: "capabilities/network",
    at: [flow, "fetch"],
    files: inFlow('  await fetch("https://x.test");'),
  },
  "fetch in a step": {
    rule: "capabilities/network",
    at: [flow, "globalThis.fetch"],
    files: inFlow('  await run.step("ask", async () => (await globalThis.fetch("https://x.test")).text());'),
  },
  "a socket in a store": {
    rule: "capabilities/network",
    at: ["storage/planted.ts", "WebSocket"],
    files: { "storage/planted.ts": 'export const open = () => new WebSocket("wss://x.test");\n' },
  },
  // Functions that are acted out again.
  "a date in a workflow": {
    rule: "pure/clock",
    at: [flow, "new Date()"],
    files: inFlow("  trip.flight = new Date().toISOString();"),
  },
  "the time in a workflow": {
    rule: "pure/clock",
    at: [flow, "Date.now"],
    files: inFlow("  if (Date.now() > 5) return trip.flight;"),
  },
  "performance in a workflow": {
    rule: "pure/clock",
    at: [flow, "performance.now"],
    files: inFlow("  if (performance.now() > 5) return trip.flight;", 'import { performance } from "node:perf_hooks";'),
  },
  "a clock by another name": {
    rule: "pure/clock",
    at: [flow, "now"],
    files: inFlow("  if (now() > 5) return trip.flight;", "const { now } = Date;"),
  },
  "a clock in a helper of the file": {
    rule: "pure/clock",
    at: [flow, "Date.now"],
    files: inFlow(
      "  if (isLate()) return trip.flight;",
      "function isLate(): boolean { return later(5); }\nconst later = (n: number) => Date.now() > n;",
    ),
  },
  "a clock in a helper of another file": {
    rule: "pure/clock",
    at: ["orchestration/time.ts", "Date.now"],
    files: inFlow("  if (time.isLate()) return trip.flight;", 'import * as time from "./kit.ts";', {
      "orchestration/kit.ts": 'export { late as isLate } from "./time.ts";\n',
      "orchestration/time.ts":
        "export const late = () => Date.now() > 5;\nexport const unused = () => Math.random();\n",
    }),
  },
  "a clock in a class": {
    rule: "pure/clock",
    at: [flow, "Date.now"],
    files: inFlow(
      "  if (watch.late()) return trip.flight;",
      "class Watch { late() { return Date.now() > 5; } }\nconst watch = new Watch();",
    ),
  },
  "a clock in one of an object's functions": {
    rule: "pure/clock",
    at: [flow, "Date.now"],
    files: inFlow(
      "  if (kit.late()) return trip.flight;",
      "const kit = { late: () => Date.now() > 5, other: () => Math.random() };",
    ),
  },
  "a clock in a default export": {
    rule: "pure/clock",
    at: ["orchestration/late.ts", "new Date()"],
    files: inFlow("  if (isLate()) return trip.flight;", 'import isLate from "./late.ts";', {
      "orchestration/late.ts": "export default function isLate() { return new Date().getTime() > 5; }\n",
    }),
  },
  "a clock in a function that is declared elsewhere": {
    rule: "pure/clock",
    at: [flow, "Date.now"],
    files: {
      [flow]: `import { Bookings, Trips } from "../contracts.ts";
import * as kit from "trilith/orchestration";
const body = async (trip: { flight: string }) => { const now = Date.now; return trip.flight + now(); };
export const bookTrip = kit.workflow(Trips.book, { version: 1, uses: [Bookings] }, body);
`,
    },
  },
  "a clock through require": {
    rule: "pure/clock",
    at: ["orchestration/late.cts", "performance.now"],
    files: {
      "orchestration/late.cts": `const { performance } = require("perf_hooks");
const { workflow } = require("trilith/orchestration");
exports.late = workflow({}, { version: 1 }, async () => performance.now());
`,
    },
  },
  "a step of something that was not handed over": {
    rule: "pure/clock",
    at: [flow, "Date.now"],
    files: inFlow(
      '  local.step("at", () => Date.now());',
      "const local = { step: (_: string, action: () => unknown) => action() };",
    ),
  },
  "a clock that was read when the file was loaded": {
    rule: "pure/clock",
    at: [flow, "Date.now"],
    files: inFlow("  if (started > 5) return trip.flight;", "const started = Date.now();"),
  },
  "a module that a workflow loads when it runs": {
    rule: "pure/io",
    at: [flow, 'import("node:fs")'],
    files: inFlow('  await import("node:fs");'),
  },
  "randomness of a module that a workflow loads when it runs": {
    rule: "pure/random",
    at: [flow, "randomUUID"],
    files: inFlow('  const { randomUUID } = await import("node:crypto");\n  trip.flight = randomUUID();'),
  },
  "the date of today in words": {
    rule: "pure/clock",
    at: [flow, 'new Intl.DateTimeFormat("en").format()'],
    files: inFlow('  trip.flight = new Intl.DateTimeFormat("en").format();'),
  },
  "the date of today by a format of the module": {
    rule: "pure/clock",
    at: [flow, "days.formatToParts()"],
    files: inFlow("  trip.flight = String(days.formatToParts());", 'const days = Intl.DateTimeFormat("en");'),
  },
  "a clock in a local function that a step uses, and the workflow too": {
    rule: "pure/clock",
    at: [flow, "Date.now"],
    files: inFlow('  const now = () => Date.now();\n  await run.step("x", async () => now());\n  now();'),
  },
  "a counter of the module": {
    rule: "pure/state",
    at: [flow, "counter"],
    files: inFlow("  counter += 1;", "let counter = 0;"),
  },
  "a map of the module": {
    rule: "pure/state",
    at: [flow, "cache.set"],
    files: inFlow('  cache.set("a", 1);', "const cache = new Map<string, number>();"),
  },
  "a list of another module": {
    rule: "pure/state",
    at: [flow, "kept[0]"],
    files: inFlow("  kept[0] = trip.flight;", 'import { kept } from "./kept.ts";', {
      "orchestration/kept.ts": "export const kept: string[] = [];\n",
    }),
  },
  "a clock in an initial state": {
    rule: "pure/clock",
    at: [seats, "Date.now"],
    files: inStorage("initial: { taken: [] }", "initial: { taken: [String(Date.now())] }"),
  },
  "randomness in a workflow": {
    rule: "pure/random",
    at: [flow, "Math.random"],
    files: inFlow("  if (Math.random() > 0.5) return trip.flight;"),
  },
  "a random id in a workflow": {
    rule: "pure/random",
    at: [flow, "randomUUID"],
    files: inFlow("  trip.flight = randomUUID();", 'import { randomUUID } from "node:crypto";'),
  },
  "a random id from a library": {
    rule: "pure/random",
    at: [flow, "nanoid"],
    files: inFlow("  trip.flight = nanoid();", 'import { nanoid } from "nanoid";', {
      "trilith.check.json": '{ "backend": false }',
    }),
  },
  "randomness in an undo": {
    rule: "pure/random",
    at: [flow, "crypto.randomUUID"],
    files: inFlow("  await bookings.hold(trip).undo(() => bookings.hold({ ...trip, booking: crypto.randomUUID() }));"),
  },
  "a timer in a workflow": {
    rule: "pure/timer",
    at: [flow, "setTimeout"],
    files: inFlow("  await new Promise((done) => setTimeout(done, 5));"),
  },
  "a promise of time in a workflow": {
    rule: "pure/timer",
    at: [flow, "sleep"],
    files: inFlow("  await sleep(5);", 'import { setTimeout as sleep } from "node:timers/promises";'),
  },
  "the environment in a workflow": {
    rule: "pure/environment",
    at: [flow, "process.env.REGION"],
    files: inFlow("  if (process.env.REGION) return trip.flight;"),
  },
  "a file in a workflow": {
    rule: "pure/io",
    at: [flow, "fs.readFileSync"],
    files: inFlow('  trip.flight = fs.readFileSync("x", "utf8");', 'import fs from "node:fs";'),
  },
  "the console in a workflow": {
    rule: "pure/io",
    at: [flow, "console.log"],
    files: inFlow("  console.log(trip.flight);"),
  },
  "a clock in a decision": {
    rule: "pure/clock",
    at: [seats, "new Date()"],
    files: inStorage("SeatHeld(seat))", "SeatHeld({ ...seat, flight: String(new Date()) }))"),
  },
  "randomness in evolve": {
    rule: "pure/random",
    at: [seats, "Math.random"],
    files: inStorage("[...taken, booking]", "[...taken, booking, String(Math.random())]"),
  },
  "a clock in a read model's handler": {
    rule: "pure/clock",
    at: [seats, "Date()"],
    files: inStorage("rows.put(seat)", "rows.put({ ...seat, flight: Date() })"),
  },
  "fetch in a source's shape": {
    rule: "pure/io",
    at: ["aggregation/airport-page.ts", "fetch"],
    files: {
      "aggregation/airport-page.ts": replaced(
        clean["aggregation/airport-page.ts"],
        "({ city: town })",
        "(void fetch(town), { city: town })",
      ),
    },
  },
  "randomness in an upcaster": {
    rule: "pure/random",
    at: ["contracts.ts", "Math.random"],
    files: inContracts(
      "SeatHeld: event(Seat),",
      "SeatHeld: event(Seat, { version: 2, from: [upcast(Seat, (old) => ({ ...old, flight: String(Math.random()) }))] }),",
    ),
  },
  "randomness in the way down from a version": {
    rule: "pure/random",
    at: ["contracts.ts", "Math.random"],
    files: inContracts(
      "SeatHeld: event(Seat),",
      "SeatHeld: event(Seat, { version: 2, from: [upcast(Seat, (old) => old, (now) => ({ ...now, flight: String(Math.random()) }))] }),",
    ),
  },
  // Contracts.
  "a package in the contracts that is no schema library": {
    rule: "contracts/schema-libraries",
    at: ["contracts/planted.ts", '"node:path"'],
    files: { "contracts/planted.ts": 'import { join } from "node:path";\nexport const it = join;\n' },
  },
  "a contract in a layer": {
    rule: "contracts/place",
    at: ["storage/fares.ts", '"fares"'],
    files: {
      "storage/fares.ts":
        'import { contract } from "trilith/contracts";\nexport const Fares = contract("fares", "1.0.0", {});\n',
    },
  },
  "two contracts of one name": {
    rule: "contracts/one-name",
    at: ["contracts.ts", '"bookings"'],
    files: {
      "contracts/again.ts":
        'import { contract } from "trilith/contracts";\nexport const Again = contract("bookings", { version: "1.0.0", owner: "x", summary: "y" }, {});\n',
    },
  },
  "a contract without an owner": {
    rule: "contracts/owner",
    at: ["contracts.ts", '"trips"'],
    files: inContracts('owner: "trips", summary: "Trips."', 'summary: "Trips."'),
  },
  "a contract without a summary": {
    rule: "contracts/summary",
    at: ["contracts.ts", '"airports"'],
    files: inContracts(', summary: "Airports."', ""),
  },
  "a personal field in a workflow's contract of a single file's backend": {
    rule: "personal/unmarked",
    at: ["backend.ts", "email"],
    files: {
      "contracts.ts": null,
      "storage/bookings.ts": null,
      "orchestration/book-trip.ts": null,
      "aggregation/airport-page.ts": null,
      "backend.ts": `import { backend } from "trilith";
import { command, contract } from "trilith/contracts";
import { workflow } from "trilith/orchestration";
import { z } from "zod";
const Letters = contract("letters", { version: "1.0.0", owner: "trips", summary: "Letters." }, {
  write: command({ input: z.object({ email: z.email() }), examples: [{ input: { email: "ada@example.com" } }] }),
});
export default backend("letters", { orchestration: [workflow(Letters.write, { version: 1, uses: [] }, async () => {})] });
`,
    },
  },
  "a contract of a single file's backend without an owner": {
    rule: "contracts/owner",
    at: ["backend.ts", '"fares"'],
    files: {
      "backend.ts": edited(
        `import { contract, event } from "trilith/contracts";
import { entity, store } from "trilith/storage";
import { z } from "zod";
const Fares = contract("fares", { version: "1.0.0", summary: "Fares." }, { Raised: event(z.object({})) });
const fares = entity("fare", { events: Fares, state: z.object({}), initial: {}, evolve: { Raised: (fare) => fare } });
${clean["backend.ts"]}`,
        ["[bookingStore]", "[bookingStore, store(Fares, { fares }, {})]"],
      ),
    },
  },
  "an operation without an example": {
    rule: "contracts/examples",
    at: ["contracts.ts", "hold"],
    files: inContracts(", examples: [{ input: seat }]", ""),
  },
  "an example that its schema refuses": {
    rule: "contracts/invalid-example",
    at: ["contracts.ts", "book"],
    files: inContracts('output: "T-1"', "output: 1 as never"),
  },
  "an example with a field too many": {
    rule: "contracts/invalid-example",
    at: ["contracts.ts", "page"],
    files: inContracts('{ iata: "ABQ" }', '{ iata: "ABQ", icao: "KABQ" } as never'),
  },
  "an example with a failure that is not declared": {
    rule: "contracts/invalid-example",
    at: ["contracts.ts", "hold"],
    files: inContracts("[{ input: seat }]", '[{ input: seat, failure: "SoldOut" as never }]'),
  },
  "an unmarked address of mail": {
    rule: "personal/unmarked",
    at: ["contracts.ts", "email"],
    files: inContracts("z.object({ city: z.string() })", "z.object({ city: z.string(), email: z.email().optional() })"),
  },
  "a place of birth that all operations share, told of once": {
    rule: "personal/unmarked",
    at: ["contracts.ts", "birthPlace"],
    files: inContracts("flight: z.string(),", "flight: z.string(), birthPlace: z.string().optional(),"),
  },
  "an unmarked name in what a store keeps": {
    rule: "personal/unmarked",
    at: [seats, "lastName"],
    files: inStorage("taken: z.array(z.string())", "taken: z.array(z.string()), lastName: z.string().optional()"),
  },
  "a word that the glossary replaces": {
    rule: "names/glossary",
    at: ["orchestration/client-list.ts"],
    files: {
      "orchestration/client-list.ts": "export {};\n",
      "glossary.md": "| use | not |\n|---|---|\n| customer | client, user account |\n",
    },
  },
  "a field's name that the glossary replaces": {
    rule: "names/glossary",
    at: ["contracts.ts", "planeNumbers"],
    files: {
      ...inContracts("{ iata: z.string() }", "{ iata: z.string(), planeNumbers: z.string().optional() }"),
      "glossary.md": "| not | use |\n|:--|--|\n| plane number | flight |\n",
    },
  },
  // The project as a whole.
  "a file of no layer": { rule: "files/layer", at: ["utils.ts"], files: { "utils.ts": "export {};\n" } },
  "a file that cannot be parsed": {
    rule: "files/syntax",
    at: ["storage/broken.ts"],
    files: { "storage/broken.ts": "export const = 1;\n" },
  },
  "a backend that throws": {
    rule: "backend/loads",
    at: ["backend.ts", 'throw new Error("No.");'],
    files: {
      "backend.ts": 'import { backend } from "trilith";\nthrow new Error("No.");\nexport default backend("x", {});\n',
    },
  },
  "a backend that exits": { rule: "backend/loads", at: ["backend.ts"], files: { "backend.ts": "process.exit(3);\n" } },
  "a backend that is not exported": {
    rule: "backend/loads",
    at: ["backend.ts"],
    files: inBackend("export default backend", "export const it = backend"),
  },
  "a backend that is not there": {
    rule: "backend/loads",
    at: ["main.ts"],
    files: { "backend.ts": null, "trilith.check.json": '{ "backend": "main.ts" }' },
  },
  "a contract that nobody implements": {
    rule: "operations/implemented",
    at: ["contracts.ts", '"airports"'],
    files: inBackend(", aggregation: [airportPage]", ""),
  },
  "an operation that nobody implements": {
    rule: "operations/implemented",
    at: ["contracts.ts", "cancel"],
    files: inContracts(
      "  book: command(",
      "  cancel: command({ input: Seat, examples: [{ input: seat }] }),\n  book: command(",
    ),
  },
  "an operation that is implemented twice": {
    rule: "operations/implemented-twice",
    at: ["contracts.ts", "book"],
    files: inBackend("[bookTrip]", "[bookTrip, bookTrip]"),
  },
  "a need that nobody meets": {
    rule: "operations/need",
    at: ["contracts.ts", '"bookings"'],
    files: inBackend("storage: [bookingStore], ", "// @ts-ignore: the check has to see what the compiler refuses\n  "),
  },
  "an address that nobody needs": {
    rule: "operations/stray-remote",
    at: ["backend.ts"],
    files: inBackend("[airportPage]", '[airportPage], remote: { payment: "https://x.test" }'),
  },
  "an allowance without a reason": {
    rule: "allow/reason",
    at: [flow, "// trilith-allow pure/clock"],
    files: inFlow("  if (Date.now() > 5) return trip.flight; // trilith-allow pure/clock"),
  },
  "an allowance of a rule that is none": {
    rule: "allow/unknown-rule",
    at: [flow, "// trilith-allow pure/clok: why not"],
    files: inFlow("  // trilith-allow pure/clok: why not"),
  },
  "an allowance in the configuration of what does not occur": {
    rule: "allow/unused",
    at: ["trilith.check.json"],
    files: {
      "trilith.check.json": '{ "allow": [{ "rule": "files/layer", "at": "utils.ts", "reason": "It was here." }] }',
    },
  },
  "an allowance of what does not occur": {
    rule: "allow/unused",
    at: [flow, "// trilith-allow pure/clock: it was here"],
    files: inFlow("  // trilith-allow pure/clock: it was here"),
  },
};

function replaced(text: string, from: string, to: string): string {
  const edit = edited(text, [from, to]);
  return to.includes("upcast(") ? edited(edit, ["event, personal", "event, upcast, personal"]) : edit;
}

describe("a planted violation", () => {
  it.each(Object.entries(planted))(
    "is told of, and nothing else: %s",
    async (_what, { rule, at: [file, text], files }) => {
      await using project = await projectWith(files);
      // What is told by reading alone is told without loading, which takes most of the time.
      const load = /^(contracts|personal|backend|operations)\//.test(rule);
      const { findings, textOf } = await check(project.folder, { load });
      const told = findings.map((finding) => ({
        rule: finding.rule,
        file: finding.file,
        text: finding.at && textOf(finding.file)?.slice(finding.at.start, finding.at.end),
        message: finding.message,
      }));
      expect(told).toEqual([
        { rule, file, text: text === undefined ? told[0]?.text : text, message: expect.stringMatching(/^\S.*\.$/s) },
      ]);
    },
  );

  it("is there for every rule but those of the lock file and of upcasters, which are tested with their judge", () => {
    const rules = new Set(Object.values(planted).map(({ rule }) => rule));
    expect(ruleIds.filter((id) => !rules.has(id))).toEqual(["contracts/upcaster", "lock/current"]);
    expect(Object.keys(planted).length).toBeGreaterThan(40);
  });
});
