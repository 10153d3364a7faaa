import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { z } from "zod";
import { command, contract, event, query, upcast } from "../contracts/index.ts";
import { Log } from "./host.ts";
import { entity, readModel, store } from "./index.ts";
import { open, toFolder } from "./test-kit.test-d.ts";

let folder: string;
let remove: () => void;
beforeEach(() => {
  ({ folder, remove } = toFolder());
});
afterEach(() => remove());

const Page = z.object({ orderBy: z.string().optional(), limit: z.int().optional(), after: z.string().optional() });
const Shelf = contract("shelf", "1.0.0", {
  put: command({ input: z.object({ book: z.string(), stars: z.int(), lent: z.boolean() }) }),
  drop: command({ input: z.object({ book: z.string() }) }),
  find: query({
    input: z.object({ where: z.record(z.string(), z.any()), page: Page.optional() }),
    output: z.array(z.string()),
  }),
  page: query({
    input: z.object({ where: z.record(z.string(), z.any()), page: Page }),
    output: z.object({ rows: z.array(z.string()), next: z.string().optional() }),
  }),
  Put: event(z.object({ book: z.string(), stars: z.int(), lent: z.boolean() })),
  Dropped: event(z.object({ book: z.string() })),
});

const toShelf = ({ version = 1, kept = "inline" as "inline" | "async" } = {}) => {
  const books = entity("book", {
    events: Shelf,
    state: z.object({ there: z.boolean() }),
    initial: { there: false },
    evolve: { Put: () => ({ there: true }), Dropped: () => ({ there: false }) },
  });
  const rows = readModel("book", {
    version,
    kept,
    events: Shelf,
    row: z.object({ book: z.string(), stars: z.int().nullable(), lent: z.boolean(), puts: z.int() }),
    key: "book",
    indexes: ["stars", "lent", ["lent", "stars"]],
    on: {
      Put: ({ book, stars, lent }, rows, { revision }) => {
        rows.increment(book, { puts: 1 });
        rows.patch(book, { stars: stars === 0 ? null : stars, lent });
        if (revision > 6) rows.put({ book, stars: 6, lent, puts: 0 });
      },
      Dropped: ({ book }, rows) => rows.remove(book),
    },
    initial: { lent: false, stars: null },
  });
  return store(
    Shelf,
    { books, rows },
    {
      put: (input, { books }) => books(input.book).decide((_, { Put }) => Put(input)),
      drop: (input, { books }) => books(input.book).decide(({ there }, { Dropped }) => (there ? Dropped(input) : [])),
      page: async ({ where, page }, { rows }) => {
        const found = await rows.page(where, page as {});
        return { ...found, rows: found.rows.map(({ book }) => book) };
      },
      find: async ({ where, page }, { rows }) => (await rows.find(where, page as {})).map(({ book }) => book),
    },
  );
};

const fact = fc.oneof(
  { weight: 3, arbitrary: fc.record({ book: fc.constantFrom("a", "b", "c"), stars: fc.nat(5), lent: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ book: fc.constantFrom("a", "b", "c") }) },
);

test("rows that are built anew equal those that were kept along the way", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fact, { minLength: 1, maxLength: 40 }), async (facts) => {
      const place = toFolder();
      try {
        const dump = async (version: number) => {
          await using backend = await open(place.folder, [toShelf({ version })]);
          if (version === 1)
            for (const one of facts) await backend.call("stars" in one ? "shelf.put" : "shelf.drop", one);
          const rows = await backend.engine.find(`shelf.book@${version}`, { limit: 10 });
          const { readModels } = await backend.storage.status();
          expect(readModels).toMatchObject([{ name: "book", version, kept: "inline", behind: 0 }]);
          return rows.map(({ key, data }) => [key, data]);
        };
        const kept = await dump(1);
        expect(await dump(2)).toEqual(kept);
      } finally {
        place.remove();
      }
    }),
    { numRuns: 6 },
  );
});

test("rows that fell behind go on from their checkpoint", async () => {
  {
    await using backend = await open(folder, [toShelf()]);
    await backend.call("shelf.put", { book: "a", stars: 1, lent: false });
    // As a process without this read model would have left it: an event that no row knows of.
    const data = { book: "b", stars: 2, lent: true };
    await backend.storage.log.append({ events: [{ stream: "book/b", type: "shelf.Put", data }] });
  }
  await using reopened = await open(folder, [toShelf()]);
  const rows = await reopened.engine.find("shelf.book@1", { limit: 10 });
  expect(rows.map(({ data }) => data)).toEqual([
    { book: "a", stars: 1, lent: false, puts: 1 },
    { book: "b", stars: 2, lent: true, puts: 1 },
  ]);
});

test("rows are found by what is indexed, in order, page by page", async () => {
  await using backend = await open(folder, [toShelf()]);
  const put = (book: string, stars: number, lent = false) => backend.call("shelf.put", { book, stars, lent });
  for (const [book, stars] of [
    ["a", 3],
    ["b", 1],
    ["c", 3],
    ["d", 0],
    ["Z", 2],
    ["é", 5],
  ] as const)
    await put(book, stars, stars > 2);
  const find = (where: object, page?: object) => backend.call("shelf.find", { where, page });
  expect(await find({})).toEqual(["Z", "a", "b", "c", "d", "é"]);
  expect(await find({ stars: 3 })).toEqual(["a", "c"]);
  expect(await find({ stars: { from: 2, to: 3 }, lent: true })).toEqual(["a", "c"]);
  expect(await find({ stars: { in: [1, 2] } })).toEqual(["Z", "b"]);
  expect(await find({ stars: null })).toEqual(["d"]);
  expect(await find({ lent: false }, { orderBy: "-stars" })).toEqual(["Z", "b", "d"]);
  expect(await find({}, { orderBy: "-stars" })).toEqual(["é", "c", "a", "Z", "b", "d"]);
  await expect(find({ puts: 1 })).rejects.toThrow(
    'cannot be searched or ordered by "puts", which is not indexed. Indexed: "stars", "lent". Add it to the indexes, and raise the version.',
  );
  await expect(find({}, { orderBy: "-book" })).rejects.toThrow(
    'by "book", which is not indexed. Indexed: "stars", "lent". Ask for it with get.',
  );
  await expect(find({}, { limit: 5_000 })).rejects.toThrow("from 1 to 1,000 rows");
  await expect(find({}, { after: "a" })).rejects.toThrow("are read on with page()");
  await expect(find({ stars: { above: 2 } })).rejects.toThrow('{"above":2} is none of them');
  await expect(find({ stars: { in: [1], from: 2 } })).rejects.toThrow("is none of them");
  await expect(find({ stars: { from: "2" } })).rejects.toThrow("holds numbers, so it cannot be asked for a text");
});

test("pages go on from values, so rows that go, change or come in between neither end the reading nor repeat it", async () => {
  await using backend = await open(folder, [toShelf()]);
  const books = ["a", "b", "c", "d", "e", "f", "g"];
  for (const [index, book] of books.entries())
    await backend.call("shelf.put", { book, stars: Math.floor(index / 2), lent: false }); // the first two have none
  type Page = { rows: string[]; next?: string };
  const page = async (options: object) => (await backend.call("shelf.page", { where: {}, page: options })) as Page;
  for (const orderBy of ["stars", "-stars", undefined]) {
    const whole = await backend.call("shelf.find", { where: {}, page: { orderBy } });
    const paged: string[] = [];
    for (let after: string | undefined; ; ) {
      const { rows, next } = await page({ orderBy, limit: 3, after });
      paged.push(...rows);
      if (next === undefined) break;
      after = next;
    }
    expect(paged).toEqual(whole);
  }
  const first = await page({ orderBy: "stars", limit: 3 });
  expect(first.rows).toEqual(["a", "b", "c"]);
  await backend.call("shelf.drop", { book: "c" });
  expect((await page({ orderBy: "stars", after: first.next })).rows).toEqual(["d", "e", "f", "g"]);
  const second = await page({ orderBy: "stars", limit: 1, after: first.next });
  await backend.call("shelf.put", { book: "d", stars: 5, lent: false });
  expect((await page({ orderBy: "stars", after: second.next })).rows).toEqual(["e", "f", "g", "d"]);
  const refused = { code: "InvalidInput", message: expect.stringContaining("no place to go on from") };
  for (const after of ["c", "", "////", Buffer.from('["stars",{},"c"]').toString("base64url")])
    await expect(page({ orderBy: "stars", after })).rejects.toMatchObject(refused);
  await expect(page({ orderBy: "-stars", after: first.next })).rejects.toThrow('the one asked for is "-stars"');
});

test("async rows follow soon after, also what was appended before they were declared", async () => {
  {
    await using backend = await open(folder, [toShelf()]);
    await backend.call("shelf.put", { book: "a", stars: 1, lent: false });
  }
  await using backend = await open(folder, [toShelf({ version: 2, kept: "async" })]);
  await backend.call("shelf.put", { book: "b", stars: 2, lent: false });
  await vi.waitFor(async () => expect(await backend.call("shelf.find", { where: {} })).toEqual(["a", "b"]));
  await vi.waitFor(async () => {
    const { readModels } = await backend.storage.status();
    expect(readModels).toMatchObject([{ kept: "async", position: 2, behind: 0 }]);
  });
});

test("a read model that changes its columns without a new version does not open, and says what to do", async () => {
  await using _ = await open(folder, [toShelf()]);
  const changed = (version: number) => {
    const declared = toShelf({ version });
    const { rows } = declared.parts;
    if (rows?.kind !== "read model") throw new Error("no read model");
    return { ...declared, parts: { ...declared.parts, rows: { ...rows, indexes: [["stars"]] } } };
  };
  await _[Symbol.asyncDispose]();
  await expect(open(folder, [changed(1)])).rejects.toThrow("raise its version");
  await using backend = await open(folder, [changed(2)]);
  expect(await backend.call("shelf.find", { where: {} })).toEqual([]);
});

const Lines = z.object({ lines: z.array(z.string()) });
const toNotes = (history?: typeof chain) => {
  const Notes = contract("notes", "1.0.0", {
    read: query({ input: z.object({}), output: z.array(z.string()) }),
    Written: event(Lines, history),
  });
  const notes = entity("note", {
    events: Notes,
    state: Lines,
    initial: { lines: [] },
    evolve: { Written: ({ lines }, event) => ({ lines: [...lines, ...event.lines] }) },
  });
  return store(Notes, { notes }, { read: async (_, { notes }) => (await notes("n").state())?.lines ?? [] });
};
const chain = {
  version: 3,
  from: [
    upcast(z.string(), (text) => ({ text })),
    upcast(z.object({ text: z.string() }), ({ text }) => ({ lines: text.split(" ") })),
  ] as const,
};

test("events of every version are read as those of the present one", async () => {
  {
    await using backend = await open(folder, [toNotes()]);
    const { engine, storage } = backend;
    const log = new Log(storage.log.name, {
      engine,
      clock: { now: () => 0, monotonic: () => 0, after: () => () => {} },
    });
    const written = [
      [1, "a b"],
      [2, { text: "c d" }],
      [3, { lines: ["e"] }],
    ] as const;
    for (const [version, data] of written)
      await log.append({ events: [{ stream: "note/n", type: "notes.Written", version, data }] });
  }
  await using backend = await open(folder, [toNotes(chain)]);
  expect(await backend.call("notes.read", {})).toEqual(["a", "b", "c", "d", "e"]);
  await backend[Symbol.asyncDispose]();
  await expect(open(folder, [toNotes()])).rejects.toThrow(
    'The log "main" holds events notes.Written in version 2, and this code knows it up to version 1',
  );
});

test("an event that the contract has forgotten keeps the storage from opening", async () => {
  {
    await using backend = await open(folder, [toNotes()]);
    await backend.storage.log.append({ events: [{ stream: "note/n", type: "notes.Erased", data: {} }] });
  }
  await expect(open(folder, [toNotes()])).rejects.toThrow("does not declare notes.Erased any more");
});

const Orders = contract("orders", "1.0.0", {
  begin: command({ input: z.object({ order: z.string() }) }),
  add: command({ input: z.object({ order: z.string(), count: z.int() }) }),
  Begun: event(z.object({ order: z.string() })),
  Added: event(z.object({ order: z.string(), count: z.int() })),
});

test("a row that zeros do not make is incremented once it is there, and before that there is a sentence", async () => {
  const orders = entity("order", {
    events: Orders,
    state: z.null(),
    initial: null,
    evolve: { Begun: () => null, Added: () => null },
  });
  const lines = readModel("lines", {
    version: 1,
    events: Orders,
    row: z.object({ order: z.string(), state: z.enum(["open", "sent"]), count: z.int() }),
    key: "order",
    on: {
      Begun: ({ order }, rows) => rows.put({ order, state: "open", count: 0 }),
      Added: ({ order, count }, rows) => rows.increment(order, { count }),
    },
  });
  const made = store(
    Orders,
    { orders, lines },
    {
      begin: (input, { orders }) => orders(input.order).decide((_, { Begun }) => Begun(input)),
      add: (input, { orders }) => orders(input.order).decide((_, { Added }) => Added(input)),
    },
  );
  await using backend = await open(folder, [made]);
  await backend.call("orders.add", { order: "o-1", count: 2 });
  const reason = async () => (await backend.storage.parked("orders.lines@1"))[0]?.reason;
  await expect
    .poll(reason, { timeout: 60_000 })
    .toContain(
      'The read model "lines" of the store "orders", on orders.Added, increments a row that is not there. Put it first, or say in "initial" what it starts from, for what there is of it does not fit its schema: /state:',
    );
  await backend.call("orders.begin", { order: "o-1" });
  await backend.call("orders.add", { order: "o-1", count: 2 });
  await backend.call("orders.add", { order: "o-1", count: 3 });
  const rows = await backend.engine.find("orders.lines@1", { limit: 10 });
  expect(rows.map(({ data }) => data)).toEqual([{ order: "o-1", state: "open", count: 5 }]);
});
