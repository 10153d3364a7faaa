import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { type Clock, command, contract, event, query, systemClock } from "../contracts/index.ts";
import { openSqlite } from "../engines/sqlite/index.ts";
import { entity, store } from "./index.ts";
import { type Opened, open, openOn, toFolder } from "./test-kit.test-d.ts";

const Logs = contract("logbooks", "1.0.0", {
  write: command({ input: z.object({ id: z.string(), lines: z.array(z.string()) }) }),
  read: query({ input: z.object({ id: z.string(), until: z.int().optional() }), output: z.any() }),
  Written: event(z.object({ line: z.string(), at: z.iso.datetime().transform((text) => new Date(text)) })),
});
interface Options {
  readonly every?: number | undefined;
  readonly evolveVersion?: number;
  readonly shout?: boolean;
  /** What evolve calls. */
  readonly helper?: (line: string) => string;
}

/** The state has a written side and a read side that differ; a snapshot must come back as the read one. */
function toLogs({ every, evolveVersion, shout = false, helper = (line) => line }: Options) {
  const folded: number[] = [];
  const plain = (line: string, revision: number) => {
    folded.push(revision);
    return helper(line);
  };
  const logs = entity("logbook", {
    events: Logs,
    state: z.object({
      lines: z.array(z.string()),
      last: z.iso
        .datetime()
        .transform((text) => new Date(text))
        .optional(),
    }),
    initial: { lines: [] },
    evolve: {
      Written: shout
        ? (log, { line, at }, { revision }) => ({
            lines: [...log.lines, plain(line, revision).toUpperCase()],
            last: at.toISOString(),
          })
        : (log, { line, at }, { revision }) => ({
            lines: [...log.lines, plain(line, revision)],
            last: at.toISOString(),
          }),
    },
    ...(every !== undefined && { snapshotEvery: every }),
    ...(evolveVersion !== undefined && { evolveVersion }),
  });
  const declared = store(
    Logs,
    { logs },
    {
      write: ({ id, lines }, { logs }) =>
        logs(id).decide((_, { Written }) => lines.map((line) => Written({ line, at: "2026-01-01T00:00:00Z" }))),
      read: ({ id, until }, { logs }) => (until === undefined ? logs(id).state() : logs(id).asOf(until)),
    },
  );
  return { declared, folded };
}

const lines = (from: number, count: number) => Array.from({ length: count }, (_, index) => `line ${from + index}`);

test("a state with snapshots equals the state without, at every position and across restarts", async () => {
  const { folder, remove } = toFolder();
  const engine = await openSqlite({ folder });
  const step = fc.record({ id: fc.nat(1), count: fc.integer({ min: 1, max: 4 }), restart: fc.boolean() });
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(step, { minLength: 1, maxLength: 10 }),
        async (every, steps) => {
          const ids = [crypto.randomUUID(), crypto.randomUUID()];
          const begin = (await engine.head("main")).position;
          let backend = await openOn(engine, [toLogs({ every }).declared]);
          let written = 0;
          for (const { id, count, restart } of steps) {
            await backend.call("logbooks.write", { id: ids[id], lines: lines(written, count) });
            written += count;
            if (!restart) continue;
            await backend.storage.close();
            backend = await openOn(engine, [toLogs({ every }).declared]);
          }
          await backend.storage.close();
          const look = async (options: Options) => {
            await using opened = await openOn(engine, [toLogs(options).declared]);
            const untils = [undefined, ...Array.from({ length: written }, (_, index) => begin + index + 1)];
            const states = untils.flatMap((until) => ids.map((id) => opened.call("logbooks.read", { id, until })));
            return await Promise.all(states);
          };
          expect(await look({ every })).toEqual(await look({}));
        },
      ),
      { numRuns: 25 },
    );
  } finally {
    await engine.close();
    remove();
  }
});

test("a cold look folds from the snapshot on, and one by other code from the beginning", async () => {
  const { folder, remove } = toFolder();
  try {
    await using opened = await open(folder, []);
    const look = async (options: Options): Promise<{ folded: readonly number[]; state: any; text: string }> => {
      const { declared, folded } = toLogs(options);
      await using backend = await openOn(opened.engine, [declared]);
      const state: any = await backend.call("logbooks.read", { id: "x" });
      return { folded, state, text: state.lines.join() };
    };
    {
      await using backend = await openOn(opened.engine, [toLogs({ every: 10 }).declared]);
      for (let from = 0; from < 30; from += 3) await backend.call("logbooks.write", { id: "x", lines: lines(from, 3) });
    }
    const usual = await look({ every: 10 });
    expect(usual.folded.length).toBeLessThan(10);
    expect(usual.state.last).toEqual(new Date("2026-01-01T00:00:00Z"));
    expect(usual.text).toBe(lines(0, 30).join());
    const shouted = await look({ every: 10, shout: true });
    expect(shouted.folded).toHaveLength(30);
    expect(shouted.text).toBe(lines(0, 30).join().toUpperCase());
    // What the other code kept is no use to this one either, until it has kept its own.
    expect((await look({ every: 10, evolveVersion: 2 })).folded).toHaveLength(30);
    expect((await look({ every: 10, evolveVersion: 2 })).folded).toHaveLength(0);
  } finally {
    remove();
  }
});

test("where a function changed that evolve calls, a snapshot that is folded anew tells, and no other is used", async () => {
  const { folder, remove } = toFolder();
  const reports: string[] = [];
  const wakes: (() => void)[] = [];
  const after: Clock["after"] = (ms, wake) => {
    if (ms !== 5_000) return systemClock.after(ms, wake);
    wakes.push(wake);
    return () => {};
  };
  const ports = { clock: { ...systemClock, after }, report: (sentence: string) => reports.push(sentence) };
  try {
    await using opened = await open(folder, []);
    {
      await using backend = await openOn(opened.engine, [toLogs({ every: 2 }).declared]);
      for (const id of ["x", "y"]) await backend.call("logbooks.write", { id, lines: lines(0, 4) });
    }
    const look = async (backend: Opened, id: string): Promise<string> =>
      ((await backend.call("logbooks.read", { id })) as { lines: readonly string[] }).lines.join();
    const usual = lines(0, 4).join();
    {
      await using same = await openOn(opened.engine, [toLogs({ every: 2 }).declared], ports);
      expect(await look(same, "x")).toBe(usual);
      const [wake, ...others] = wakes.splice(0);
      wake?.();
      expect([await look(same, "y"), others]).toEqual([usual, []]);
    }
    expect(reports).toEqual([]);

    const helper = (line: string) => `${line}!`;
    await using changed = await openOn(opened.engine, [toLogs({ every: 2, helper }).declared], ports);
    expect(await look(changed, "x")).toBe(usual); // it is the snapshot's
    wakes.at(-1)?.();
    const told =
      /^The snapshot of logbook\/x after its event 3 is not what its events come to: .* raise its evolveVersion\.$/;
    await expect.poll(() => reports).toEqual([expect.stringMatching(told)]);
    expect((await changed.storage.status()).warnings).toEqual(reports);
    for (const id of ["x", "y"]) expect(await look(changed, id)).toBe(lines(0, 4).map(helper).join());
    await changed.call("logbooks.write", { id: "y", lines: lines(4, 4) });
    const [kept] = await opened.engine.find("snapshot", { key: "logbook/y", limit: 1 });
    expect(kept?.data).toMatchObject({ revision: 3 });
    await using mended = await openOn(opened.engine, [toLogs({ every: 2, helper, evolveVersion: 2 }).declared], ports);
    expect(await look(mended, "y")).toBe(lines(0, 8).map(helper).join());
  } finally {
    remove();
  }
});

test("a snapshot of events that are not those of the stream is passed over", async () => {
  const { folder, remove } = toFolder();
  try {
    {
      await using backend = await open(folder, [toLogs({ every: 2 }).declared]);
      await backend.call("logbooks.write", { id: "x", lines: lines(0, 4) });
      await backend.storage.close();
      const [kept] = await backend.engine.find("snapshot", { key: "logbook/x", limit: 1 });
      expect(kept?.data).toMatchObject({
        revision: 3,
        state: { lines: lines(0, 4), last: "2026-01-01T00:00:00.000Z" },
      });
      const wrong = { event: "0190c0de-0000-7000-8000-000000000000/0", state: { lines: ["forged"] } };
      await backend.storage.log.append({
        events: [],
        documents: [{ collection: "snapshot", patch: "logbook/x", data: wrong }],
      });
    }
    await using backend = await open(folder, [toLogs({ every: 2 }).declared]);
    expect(await backend.call("logbooks.read", { id: "x" })).toMatchObject({ lines: lines(0, 4) });
  } finally {
    remove();
  }
});

test("a state that JSON would change is not kept, and the status says so", async () => {
  const { folder, remove } = toFolder();
  const Sums = contract("sums", "1.0.0", {
    add: command({ input: z.object({ id: z.string() }) }),
    Added: event(z.object({ id: z.string() })),
  });
  const sums = entity("sum", {
    events: Sums,
    state: z.object({ sum: z.number() }).or(z.any()),
    initial: { sum: 0 },
    evolve: { Added: () => ({ sum: Number.NaN }) },
    snapshotEvery: 1,
  });
  try {
    await using backend = await open(folder, [
      store(Sums, { sums }, { add: ({ id }, { sums }) => sums(id).decide((_, { Added }) => Added({ id })) }),
    ]);
    await backend.call("sums.add", { id: "x" });
    expect(await backend.engine.find("snapshot", { limit: 1 })).toEqual([]);
    expect((await backend.storage.status()).warnings).toEqual([
      "A snapshot of sum/x cannot be written: /sum is NaN, which JSON does not have.",
    ]);
  } finally {
    remove();
  }
});

test("a policy that cannot be followed is refused where it is declared", () => {
  expect(() => toLogs({ every: 0 })).toThrow("keeps a snapshot every 0 events");
  const parts = { events: Logs, evolve: { Written: () => ({ seen: new Map() }) } };
  const state = z.object({ seen: z.map(z.string(), z.string()) });
  expect(() => entity("logbook", { ...parts, state, initial: { seen: new Map() }, snapshotEvery: 5 })).toThrow(
    'The entity "logbook" cannot keep snapshots, for its state cannot be written as JSON.',
  );
});
