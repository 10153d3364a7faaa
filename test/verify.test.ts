import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { backend } from "trilith";
import { command, contract, failure, query } from "trilith/contracts";
import { entity, readModel, store } from "trilith/storage";
import { type Verification, verify } from "trilith/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { event } from "../src/contracts/index.ts";
import { createApiKey } from "../src/runtime/index.ts";
import { startProgram } from "./program.ts";

const root = resolve(import.meta.dirname, "..");
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trilith-verify-"));
});
afterAll(() => rm(folder, { recursive: true }));

const Loan = z.object({ book: z.string().min(1).max(8), days: z.int().min(1).max(30) });
const Loans = contract("loans", "1.0.0", {
  lend: command({
    input: Loan,
    output: z.object({ due: z.int().min(1).max(30) }),
    failures: { Lent: failure(409, "Somebody has it.", { details: z.object({ days: z.int() }) }) },
    http: "POST /loans",
    access: "public",
  }),
  get: query({
    input: z.object({ book: Loan.shape.book, verbose: z.boolean().optional() }),
    output: Loan,
    failures: { Free: failure(404, "Nobody has it.") },
    http: "GET /loans/{book}",
    access: "loans:read",
  }),
  Lent: event(Loan),
});

type Bug = "none" | "output" | "failure" | "details" | "again" | "throws";
async function start(bug: Bug) {
  let lent = 0;
  const books = entity("book", {
    events: Loans,
    state: z.object({ days: z.int().optional() }),
    initial: {},
    evolve: { Lent: (_, { days }) => ({ days }) },
  });
  const loans = readModel("loan", {
    version: 1,
    events: Loans,
    row: Loan,
    key: "book",
    on: { Lent: (loan, rows) => rows.put(loan) },
  });
  const loanStore = store(
    Loans,
    { books, loans },
    {
      lend: async (loan, { books, fail }) => {
        await books(loan.book).decide(({ days }, { Lent }) => {
          if (days === undefined) return Lent(loan);
          return bug === "details" ? fail.Lent({ days: "many" as never }) : fail.Lent({ days });
        });
        lent += 1;
        if (bug === "throws" && loan.days > 20) throw new Error("Planted.");
        return { due: bug === "output" && loan.days > 14 ? 0 : loan.days };
      },
      get: async ({ book }, { loans, fail }) => {
        if (bug === "again") lent += 1; // stands for a query that writes
        return (await loans.get(book)) ?? fail.Free();
      },
    },
  );
  const data = await mkdtemp(join(folder, "data-"));
  const key = await createApiKey(join(data, "keys.json"), { id: "verifier", scopes: ["loans:read"] });
  const environment = { PORT: "0", TRILITH_DATA: data, TRILITH_LOG: "silent" };
  const running = await backend("loans", { storage: [loanStore] }).start({ environment });
  const observe = async () => lent;
  const target = { url: running.url, headers: { authorization: `Bearer ${key}` } };
  return { ...running, target, observe, [Symbol.asyncDispose]: () => running.stop() };
}
const brokenIn = ({ verified }: Verification) =>
  verified.filter(({ broken }) => broken).map(({ operation, rule }) => `${operation}: ${rule}`);

describe("verify, over a real backend", { timeout: 120_000 }, () => {
  it("finds nothing where there is nothing", async () => {
    await using loans = await start("none");
    const verification = await verify(Loans, loans.target, { seed: 5, runs: 30, observe: loans.observe });
    expect([verification.ok, verification.text]).toEqual([true, expect.stringContaining("✓ loans.lend: repetition")]);
    expect(verification.verified.map(({ operation, rule }) => `${operation}: ${rule}`)).toEqual([
      "loans.lend: valid input",
      "loans.lend: invalid input",
      "loans.lend: repetition",
      "loans.get: valid input",
      "loans.get: invalid input",
      "loans.get: reading",
    ]);
  });

  it("finds an output that breaks the contract, and shrinks the call to the smallest that shows it", async () => {
    await using loans = await start("output");
    const verification = await verify(Loans, loans.target, { seed: 5, runs: 60, operations: ["lend"] });
    expect(brokenIn(verification)).toContain("loans.lend: valid input");
    const [{ broken } = {}] = verification.verified;
    // The backend itself notices, and answers 502.
    expect(broken?.why).toContain("InvalidOutput");
    const { book, days } = (broken?.input ?? {}) as { book: string; days: number };
    expect([book.length, days > 14]).toEqual([1, true]);
    expect(verification.text).toContain("shrunk");
  });

  it.each<[Bug, string, RegExp]>([
    ["details", "loans.lend: valid input", /details of Lent|Internal|InvalidOutput/],
    ["throws", "loans.lend: valid input", /Internal \(500\)/],
    ["again", "loans.get: reading", /A query changed what is kept/],
  ])("finds a planted bug: %s", async (bug, where, why) => {
    await using loans = await start(bug);
    const verification = await verify(Loans, loans.target, { seed: 5, runs: 150, observe: loans.observe });
    expect(brokenIn(verification)).toContain(where);
    const broken = verification.verified.find(({ operation, rule }) => `${operation}: ${rule}` === where)?.broken;
    expect(broken?.why).toMatch(why);
  });

  it("finds somebody who takes what is invalid, does everything twice, or speaks in other words", async () => {
    let effects = 0;
    const { createServer } = await import("node:http");
    const server = createServer((_request, response) => {
      effects += 1;
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ due: (effects % 30) + 1 }));
    });
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    const { port } = server.address() as { port: number };
    const verification = await verify(Loans, `http://127.0.0.1:${port}`, { seed: 5, runs: 20, operations: ["lend"] });
    expect(brokenIn(verification)).toEqual(["loans.lend: invalid input", "loans.lend: repetition"]);
    server.close();
    server.closeAllConnections();
    await expect(verify(Loans, "http://127.0.0.1:1", { operations: ["nothing"] })).rejects.toThrow("no operation");
  });
});

describe("trilith mock", { timeout: 120_000 }, () => {
  it("answers at the contract's routes with valid values, the same each time, and passes the contract's own verification", async () => {
    const contracts = join(root, "examples/trips/contracts.ts");
    await using program = await startProgram(
      `exec "${process.execPath}" --conditions=trilith-source --disable-warning=ExperimentalWarning "${join(root, "src/cli/main.ts")}" mock "${contracts}" --port 0`,
      { folder, until: /as a mock at (\S+),/ },
    );
    const url = program.ready[1] ?? "";
    const { Bookings, Trips } = await import("../examples/trips/contracts.ts");
    for (const one of [Bookings, Trips]) {
      const { ok, text } = await verify(one, url, { seed: 11, runs: 20 });
      expect([ok, text]).toEqual([true, expect.stringContaining("✓")]);
    }
    const page = async () => (await fetch(`${url}/airports/XYZ`)).json();
    expect(await page()).toEqual(await page());
    const sold = await fetch(`${url}/airports/ABQ`, { headers: { "mock-failure": "NotFound" } });
    expect([sold.status, await sold.json()]).toEqual([
      404,
      expect.objectContaining({ type: "urn:trilith:failure:airports.page:NotFound", code: "NotFound" }),
    ]);
    expect((await fetch(`${url}/airports/ABQ`, { headers: { "mock-failure": "Unavailable" } })).status).toBe(503);
    expect((await fetch(`${url}/airports/ABQ`, { headers: { "mock-failure": "Nonsense" } })).status).toBe(422);
    expect(await program.interrupt()).toBe(0);
  });

  it("says what it wants where it is asked for nothing", async () => {
    await writeFile(join(folder, "empty.mjs"), "export const nothing = 1;\n");
    const { mockCommand } = await import("../src/cli/mock-command.ts");
    await expect(mockCommand([])).rejects.toThrow("Name one file");
    await expect(mockCommand([join(folder, "empty.mjs")])).rejects.toThrow("exports no contract");
    await expect(mockCommand([join(folder, "empty.mjs"), "--port", "x"])).rejects.toThrow("whole number");
  });
});
