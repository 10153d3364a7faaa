import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { anonymous, type Call, command, contract, failure, query, silent, validate } from "../contracts/index.ts";
import { workflow } from "../orchestration/index.ts";
import { mock } from "./mock.ts";
import { toArbitrary } from "./values/arbitrary.ts";
import { verify } from "./verify/verify.ts";
import { workflowBench } from "./workflow-bench.ts";

const Money = z.object({ cents: z.int().min(1).max(99_999), currency: z.enum(["EUR", "USD"]) });
const Fares = contract("fares", "1.0.0", {
  quote: query({
    input: z.object({ flight: z.string(), seats: z.int().min(1).default(1) }),
    output: z.object({ flight: z.string(), price: Money, until: z.iso.datetime(), id: z.uuid() }),
    failures: {
      Unknown: failure(404, "No such flight."),
      Full: failure(409, "It is full.", { details: z.object({ left: z.int().min(0).max(3) }) }),
    },
    examples: [{ input: { flight: "NOWHERE" }, failure: "Unknown" }],
  }),
  pay: command({
    input: z.object({ fare: z.uuid() }),
    output: z.object({ receipt: z.string().regex(/^R-\d{6}$/) }),
    examples: [{ input: { fare: "0f5b4a52-3a0e-4c6b-9d0a-5d7f0c1c2b11" }, output: { receipt: "R-000001" } }],
  }),
  drop: command({ input: z.object({ fare: z.uuid() }) }),
});
let keys = 0;
const call = (): Call => ({
  principal: anonymous,
  trace: silent,
  aborted: new AbortController().signal,
  key: `k${keys++}`,
});

describe("a mock", () => {
  it("answers what the contract allows, the same for the same question and seed, and another for another", async () => {
    const ask = (seed: number, flight: string) =>
      mock(Fares, { seed }).call("fares.quote", { flight, seats: 1 }, call());
    const first = await ask(1, "UA1");
    expect(await validate(Fares.quote.output, first)).toMatchObject({ ok: true });
    expect(first).toMatchObject({ flight: "UA1" }); // the question's own
    expect(await ask(1, "UA1")).toEqual(first);
    expect(await ask(2, "UA1")).not.toEqual(first);
    expect(await ask(1, "UA2")).not.toMatchObject({ price: (first as { price: object }).price });
  });

  it("plays the examples of its contract", async () => {
    const fares = mock(Fares);
    await expect(fares.call("fares.quote", { flight: "NOWHERE" }, call())).rejects.toMatchObject({ code: "Unknown" });
    const fare = "0f5b4a52-3a0e-4c6b-9d0a-5d7f0c1c2b11";
    expect(await fares.call("fares.pay", { fare }, call())).toEqual({ receipt: "R-000001" });
  });

  it("fails as it is told to, with details that fit, always or at a rate", async () => {
    const full = mock(Fares, { failures: { quote: "Full", drop: { code: "Unavailable", rate: 0.5 } } });
    const error = await full.call("fares.quote", { flight: "UA1" }, call()).catch((error: unknown) => error);
    expect(error).toMatchObject({ code: "Full", status: 409 });
    expect(
      (await validate(Fares.quote.failures.Full.details as never, (error as { details: unknown }).details)).ok,
    ).toBe(true);
    const ends = await Promise.all(
      Array.from({ length: 200 }, () =>
        full.call("fares.drop", { fare: "x" }, call()).then(
          () => "done",
          () => "failed",
        ),
      ),
    );
    const failed = ends.filter((end) => end === "failed").length;
    expect(failed).toBeGreaterThan(60);
    expect(failed).toBeLessThan(140);
    // @ts-expect-error no such failure
    mock(Fares, { failures: { quote: "Nonsense" } });
  });

  it("stands in for a contract on the bench of a workflow", async () => {
    const Trips = contract("trips", "1.0.0", {
      book: command({ input: z.object({ flight: z.string() }), output: z.object({ receipt: z.string() }) }),
    });
    const book = workflow(Trips.book, { version: 1, uses: [Fares] }, async ({ flight }, { fares }) => {
      const { id } = await fares.quote({ flight });
      return fares.pay({ fare: id });
    });
    const fares = mock(Fares);
    expect(await workflowBench(book, [fares]).run({ flight: "UA1" })).toMatchObject({
      receipt: expect.stringMatching(/^R-/),
    });
    expect(fares.calls.map(({ operation }) => operation)).toEqual(["fares.quote", "fares.pay"]);
  });

  it("passes the verification of its own contract", async () => {
    const { text, ok, verified } = await verify(Fares, mock(Fares), { seed: 7 });
    expect([ok, text]).toEqual([true, expect.stringContaining("✓ fares.quote: valid input (50 calls)")]);
    expect(verified.map(({ rule }) => rule)).toEqual([
      "valid input",
      "valid input",
      "repetition",
      "valid input",
      "repetition",
    ]);
  });
});

describe("values of a schema", () => {
  const tree: z.ZodType = z.object({
    name: z.string(),
    get children() {
      return z.array(tree).max(3);
    },
  });
  it.each<[string, z.ZodType, number]>([
    ["bounds", z.number().gt(0).lt(1), 1],
    ["integers and steps", z.object({ a: z.int().min(-3).max(3), b: z.number().multipleOf(0.5).min(1) }), 1],
    ["texts with patterns", z.string().regex(/^[A-Z]{3}-\d{2,4}$/), 1],
    ["lengths", z.string().min(3).max(5), 1],
    [
      "formats",
      z.object({ a: z.uuid(), b: z.email(), c: z.iso.date(), d: z.iso.datetime(), e: z.url(), f: z.ipv4() }),
      1,
    ],
    ["steps that binary numbers miss", z.number().multipleOf(0.1).min(0.25).max(0.3), 1],
    ["short addresses of mail", z.email().max(12), 1],
    ["long addresses of mail", z.email().min(40), 1],
    ["short addresses of pages", z.url().max(15), 1],
    ["two patterns", z.string().regex(/^a/).regex(/z$/), 1],
    ["a beginning and a length", z.string().startsWith("ab").min(40), 1],
    ["a beginning, a middle and an end", z.string().endsWith("z").includes("mid").startsWith("ab"), 1],
    ["an address of mail of one's own pattern", z.email({ pattern: /^[a-z]{1,8}@corp\.test$/ }), 1],
    [
      "a pattern and a length that rarely meet",
      z
        .string()
        .regex(/^[ab]+$/)
        .max(2),
      0.1,
    ],
    ["lists and tuples", z.tuple([z.string(), z.int()], z.boolean()), 1],
    ["lists with bounds", z.array(z.int()).min(2).max(3), 1],
    [
      "unions",
      z.discriminatedUnion("kind", [
        z.object({ kind: z.literal("a"), x: z.int() }),
        z.object({ kind: z.literal("b") }),
      ]),
      1,
    ],
    ["intersections", z.intersection(z.object({ a: z.string() }), z.object({ b: z.int() })), 1],
    ["records", z.record(z.string().regex(/^[a-z]+$/), z.int()), 1],
    [
      "what may be missing or null",
      z.object({ a: z.string().optional(), b: z.int().nullable(), c: z.enum(["x", "y"]) }),
      1,
    ],
    ["shapes that contain themselves", tree, 1],
    ["sets", z.array(z.int().min(0).max(9)).min(1).meta({ uniqueItems: true }), 1],
  ])("with %s are what the schema takes", (_, schema, share) => {
    const drawn = fc.sample(toArbitrary(fc, z.toJSONSchema(schema, { io: "input" }) as never), {
      numRuns: 300,
      seed: 3,
    });
    const wrong = drawn.filter((value) => !schema.safeParse(value).success);
    expect(wrong.length / drawn.length, JSON.stringify(wrong[0])).toBeLessThanOrEqual(1 - share);
  });
});
