import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { Bookings, Fares, Payments } from "../../examples/trips/contracts.ts";
import { bookTrip } from "../../examples/trips/orchestration/book-trip.ts";
import { openDatabase, type TestDatabase } from "../../test/shared-postgres.ts";
import { command, contract, signal } from "../contracts/index.ts";
import { workflow } from "../orchestration/index.ts";
import {
  type BenchOptions,
  type BenchPlace,
  crashEverywhere,
  fake,
  inMemory,
  lostAnswer,
  postgresSchemas,
  sqliteFiles,
  workflowBench,
} from "./index.ts";

const trip = {
  flight: "ABQ-DAL-20010227-1430",
  booking: "6f9c0ad2-8c14-4bb1-9d0c-5d3c2f1d7a10",
  traveller: "Ada",
  card: "card-1815",
  lastKnownFare: 200,
};

interface Wishes {
  readonly fare?: number;
  readonly refuse?: boolean;
  readonly lost?: boolean;
}
function onTheBench({ fare = 120, refuse = false, lost = false }: Wishes, options: BenchOptions = {}) {
  const bookings = fake(Bookings, { hold: () => {}, ticket: () => ({ ticket: "T-1" }), release: () => {} });
  const fares = fake(Fares, { quote: () => fare });
  const books = new Map<string, number>();
  const payments = fake(
    Payments,
    {
      charge({ payment, amount }, { fail, nth }) {
        if (refuse) fail.Refused();
        books.set(payment, amount);
        if (lost && nth % 2 === 1) throw lostAnswer();
      },
      refund({ payment }) {
        books.set(payment, 0);
      },
    },
    { as: "outside" },
  );
  return { bench: workflowBench(bookTrip, [bookings, fares, payments], options), books };
}
const effects = (calls: readonly { readonly operation: string }[]): readonly string[] =>
  calls.map(({ operation }) => operation);

/** A payment of which nobody knows is refunded all the same, which leaves a tombstone: no money, but an entry. */
const keptOf = (books: ReadonlyMap<string, number>): readonly number[] =>
  [...books.values()].filter((amount) => amount > 0);

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await openDatabase();
}, 120_000);
afterAll(() => postgres.remove(), 120_000);

// The same tests, whatever runs are kept on.
describe.each([
  ["memory", () => inMemory],
  ["SQLite", () => sqliteFiles()],
  ["PostgreSQL", () => postgresSchemas(postgres.url)],
])("a bench on %s", (name, place) => {
  const every = name === "memory" ? 1 : 4;
  let on: BenchPlace;
  beforeAll(() => {
    on = place();
  });
  afterAll(() => on.close(), 120_000);

  describe("the workflow of the example", () => {
    it("books a trip", async () => {
      const { bench } = onTheBench({}, { on });
      expect(await bench.run(trip)).toEqual({ ticket: "T-1" });
      expect(effects(bench.calls)).toEqual(["bookings.hold", "fares.quote", "payments.charge", "bookings.ticket"]);
    });

    it("gives the seat back when the payment is refused", async () => {
      const { bench } = onTheBench({ refuse: true }, { on });
      await expect(bench.run(trip)).rejects.toMatchObject({ code: "Internal" });
      expect(effects(bench.calls)).toEqual(["bookings.hold", "fares.quote", "bookings.release"]);
    });

    it("waits for an approval of a dear trip, and tickets it when it comes", async () => {
      const { bench } = onTheBench({ fare: 600 }, { on });
      await bench.begin(trip);
      await bench.pass("5 seconds");
      expect(bench.row?.state).toBe("waiting");
      await bench.signal("approved", { by: "bob" });
      expect(await bench.end()).toEqual({ ticket: "T-1" });
    });

    it("undoes a dear trip that nobody approves", async () => {
      const { bench, books } = onTheBench({ fare: 600 }, { on });
      await expect(bench.run(trip)).rejects.toMatchObject({ code: "NotApproved" });
      expect([...books.values()]).toEqual([0]);
      expect(effects(bench.calls).slice(-2)).toEqual(["payments.refund", "bookings.release"]);
    });
  });

  describe("a crash at every commit", () => {
    // Where there is a disk each crash takes a tenth of a second, so the engines share the stories, and crash at each commit
    // in one of its four ways, which take turns: in memory it is all of them.
    const stories: { readonly [name: string]: Wishes } = {
      ...(name !== "PostgreSQL" && { "a trip whose payment's answer gets lost": { lost: true } }),
      ...(name !== "SQLite" && { "a trip that nobody approves": { fare: 600 } }),
      ...(name === "memory" && {
        "a trip that is booked": {},
        "a trip whose payment is refused": { refuse: true },
      }),
    };
    for (const [name, wishes] of Object.entries(stories)) {
      it(`changes nothing for ${name}`, async () => {
        const crashes = await crashEverywhere(
          async (options) => {
            const { bench, books } = onTheBench(wishes, options);
            const end = await bench.run(trip).catch((error: { code: string }) => error.code);
            return { bench, told: { end, kept: keptOf(books), state: bench.row?.state } };
          },
          (told, undisturbed, where) => expect(told, where).toEqual(undisturbed),
          { on, every },
        );
        expect(crashes).toBeGreaterThan(24 / every);
      }, 120_000);
    }

    it("is found out where a step is repeated under another key", async () => {
      const { bench } = onTheBench({}, { on, crash: { at: 3, afterWriting: false } });
      await bench.run(trip);
      expect(bench.crashed).toBe(true);
      const charges = bench.calls.filter(({ operation }) => operation === "payments.charge");
      expect(new Set(charges.map(({ key }) => key)).size).toBe(1);
    });
  });

  describe("the parts of a bench", () => {
    const Post = contract("post", "1.0.0", {
      send: command({
        input: z.object({ to: z.array(z.string()) }),
        output: z.object({ sent: z.int(), last: z.string() }),
        signals: { more: signal(z.object({ to: z.string() })) },
        progress: z.object({ sent: z.int() }),
      }),
      letter: command({ input: z.object({ to: z.string() }), output: z.object({ to: z.string() }) }),
    });
    const Stamps = contract("stamps", "1.0.0", { buy: command({ input: z.object({ to: z.string() }) }) });
    const letter = workflow(
      Post.letter,
      { version: 1, uses: [Stamps], concurrency: { limit: 1 } },
      async ({ to }, { stamps, run }) => {
        await run.sleep("1 hour");
        await stamps.buy({ to });
        return { to };
      },
    );
    const send = workflow(Post.send, { version: 1, uses: [Post] }, async ({ to }, { post, run }) => {
      await run.all(to, (one) => post.letter({ to: one }));
      run.progress({ sent: to.length });
      const { to: last } = await run.signal.more;
      return { sent: to.length, last };
    });
    const story = (options: BenchOptions) => {
      const stamps = fake(Stamps, { buy: () => {} });
      return workflowBench(send, [stamps], { ...options, beside: [letter] });
    };

    it("are children that stand in line, signals, progress, steering, forks and time", async () => {
      const bench = story({ on });
      await bench.begin({ to: ["ann", "bob"] });
      await bench.pass("3 hours");
      expect(bench.progress).toEqual({ sent: 2 });
      await bench.steer("pause", "lunch");
      expect(bench.row).toMatchObject({ state: "paused", reason: "Paused by bench: lunch" });
      await bench.steer("resume");
      await bench.signal("more", { to: "cid" });
      expect(await bench.end()).toEqual({ sent: 2, last: "cid" });
      expect(bench.calls.map(({ input }) => (input as { to: string }).to).sort()).toEqual(["ann", "bob"]);
      const other = await bench.fork();
      await bench.pass("3 hours");
      expect(bench.rows.map(({ state }) => state)).toEqual(["done", "done", "done", "waiting", "done", "done"]);
      expect(bench.entriesOf(other).some(({ type }) => type === "Progress")).toBe(true);
      await bench.close();
      expect(bench.entries.at(-1)).toMatchObject({ type: "Ended", state: "done" });
    });

    it.skipIf(name === "PostgreSQL")(
      "are there after a crash at any commit of a run and its children",
      async () => {
        const crashes = await crashEverywhere(
          async (options) => {
            const bench = story(options);
            await bench.begin({ to: ["ann"] });
            await bench.pass("3 hours");
            await bench.signal("more", { to: "bob" });
            const end = await bench.end();
            const states = bench.rows.map(({ state }) => state);
            return { bench, told: { end, states, calls: bench.calls.map(({ input }) => input) } };
          },
          (told, undisturbed, where) => expect(told, where).toEqual(undisturbed),
          { on, every },
        );
        expect(crashes).toBeGreaterThan(24 / every);
      },
      120_000,
    );

    it("refuse an input that breaks the contract as soon as it is to begin, and a signal once it has begun", async () => {
      const bench = story({ on });
      const wrong = { to: 7 } as unknown as { to: string[] }; // what no compiler has looked at
      await expect(bench.begin(wrong)).rejects.toMatchObject({ code: "InvalidInput", issues: [{ path: "/to" }] });
      await expect(bench.run(wrong)).rejects.toMatchObject({ code: "InvalidInput" });
      expect([bench.rows, bench.entries]).toEqual([[], []]);
      await bench.begin({ to: [] });
      await bench.signal("more", { to: "cid" });
      expect(await bench.end()).toEqual({ sent: 0, last: "cid" });
      await bench.close();
    });

    it("are missing before it has begun, and told of in a sentence", async () => {
      const bench = story({ on });
      await expect(bench.signal("more", { to: "ann" })).rejects.toThrow("Begin it first");
      await bench.close();
    });
  });
});

describe("what a test has forgotten", () => {
  const Paper = contract("paper", "1.0.0", {
    print: command({ input: z.object({ page: z.string() }), output: z.string() }),
    tear: command({ input: z.object({ page: z.string() }) }),
  });
  const Books = contract("books", "1.0.0", {
    make: command({
      input: z.object({ page: z.string() }),
      output: z.string(),
      signals: { go: signal(z.object({ at: z.iso.datetime() })) },
    }),
  });
  const caught: unknown[] = [];
  const make = workflow(Books.make, { version: 1, uses: [Paper] }, async (input, { paper, run }) => {
    await paper.print(input).undo(() => paper.tear(input));
    await run.signal.go;
    await paper.tear(input).or((error) => void caught.push(error));
    return "a book";
  });

  it("is a handler: the bench says so, and nothing is retried, undone or told to the run", async () => {
    const paper = fake(Paper, { print: ({ page }) => page });
    const bench = workflowBench(make, [paper]);
    await bench.begin({ page: "1" });
    const sentence = 'The fake of "paper" has no handler for paper.tear, which was called. Give it one.';
    await expect(bench.signal("go", { at: "2026-01-01T00:00:00Z" })).rejects.toThrow(sentence);
    await expect(bench.end()).rejects.toThrow(sentence);
    await expect(bench.pass("1 day")).rejects.toThrow(sentence);
    expect(caught).toEqual([]);
    expect(paper.calls).toHaveLength(1);
    expect(bench.row?.state).not.toBe("done");
    expect(bench.entries.map(({ type }) => type)).not.toContain("Ended");
  });

  it("is a fake", async () => {
    const bench = workflowBench(make, []);
    await expect(bench.run({ page: "1" })).rejects.toThrow(/^No fake plays paper\.print, which was called\. Give/);
    expect(bench.entries.map(({ type }) => type)).not.toContain("Ended");
  });

  it("is no crash: where crashes are everywhere it is said just the same", async () => {
    const story = async (options: BenchOptions) => {
      const bench = workflowBench(make, [fake(Paper, {})], options);
      return { bench, told: await bench.run({ page: "1" }) };
    };
    await expect(crashEverywhere(story, () => {})).rejects.toThrow("has no handler for paper.print");
  });
});

it("an output is what a caller reads", async () => {
  const Clocks = contract("clocks", "1.0.0", {
    read: command({ input: z.object({}), output: z.iso.datetime().transform((text) => new Date(text)) }),
  });
  const bench = workflowBench(
    workflow(Clocks.read, { version: 1 }, async () => "2026-01-01T00:00:00Z"),
    [],
  );
  expect((await bench.run({})).getUTCFullYear()).toBe(2026);
});

it("crashes can be thinned out, at other commits each of the four times", async () => {
  const where: string[] = [];
  const story = async (options: BenchOptions) => {
    const { bench } = onTheBench({}, options);
    await bench.run(trip);
    return { bench, told: bench.commits };
  };
  const all = await crashEverywhere(story, () => {});
  const some = await crashEverywhere(story, (_, __, at) => where.push(at), { every: 3 });
  expect(some).toBeGreaterThan(all / 3 - 4);
  expect(some).toBeLessThan(all / 3 + 4);
  expect(where.map((at) => /commit (\d)/.exec(at)?.[1])).toEqual(expect.arrayContaining(["1", "2", "3", "4"]));
  await expect(crashEverywhere(story, () => {}, { every: 0 })).rejects.toThrow("every 0-th commit");
});
