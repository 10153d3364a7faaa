import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { type Call, command, contract, event, Failed, Fault, query, silent } from "../contracts/index.ts";
import { entity, readModel, store } from "./index.ts";
import { Bookings, open, toBookingStore, toFolder } from "./test-kit.test-d.ts";

let folder: string;
let remove: () => void;
beforeEach(() => {
  ({ folder, remove } = toFolder());
});
afterEach(() => remove());

const toSeat = (flight = "UA1") => ({ flight, booking: randomUUID(), traveller: "Ada Lovelace" });

test("the example holds a seat, tickets it, releases it, and shows each", async () => {
  await using backend = await open(folder, [toBookingStore(180)]);
  const seat = toSeat();
  expect(await backend.call("bookings.hold", seat)).toBeUndefined();
  expect(await backend.call("bookings.get", seat)).toEqual({ ...seat, status: "held" });
  expect(await backend.call("bookings.ticket", seat)).toEqual({ ticket: `T-${seat.booking}` });
  expect(await backend.call("bookings.get", seat)).toEqual({
    ...seat,
    status: "ticketed",
    ticket: `T-${seat.booking}`,
  });
  await backend.call("bookings.release", seat);
  await backend.call("bookings.release", seat);
  expect(await backend.call("bookings.get", seat)).toMatchObject({ status: "released" });
  const types = [];
  for await (const { type } of backend.storage.log.after(0)) types.push(type);
  expect(types).toEqual(["bookings.SeatHeld", "bookings.Ticketed", "bookings.Released"]);
});

test("what the contract does not declare never reaches the disk", async () => {
  await using backend = await open(folder, [toBookingStore(180)]);
  const seat = toSeat();
  await backend.call("bookings.hold", { ...seat, card: "4111" });
  for await (const { data } of backend.storage.log.after(0)) expect(data).toEqual(seat);
  const [row] = await backend.engine.find("bookings.booking@1", { key: seat.booking, limit: 1 });
  expect(row?.data).toEqual({ ...seat, status: "held" });
});

test("a declared failure is thrown, and nothing is written", async () => {
  await using backend = await open(folder, [toBookingStore(0)]);
  const error = await backend.call("bookings.hold", toSeat(), { key: "k" }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Failed);
  expect(error).toMatchObject({ code: "SoldOut", operation: "bookings.hold" });
  expect((await backend.engine.head("main")).position).toBe(0);
  expect(await backend.storage.log.receipt("anonymous:bookings.hold:k")).toBeUndefined();
});

test("the same call made twice at once is answered twice with its one success", async () => {
  await using backend = await open(folder, [toBookingStore(1)]);
  const seat = toSeat();
  const twice = [1, 2, 3].map(() => backend.call("bookings.hold", seat, { key: "k" }));
  expect(await Promise.allSettled(twice)).toEqual(twice.map(() => ({ status: "fulfilled", value: undefined })));
  expect((await backend.engine.head("main")).position).toBe(1);
});

test("of many that race for the last seat exactly one gets it", async () => {
  await using backend = await open(folder, [toBookingStore(1)]);
  const results = await Promise.allSettled(Array.from({ length: 40 }, () => backend.call("bookings.hold", toSeat())));
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason.code] : []));
  expect(new Set(failures)).toEqual(new Set(["SoldOut"]));
  expect((await backend.engine.head("main")).position).toBe(1);
});

test("a hot entity takes every command, however many come at once", async () => {
  await using backend = await open(folder, [toBookingStore(1_000)]);
  await Promise.all(Array.from({ length: 300 }, () => backend.call("bookings.hold", toSeat())));
  expect((await backend.engine.head("main")).position).toBe(300);
});

test("what is remembered of an entity decides nothing, once somebody else has written to it", async () => {
  await using backend = await open(folder, [toBookingStore(1)]);
  const [first, second] = [toSeat(), toSeat()];
  const elsewhere = (type: string, { flight, booking }: typeof first, more = {}) =>
    backend.storage.log.append({ events: [{ stream: `flight/${flight}`, type, data: { flight, booking, ...more } }] });
  await backend.call("bookings.hold", first);

  // As remembered the flight is sold out: a failure that would not be true any more.
  await elsewhere("bookings.Released", first);
  await backend.call("bookings.hold", second);

  // As remembered the first booking is not there: nothing to do, where there is something.
  await elsewhere("bookings.Released", second);
  await elsewhere("bookings.SeatHeld", first, { traveller: first.traveller });
  await backend.call("bookings.release", first);

  // As remembered there is a seat: an append that would overbook the flight.
  await elsewhere("bookings.SeatHeld", second, { traveller: second.traveller });
  await expect(backend.call("bookings.hold", first)).rejects.toMatchObject({ code: "SoldOut" });

  const types = [];
  for await (const { type } of backend.storage.log.stream("flight/UA1")) types.push(type.slice("bookings.".length));
  const story = ["SeatHeld", "Released", "SeatHeld", "Released", "SeatHeld", "Released", "SeatHeld"];
  expect(types).toEqual(story);
});

test("a command that is called again with its key gives its first result, and does nothing", async () => {
  const seat = toSeat();
  let ticket: unknown;
  {
    await using backend = await open(folder, [toBookingStore(1)]);
    await backend.call("bookings.hold", seat, { key: "hold 1" });
    // Without the receipt this would find its own booking, and report the flight as sold out.
    await backend.call("bookings.hold", seat, { key: "hold 1" });
    ticket = await backend.call("bookings.ticket", seat, { key: "ticket 1" });
  }
  await using reopened = await open(folder, [toBookingStore(1)]);
  await reopened.call("bookings.hold", seat, { key: "hold 1" });
  expect(await reopened.call("bookings.ticket", seat, { key: "ticket 1" })).toEqual(ticket);
  expect((await reopened.engine.head("main")).position).toBe(2);
});

test("calls with one key that come at once have one effect and one result", async () => {
  await using backend = await open(folder, [toBookingStore(180)]);
  const seat = toSeat();
  await Promise.all(Array.from({ length: 20 }, () => backend.call("bookings.hold", seat, { key: "same" })));
  expect((await backend.engine.head("main")).position).toBe(1);
});

test("a key is looked up where a call fails, for the append of one that does not is told of it anyway", async () => {
  await using backend = await open(folder, [toBookingStore(1)]);
  const looked: string[] = [];
  const { engine } = backend;
  const receipt = engine.receipt.bind(engine);
  engine.receipt = (log, key) => {
    looked.push(key);
    return receipt(log, key);
  };
  const seat = toSeat();
  await backend.call("bookings.hold", seat, { key: "a" });
  expect(looked).toEqual([]);
  // The seat is taken, by this very call.
  await backend.call("bookings.hold", seat, { key: "a" });
  expect(looked).toHaveLength(1);
  await expect(backend.call("bookings.hold", toSeat(), { key: "b" })).rejects.toMatchObject({ code: "SoldOut" });
  expect(looked).toHaveLength(2);
  expect((await engine.head("main")).position).toBe(1);
});

test("a key is refused for another input, and belongs to one caller and one operation", async () => {
  await using backend = await open(folder, [toBookingStore(180)]);
  const seat = toSeat();
  await backend.call("bookings.hold", seat, { key: "k" });
  await expect(backend.call("bookings.hold", toSeat(), { key: "k" })).rejects.toMatchObject({ code: "KeyReused" });
  const somebody = { id: "a:bookings.hold", kind: "key", scopes: [] } as const;
  await backend.call("bookings.hold", toSeat(), { key: "k", principal: somebody });
  await backend.call("bookings.release", seat, { key: "k" });
  expect((await backend.engine.head("main")).position).toBe(3);
});

test("a receipt is written also where nothing was decided", async () => {
  await using backend = await open(folder, [toBookingStore(180)]);
  const place = toSeat();
  await backend.call("bookings.release", place, { key: "k" });
  expect((await backend.engine.head("main")).position).toBe(0);
  await expect(backend.call("bookings.release", toSeat(), { key: "k" })).rejects.toMatchObject({ code: "KeyReused" });
});

test("a voided key is refused for good, and one that took effect says so", async () => {
  const seat = toSeat();
  {
    await using backend = await open(folder, [toBookingStore(180)]);
    expect(await backend.void("bookings.ticket", "late")).toEqual({ took: false });
    expect(await backend.void("bookings.ticket", "late")).toEqual({ took: false });
    await backend.call("bookings.hold", seat);
    await backend.call("bookings.ticket", seat, { key: "done" });
    expect(await backend.void("bookings.ticket", "done")).toEqual({
      took: true,
      wire: { ticket: `T-${seat.booking}` },
    });
  }
  await using reopened = await open(folder, [toBookingStore(180)]);
  await expect(reopened.call("bookings.ticket", seat, { key: "late" })).rejects.toMatchObject({ code: "Voided" });
  expect(await reopened.call("bookings.ticket", seat, { key: "done" })).toEqual({ ticket: `T-${seat.booking}` });
  expect(await reopened.void("bookings.get", "x")).toEqual({ took: false });
});

test("voiding and doing race to one of the two, never to both", async () => {
  await using backend = await open(folder, [toBookingStore(1_000)]);
  for (let round = 0; round < 30; round++) {
    const key = `k${round}`;
    const before = (await backend.engine.head("main")).position;
    const [held, voided] = await Promise.allSettled([
      backend.call("bookings.hold", toSeat("AA1"), { key }),
      backend.void("bookings.hold", key),
    ]);
    const after = (await backend.engine.head("main")).position;
    expect(voided).toMatchObject({ status: "fulfilled", value: { took: held.status === "fulfilled" } });
    expect(after - before).toBe(held.status === "fulfilled" ? 1 : 0);
  }
});

test("a call that nobody waits for any more writes nothing", async () => {
  await using backend = await open(folder, [toBookingStore(180)]);
  const error = await backend
    .call("bookings.hold", toSeat(), { aborted: AbortSignal.abort() })
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Fault);
  expect(error).toMatchObject({ code: "DeadlineExceeded", outcome: "not done" });
  await expect(backend.call("bookings.hold", toSeat(), { deadline: performance.now() - 1 })).rejects.toMatchObject({
    code: "DeadlineExceeded",
  });
  expect((await backend.engine.head("main")).position).toBe(0);
});

test("a command looks ahead of the disk, and an answer that no append stands for waits until it is known to be true", async () => {
  await using backend = await open(folder, [toBookingStore(1)]);
  const looks: unknown[] = [];
  const { engine } = backend;
  const [read, revision] = [engine.read.bind(engine), engine.revision.bind(engine)];
  engine.read = (log, query) => {
    looks.push("stream" in query && [query.stream, query.ahead]);
    return read(log, query);
  };
  engine.revision = (log, stream) => {
    looks.push(stream);
    return revision(log, stream);
  };
  await backend.call("bookings.hold", toSeat());
  expect(looks).toEqual([["flight/UA1", true]]);
  await expect(backend.call("bookings.hold", toSeat())).rejects.toMatchObject({ code: "SoldOut" });
  expect(looks.slice(1)).toEqual(["flight/UA1"]);
});

test("an append is a span that says where it went", async () => {
  await using backend = await open(folder, [toBookingStore(180)]);
  const spans: unknown[] = [];
  const trace: Call["trace"] = {
    ...silent,
    span: (kind, name, attributes, work) => {
      const said = { ...attributes };
      spans.push([kind, name, said]);
      return work({ ...silent, set: (more) => void Object.assign(said, more) });
    },
  };
  await backend.call("bookings.hold", toSeat(), { trace });
  expect(spans).toEqual([
    [
      "append",
      "append main",
      { "trilith.log": "main", "trilith.events": 1, "trilith.position": 1, "trilith.again": false },
    ],
  ]);
});

const Accounts = contract("accounts", "1.0.0", {
  move: command({
    input: z.object({ from: z.string(), to: z.string(), amount: z.number() }),
    output: z.object({ from: z.number(), to: z.number() }),
  }),
  misuse: command({ input: z.object({ how: z.string() }) }),
  history: query({ input: z.object({ account: z.string() }), output: z.array(z.number()) }),
  Moved: event(z.object({ account: z.string(), amount: z.int() })),
});
const toAccounts = () => {
  const accounts = entity("account", {
    events: Accounts,
    state: z.object({ balance: z.number() }),
    initial: { balance: 0 },
    evolve: { Moved: ({ balance }, { amount }) => ({ balance: balance + amount }) },
  });
  const totals = readModel("total", {
    version: 1,
    events: Accounts,
    row: z.object({ account: z.string(), moves: z.int(), balance: z.int() }),
    key: "account",
    indexes: ["balance"],
    on: { Moved: ({ account, amount }, rows) => rows.increment(account, { moves: 1, balance: amount }) },
  });
  return store(
    Accounts,
    { accounts, totals },
    {
      move: async ({ from, to, amount }, { accounts }) => {
        const first = await accounts(from).decide((_, { Moved }) => Moved({ account: from, amount: -amount }));
        await accounts(to).decide((_, { Moved }) => [
          Moved({ account: to, amount }),
          Moved({ account: to, amount: 0 }),
        ]);
        // A second decision of the same handler sees the first.
        const { balance } = await accounts(from).decide(({ balance }, { Moved }) => {
          expect(balance).toBe(first.balance);
          return Moved({ account: from, amount: 0 });
        });
        return { from: balance, to: (await accounts(to).state())?.balance ?? 0 };
      },
      misuse: async ({ how }, { accounts }) => {
        const account = accounts("x");
        if (how === "no await") void account.decide(() => []).catch(() => {});
        if (how === "side by side") {
          await Promise.all([
            account.decide(() => {
              throw new Error("Thrown beside.");
            }),
            accounts("y").decide(() => []),
          ]);
        }
        if (how === "promise") await account.decide((async () => []) as never);
        if (how === "payload") await account.decide((_, { Moved }) => Moved({ account: "x", amount: 0.5 }));
        if (how === "mutate") await account.decide((state) => Object.assign(state, { balance: 1 }) && []);
      },
      history: async ({ account }, { accounts }) => {
        const states = [1, 2, 3, 4].map(async (position) => (await accounts(account).asOf(position))?.balance ?? 0);
        return Promise.all(states);
      },
    },
  );
};

test("a handler that fails beside a decision of its own fails as it said, and keeps nobody waiting", async () => {
  await using backend = await open(folder, [toAccounts()]);
  const started = performance.now();
  await expect(backend.call("accounts.misuse", { how: "side by side" })).rejects.toThrow("Thrown beside.");
  expect(await backend.call("accounts.move", { from: "x", to: "y", amount: 5 })).toEqual({ from: -5, to: 5 });
  expect(performance.now() - started).toBeLessThan(4_000);
});

test("what one handler decides on many entities is one append, and each decision sees those before", async () => {
  await using backend = await open(folder, [toAccounts()]);
  expect(await backend.call("accounts.move", { from: "a", to: "b", amount: 5 })).toEqual({ from: -5, to: 5 });
  const ids = new Set<string>();
  for await (const { id } of backend.storage.log.after(0)) ids.add(id.slice(0, 36));
  expect(ids.size).toBe(1);
  const rows = await backend.engine.find("accounts.total@1", { limit: 10 });
  expect(rows.map(({ data }) => data)).toEqual([
    { account: "a", moves: 2, balance: -5 },
    { account: "b", moves: 2, balance: 5 },
  ]);
  expect(await backend.call("accounts.history", { account: "b" })).toEqual([0, 5, 5, 5]);
});

test("money that moves in circles, in both directions at once, is neither made nor lost", async () => {
  await using backend = await open(folder, [toAccounts()]);
  const names = ["a", "b", "c"];
  const moves = Array.from({ length: 60 }, (_, index) => {
    const [from, to] = [names[index % 3] as string, names[(index + 1 + (index % 2)) % 3] as string];
    return backend.call("accounts.move", { from, to, amount: index + 1 });
  });
  await Promise.all(moves);
  const rows = await backend.engine.find("accounts.total@1", { limit: 10 });
  const balances = rows.map(({ data }) => (data as { balance: number }).balance);
  expect(balances.reduce((sum, balance) => sum + balance, 0)).toBe(0);
  expect((await backend.engine.head("main")).position).toBe(240);
});

test.each([
  ["no await", "Await every decide()"],
  ["promise", "decisions are pure"],
  ["payload", "An event accounts.Moved does not fit its schema: /amount"],
  ["mutate", "Cannot assign to read only property"],
])("a handler's mistake is told, and writes nothing: %s", async (how, sentence) => {
  await using backend = await open(folder, [toAccounts()]);
  await expect(backend.call("accounts.misuse", { how })).rejects.toThrow(sentence);
  expect((await backend.engine.head("main")).position).toBe(0);
});

test("two things of one name are refused before anything is opened", async () => {
  await expect(open(folder, [toBookingStore(1), toBookingStore(2)])).rejects.toThrow('two of the store of "bookings"');
  const flights = () =>
    entity("flight", {
      events: Bookings,
      state: z.object({}),
      initial: {},
      evolve: { SeatHeld: (state) => state, Ticketed: (state) => state, Released: (state) => state },
    });
  const handlers = { hold: async () => {}, ticket: async () => ({ ticket: "" }), release: async () => {} };
  const get = async () => ({ flight: "", booking: "", traveller: "", status: "held" as const });
  const twice = store(Bookings, { one: flights(), two: flights() }, { ...handlers, get });
  await expect(open(folder, [twice])).rejects.toThrow('two of the entity "flight"');
});
