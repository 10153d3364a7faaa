import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { command, contract, event, personal, query, type Reply } from "../../contracts/index.ts";
import { type Candidate, type Candidates, outranks, provideViews, type ViewPorts } from "../host.ts";
import {
  type AnyView,
  csv,
  fed,
  json,
  latest,
  majority,
  many,
  materialized,
  paged,
  prefer,
  pushed,
  put,
  remove,
  source,
  union,
  type ViewMeta,
  view,
} from "../index.ts";
import { ManualClock, nobody, ScriptedUpstream, toCall } from "../test-kit.test-d.ts";

const Delay = z.object({ flight: z.string(), minutes: z.int() });
const Airports = contract("airports", "1.0.0", {
  page: query({
    input: z.object({ iata: z.string() }),
    output: z.object({
      name: z.string().optional(),
      city: z.string().optional(),
      height: z.number().optional(),
      delays: z.array(Delay).optional(),
    }),
  }),
});
const Registry = z.object({
  iata: z.string(),
  name: z.string(),
  city: z.string(),
  height: z.number(),
  seen: z.iso.date(),
});
const Report = z.object({ iata: z.string(), revision: z.int(), record: z.unknown().optional() });
const Registries = contract("registries", "1.0.0", {
  main: command({ input: Report }),
  census: command({ input: Report }),
  board: command({ input: Report.extend({ flight: z.string() }) }),
});
const main = source("main", { get: json("https://main.test/{iata}", Registry), asOf: "seen", attempts: 1 });
const census = source("census", {
  batch: csv("https://census.test/all.csv?iata={code}", Registry.extend({ height: z.coerce.number() })),
  match: "iata",
  from: ({ iata }: { iata: string }) => ({ code: iata }),
  shape: ({ name, city, height }) => ({ name: name.toUpperCase(), city, height: height + 0.5 }),
  asOf: "seen",
  attempts: 1,
});
const board = source("board", { get: json("https://board.test/{iata}", z.array(Delay)), attempts: 1 });
const page = view(Airports.page, {
  budget: "1s",
  fields: {
    name: prefer(census, main),
    city: majority(main, census),
    height: latest(main, census),
    delays: union(board).dedupeBy("flight").orderBy("-minutes").limit(3),
  },
});
const heard = materialized(page, {
  version: 1,
  from: [
    pushed(main, Registries.main, ({ iata, revision, record }) =>
      record === undefined ? remove({ iata }, { revision }) : put({ iata }, record, { revision }),
    ),
    pushed(census, Registries.census, ({ iata, revision, record }) =>
      record === undefined ? remove({ code: iata }, { revision }) : put({ code: iata }, record, { revision }),
    ),
    pushed(board, Registries.board, ({ iata, flight, revision, record }) =>
      record === undefined
        ? remove({ iata }, { revision, item: flight })
        : put({ iata }, record, { revision, item: flight }),
    ),
  ],
});

/** The port in memory, as the law says it. */
class MemoryCandidates implements Candidates {
  readonly kept = new Map<string, Candidate>();
  load = async (place: string): Promise<readonly Candidate[]> =>
    [...this.kept.values()].filter((candidate) => candidate.place === place);
  keep = async (candidates: readonly Candidate[]): Promise<void> => {
    for (const candidate of candidates) {
      const key = `${candidate.place}\n${candidate.item}`;
      const rival = this.kept.get(key);
      if (!rival || outranks(candidate, rival)) this.kept.set(key, candidate);
    }
  };
}

function open(one: AnyView, ports: Partial<ViewPorts>) {
  const clock = new ManualClock();
  const upstream = new ScriptedUpstream(clock, () => ({ status: 404 }));
  const { providers, listeners } = provideViews([one], {
    ...{ upstream, dispatch: nobody, clock, random: () => 0.5, origins: {} },
    ...ports,
  });
  const call = async (operation: string, input: unknown): Promise<Reply> => {
    const provider = providers.find((provider) => provider.operation === operation);
    if (!provider) throw new Error(`There is no ${operation}.`);
    const reply = provider.handle(input, toCall(), input);
    reply.catch(() => {});
    await clock.advance(50);
    return reply;
  };
  return { call, listeners };
}
const text = (reply: Reply): string => JSON.stringify("output" in reply ? reply.output : undefined);
/** Provenance without what depends on when it was asked. */
const provenance = (reply: Reply): unknown => {
  const { fields } = ("meta" in reply ? reply.meta : undefined) as ViewMeta;
  return Object.entries(fields).map(([name, { ageMs: _age, ...rest }]) => [name, rest]);
};

const registry = fc.record({
  name: fc.constantFrom("Love Field", "Dallas Love", "DAL"),
  city: fc.constantFrom("Dallas", "Dallas, TX"),
  height: fc.integer({ min: 0, max: 9 }),
  seen: fc.constantFrom("2026-01-01", "2026-02-02", "2026-03-03"),
});
const push = fc.oneof(
  fc.record({
    operation: fc.constantFrom("registries.main", "registries.census"),
    iata: fc.constantFrom("DAL", "HOU"),
    revision: fc.nat(5),
    record: fc.option(registry, { nil: undefined }),
  }),
  fc.record({
    operation: fc.constant("registries.board"),
    iata: fc.constantFrom("DAL", "HOU"),
    flight: fc.constantFrom("a", "b", "c", "d"),
    revision: fc.nat(5),
    minutes: fc.option(fc.nat(60), { nil: undefined }),
  }),
);
type Push = typeof push extends fc.Arbitrary<infer P> ? P : never;
const toInput = (given: Push): unknown => {
  const { operation: _operation, iata, revision } = given;
  if ("flight" in given) {
    const { flight, minutes } = given;
    return { iata, revision, flight, ...(minutes !== undefined && { record: { flight, minutes } }) };
  }
  return { iata, revision, ...(given.record && { record: { ...given.record, iata } }) };
};

/** What the upstreams would answer if they were asked after all of this: the newest of each, as the law of revisions says. */
function toUpstreams(pushes: readonly Push[]) {
  const newest = new Map<string, { readonly push: Push; readonly said: string | undefined }>();
  for (const given of pushes) {
    const { record } = toInput(given) as { readonly record?: unknown };
    const key = JSON.stringify([given.operation, given.iata, "flight" in given ? given.flight : ""]);
    const said = record === undefined ? undefined : JSON.stringify(record);
    const rival = newest.get(key);
    const wins =
      !rival ||
      given.revision > rival.push.revision ||
      (given.revision === rival.push.revision && rival.said !== undefined && (said === undefined || said > rival.said));
    if (wins) newest.set(key, { push: given, said });
  }
  const ofSource = (operation: string, iata: string): readonly unknown[] =>
    [...newest.values()]
      .filter(({ push, said }) => push.operation === operation && push.iata === iata && said !== undefined)
      .map(({ said }) => JSON.parse(said ?? "null"));
  return (name: string, iata: string) => ({
    records: ofSource(`registries.${name}`, iata),
    // A list of which every item was taken back is an empty list, and not nothing.
    isSpokenOf: pushes.some((push) => push.operation === `registries.${name}` && push.iata === iata),
  });
}

/** What an event may say of one airport's board. */
const flight = fc.constantFrom("a", "b", "c");
const rows = fc.uniqueArray(fc.record({ flight, minutes: fc.nat(9) }), { selector: (row) => row.flight, maxLength: 3 });
const step = fc.oneof(
  fc.record({ op: fc.constant("put" as const), flight, minutes: fc.nat(9) }),
  fc.record({ op: fc.constant("remove" as const), flight }),
  fc.record({ op: fc.constant("whole" as const), records: rows }),
  fc.record({ op: fc.constant("gone" as const) }),
);
type Step = (typeof step extends fc.Arbitrary<infer S> ? S : never) & { readonly named?: boolean };
const boardPage = view(Airports.page, {
  budget: "1s",
  fields: { delays: union(board).dedupeBy("flight").orderBy("-minutes") },
});
const Boards = contract("boards", "1.0.0", { Changed: event(z.object({ steps: z.array(z.custom<Step>()) })) });
const liveBoard = materialized(boardPage, {
  version: 1,
  from: [
    fed(board, Boards, {
      Changed: ({ steps }) =>
        steps.map((one) => {
          const key = { iata: "DAL" };
          if (one.op === "put") return put(key, { flight: one.flight, minutes: one.minutes }, { item: one.flight });
          if (one.op === "remove") return remove(key, { item: one.flight });
          if (one.op === "gone") return remove(key);
          return put(key, one.records, one.named === false ? {} : { items: ({ flight }) => flight });
        }),
    }),
  ],
});

/** What the upstream has after all of this, one thing after the other; nothing where it knows nothing of the board. */
function replayed(steps: readonly Step[]): readonly unknown[] | undefined {
  let has: Map<string, unknown> | undefined;
  for (const one of steps) {
    if (one.op === "gone") has = undefined;
    else if (one.op === "whole") has = new Map(one.records.map((row) => [row.flight, row]));
    else {
      has ??= new Map();
      if (one.op === "put") has.set(one.flight, { flight: one.flight, minutes: one.minutes });
      else has.delete(one.flight);
    }
  }
  return has && [...has.values()];
}

describe("a materialised view", () => {
  test("gives what asking would give, for every set of pushes, in every order, repeated or not", async () => {
    const pushes = fc.array(push, { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(
        pushes.chain((all) =>
          fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length })),
        ),
        async ([all, shuffled]) => {
          const here = open(heard, { candidates: new MemoryCandidates() });
          for (const given of shuffled) await here.call(given.operation, toInput(given));
          const upstreams = toUpstreams(all);
          const clock = new ManualClock();
          const upstream = new ScriptedUpstream(clock, ({ source: name, url }) => {
            const iata = url.searchParams.get("iata") ?? url.pathname.slice(1);
            const { records, isSpokenOf } = upstreams(name, iata);
            if (name === "board" && isSpokenOf) return { body: records };
            if (records.length === 0) return { status: 404 };
            if (name === "main") return { body: records[0] };
            const { iata: code, name: title, city, height, seen } = records[0] as { readonly [field: string]: string };
            return {
              type: "text/csv",
              body: `iata,name,city,height,seen\n${code},${title},"${city}",${height},${seen}\n`,
            };
          });
          const there = provideViews([page], { upstream, dispatch: nobody, clock, random: () => 0.5, origins: {} });
          for (const iata of ["DAL", "HOU", "ABQ"]) {
            const pull = there.providers[0]?.handle({ iata }, toCall(), { iata }) as Promise<Reply>; // there is one view
            await clock.advance(50);
            const [pulled, kept] = [await pull, await here.call("airports.page", { iata })];
            expect(text(kept)).toBe(text(pulled));
            expect(provenance(kept)).toEqual(provenance(pulled));
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  test("gives what asking would give, for every history of events, in every order, repeated or not", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc
          .array(fc.array(step, { minLength: 1, maxLength: 3 }), { maxLength: 8 })
          .map((events) => events.map((steps, at) => ({ steps, position: at + 1 })))
          .chain((events) =>
            fc.tuple(
              fc.constant(events),
              fc.shuffledSubarray([...events, ...events], { minLength: 2 * events.length }),
            ),
          ),
        async ([events, shuffled]) => {
          const candidates = new MemoryCandidates();
          const { call, listeners } = open(liveBoard, { candidates });
          for (const { steps, position } of shuffled) await listeners[0]?.handle.Changed?.({ steps }, position);
          const clock = new ManualClock();
          const truth = replayed(events.flatMap(({ steps }) => steps));
          const upstream = new ScriptedUpstream(clock, () => (truth ? { body: truth } : { status: 404 }));
          const there = provideViews([boardPage], {
            upstream,
            dispatch: nobody,
            clock,
            random: () => 0.5,
            origins: {},
          });
          const pull = there.providers[0]?.handle({ iata: "DAL" }, toCall(), {}) as Promise<Reply>; // there is one view
          await clock.advance(50);
          const [pulled, kept] = [await pull, await call("airports.page", { iata: "DAL" })];
          expect(text(kept)).toBe(text(pulled));
          expect(provenance(kept)).toEqual(provenance(pulled));
        },
      ),
      { numRuns: 150 },
    );
  });

  test("says that it cannot tell what a list has, where single items change that were never named", async () => {
    const { call, listeners } = open(liveBoard, { candidates: new MemoryCandidates() });
    const nameless = [{ op: "whole", named: false, records: [{ flight: "a", minutes: 1 }] }] as const;
    await listeners[0]?.handle.Changed?.({ steps: nameless }, 1);
    expect(await call("airports.page", { iata: "DAL" })).toMatchObject({ output: { delays: [{ flight: "a" }] } });
    await listeners[0]?.handle.Changed?.({ steps: [{ op: "remove", flight: "a" }] }, 2);
    const { meta } = (await call("airports.page", { iata: "DAL" })) as { meta: ViewMeta };
    expect(meta.sources.board).toMatchObject({
      state: "invalid",
      problem: expect.stringContaining("name them with put(…, { items })"),
    });
    await listeners[0]?.handle.Changed?.({ steps: nameless }, 3);
    expect(await call("airports.page", { iata: "DAL" })).toMatchObject({ output: { delays: [{ flight: "a" }] } });
  });

  test("is invalid, as asking is, where `from` cannot take the input", async () => {
    const picky = source("picky", {
      get: json("https://picky.test/{code}", z.array(Delay)),
      from: ({ iata }: { iata: string }) => {
        if (iata === "HOU") throw new RangeError("Not this one.");
        return { code: iata };
      },
    });
    const picked = view(Airports.page, { budget: "1s", fields: { delays: union(picky) } });
    const Moves = contract("moves", "1.0.0", { Renamed: event(z.object({ iata: z.string() })) });
    const kept = materialized(picked, { version: 1, from: [fed(picky, Moves, {})] });
    const sourcesOf = async (one: AnyView) => {
      const reply = await open(one, { candidates: new MemoryCandidates() }).call("airports.page", { iata: "HOU" });
      const { state, problem } = (reply as { meta: ViewMeta }).meta.sources.picky ?? {};
      return { state, problem };
    };
    expect(await sourcesOf(kept)).toEqual(await sourcesOf(picked));
    expect((await sourcesOf(kept)).state).toBe("invalid");
  });

  test("takes back no item of an answer that has none", async () => {
    const { call } = open(
      materialized(page, {
        version: 1,
        from: [pushed(main, Registries.main, ({ iata, revision }) => remove({ iata }, { revision, item: "x" }))],
      }),
      { candidates: new MemoryCandidates() },
    );
    await expect(call("registries.main", { iata: "DAL", revision: 1 })).rejects.toThrow(
      'What the source "main" says cannot be kept: it takes back an item, and answers with no list.',
    );
  });

  test("answers for many keys from what was heard, as it does for one", async () => {
    const Pages = contract("pages", "1.0.0", {
      many: query({
        input: z.object({ codes: z.array(z.string()).max(9) }),
        output: z.object({
          items: z.array(z.object({ key: z.string(), state: z.string(), value: z.unknown().optional() })),
        }),
      }),
    });
    const several = many(Pages.many, heard as never, { keys: "codes", as: "iata" as never }); // its state is plain text here
    const { call } = open(several, { candidates: new MemoryCandidates() });
    const record = { iata: "DAL", name: "Love", city: "Dallas", height: 1, seen: "2026-01-01" };
    await call("registries.main", { iata: "DAL", revision: 1, record });
    expect(await call("pages.many", { codes: ["DAL"] })).toMatchObject({
      output: { items: [{ key: "DAL", state: "found", value: { name: "Love" } }] },
    });
  });

  test("takes nothing that breaks the source's contract, and of a push all or nothing", async () => {
    const candidates = new MemoryCandidates();
    const { call } = open(heard, { candidates });
    const broken = { iata: "DAL", name: 5 };
    await expect(call("registries.main", { iata: "DAL", revision: 1, record: broken })).rejects.toMatchObject({
      code: "InvalidInput",
    });
    const another = { iata: "HOU", name: "Hobby", city: "Houston", height: 1, seen: "2026-01-01" };
    await expect(call("registries.census", { iata: "DAL", revision: 1, record: another })).rejects.toThrow(
      'What the source "census" says cannot be kept: has nothing for this key.',
    );
    expect(candidates.kept.size).toBe(0);
  });

  test("keeps only what the source's schema declares", async () => {
    const candidates = new MemoryCandidates();
    const { call } = open(heard, { candidates });
    const record = { iata: "DAL", name: "Love", city: "Dallas", height: 1, seen: "2026-01-01", secret: "x" };
    await call("registries.main", { iata: "DAL", revision: 1, record });
    expect(JSON.stringify([...candidates.kept.values()])).not.toContain("secret");
  });

  test("asks the sources that it does not hear", async () => {
    const Moves = contract("moves", "1.0.0", { Renamed: event(z.object({ iata: z.string(), name: z.string() })) });
    const half = materialized(page, {
      version: 1,
      from: [
        fed(main, Moves, {
          Renamed: ({ iata, name }) => put({ iata }, { iata, name, city: "Dallas", height: 3, seen: "2026-01-01" }),
        }),
      ],
    });
    const clock = new ManualClock();
    const upstream = new ScriptedUpstream(clock, () => ({ body: [{ flight: "a", minutes: 1 }] }));
    const { call, listeners } = open(half, { candidates: new MemoryCandidates(), upstream, clock });
    const [listener] = listeners;
    expect(listener?.name).toBe("view-airports-page-main-v1-0");
    await listener?.handle.Renamed?.({ iata: "DAL", name: "New" }, 7);
    await listener?.handle.Renamed?.({ iata: "DAL", name: "Old" }, 3);
    const pending = call("airports.page", { iata: "DAL" });
    await clock.advance(50);
    expect(await pending).toMatchObject({ output: { name: "New", delays: [{ flight: "a" }] } });
    expect(upstream.requests.map(({ source }) => source).sort()).toEqual(["board", "census"]);
  });

  test("is slow where what is kept cannot be read in time, and down where it cannot be read at all", async () => {
    for (const [load, state] of [
      [() => new Promise<never>(() => {}), "slow"],
      [() => Promise.reject(new Error("broken disk")), "down"],
    ] as const) {
      const clock = new ManualClock();
      const { call } = open(heard, { clock, candidates: { load, keep: async () => {} } });
      const pending = call("airports.page", { iata: "DAL" });
      await clock.advance(1_000);
      const reply = await pending;
      expect(("meta" in reply ? reply.meta : undefined) as ViewMeta).toMatchObject({ sources: { main: { state } } });
    }
  });
});

describe("a declaration is refused", () => {
  const from = [fed(main, contract("x", "1.0.0", {}), {})] as const;
  const Other = contract("other", "1.0.0", {
    page: query({ input: z.object({ iata: z.string() }), output: z.object({ name: personal(z.string()).optional() }) }),
  });
  test.each([
    ["a version that is none", () => materialized(page, { version: 0, from }), "versions are 1, 2, 3"],
    [
      "a source that the view does not have",
      () => materialized(view(Other.page, { budget: "1s", fields: { name: prefer(census) } }), { version: 1, from }),
      'The view other.page has no source "main"',
    ],
    [
      "a source in pages",
      () =>
        fed(
          source("pages", { get: paged(json("https://p.test/{iata}", z.array(Delay)), { next: "link" }) }),
          Airports,
          {},
        ),
      'The source "pages" answers in pages',
    ],
    [
      "something personal",
      () =>
        open(materialized(view(Other.page, { budget: "1s", fields: { name: prefer(main) } }), { version: 1, from }), {
          candidates: new MemoryCandidates(),
        }),
      "that is personal",
    ],
    ["no place to keep it", () => open(heard, {}), "there is no place to keep what it hears"],
  ])("for %s", (_what, declare, sentence) => expect(declare).toThrow(sentence));
});
