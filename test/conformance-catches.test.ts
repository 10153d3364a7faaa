import { type ConformanceCase, engineConformance, Memory, memoryEngine, type OpenEngine } from "trilith/testing";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Append, type Collection, type Engine, type Outcome, toAfter } from "../src/storage/host.ts";

/** A mistake that an engine could make, as a change to one that makes none; and where the suite is to notice it. */
type Mistake = readonly [topic: string, mistake: string, change: (sound: Engine) => Partial<Engine>];

const eachAppend = (change: (append: Append) => Append) => (sound: Engine) => ({
  append: (log: string, group: readonly Append[]) => sound.append(log, group.map(change)),
});
const eachOutcome = (change: (outcome: Outcome) => Outcome) => (sound: Engine) => ({
  append: async (log: string, group: readonly Append[]) => (await sound.append(log, group)).map(change),
});
const eachEvent = (change: (append: Append["events"][number]) => Append["events"][number]) =>
  eachAppend((append) => ({ ...append, events: append.events.map(change) }));
const renamed = (rename: (name: string) => string) => (sound: Engine) => ({
  define: (collection: Collection) => sound.define({ ...collection, name: rename(collection.name) }),
  find: (name: string, query: Parameters<Engine["find"]>[1]) => sound.find(rename(name), query),
  append: (log: string, group: readonly Append[]) =>
    sound.append(
      log,
      group.map((append) => ({
        ...append,
        documents: (append.documents ?? []).map((write) => ({ ...write, collection: rename(write.collection) })),
      })),
    ),
});

const mistakes: readonly Mistake[] = [
  [
    "appends",
    "a failure in a group fails the others",
    (sound) => ({
      append: async (log, group) => {
        const outcomes = await sound.append(log, group);
        const failed = outcomes.find(({ ok }) => !ok);
        return failed ? outcomes.map(() => failed) : outcomes;
      },
    }),
  ],
  [
    "appends",
    "only written streams are compared with what is expected",
    eachAppend((append) => ({
      ...append,
      expect: append.expect.filter(({ stream }) => append.events.some((event) => event.stream === stream)),
    })),
  ],
  [
    "appends",
    "an append without expectations expects nothing of anybody, and with them neither",
    eachAppend((append) => ({ ...append, expect: [] })),
  ],
  [
    "appends",
    "a conflict does not know the actual revision",
    eachOutcome((outcome) => (outcome.ok || outcome.why !== "conflict" ? outcome : { ...outcome, actual: 0 })),
  ],
  [
    "appends",
    "what is refused is written without its documents",
    (sound) => ({
      append: (log, group) =>
        Promise.all(
          group.map(async (append) => {
            const [outcome] = await sound.append(log, [append]);
            if (outcome && (outcome.ok || outcome.why !== "refused")) return outcome;
            await sound.append(log, [{ ...append, documents: [] }]);
            return outcome as Outcome; // one an append
          }),
        ),
    }),
  ],
  ["receipts", "no receipt is kept", eachAppend(({ receipt: _, ...append }) => append)],
  [
    "receipts",
    "the digest is not compared",
    eachAppend((append) => (append.receipt ? { ...append, receipt: { ...append.receipt, digest: "digest" } } : append)),
  ],
  [
    "receipts",
    "a voided key is one like others",
    eachAppend((append) => (append.receipt ? { ...append, receipt: { ...append.receipt, voided: false } } : append)),
  ],
  ["receipts", "a sweep knows no limit", (sound) => ({ sweep: (log, now) => sound.sweep(log, now, 1_000) })],
  ["receipts", "nothing is ever swept", () => ({ sweep: async () => 0 })],
  [
    "receipts",
    "keys are compared without their case",
    eachAppend((append) =>
      append.receipt ? { ...append, receipt: { ...append.receipt, key: append.receipt.key.toLowerCase() } } : append,
    ),
  ],
  [
    "positions",
    "all logs are one",
    (sound) => ({
      append: (_, group) => sound.append("main", group),
      read: (_, query) => sound.read("main", query),
      head: () => sound.head("main"),
    }),
  ],
  [
    "positions",
    "an instant does not hold its own events",
    (sound) => ({
      read: (log, query) =>
        sound.read(log, query.untilAt === undefined ? query : { ...query, untilAt: query.untilAt - 1 }),
    }),
  ],
  [
    "positions",
    "time is what the clock says",
    (sound) => ({
      read: async (log, query) =>
        (await sound.read(log, query)).map((event) => ({ ...event, at: event.at - 1_000 * (event.position % 3) })),
    }),
  ],
  [
    "reads",
    "what is not wanted is left out of a page that was already cut",
    (sound) => ({
      read: async (log, query) => {
        if ("stream" in query) return sound.read(log, query);
        const { types, categories: _, ...rest } = query;
        return (await sound.read(log, rest)).filter(({ type }) => types?.includes(type) ?? true);
      },
    }),
  ],
  [
    "reads",
    "a category is whatever a stream begins with",
    (sound) => ({
      read: async (log, query) => {
        if ("stream" in query || !query.categories) return sound.read(log, query);
        const { categories, limit, ...rest } = query;
        const all = await sound.read(log, { ...rest, limit: 100_000 });
        return all.filter(({ stream }) => categories.some((name) => stream.startsWith(name))).slice(0, limit);
      },
    }),
  ],
  [
    "reads",
    "backwards is always from the end",
    (sound) => ({
      read: (log, query) =>
        sound.read(log, "stream" in query && query.backwards && query.from >= 0 ? { ...query, from: 1e9 } : query),
    }),
  ],
  [
    "reads",
    "texts go on at the first one",
    (sound) => ({ texts: (log, query) => sound.texts(log, { ...query, from: query.from % 7 }) }),
  ],
  [
    "reads",
    "texts come in short pages",
    (sound) => ({ texts: (log, query) => sound.texts(log, { ...query, limit: Math.min(query.limit, 50) }) }),
  ],
  [
    "reads",
    "what was written last is seen a moment later",
    (sound) => ({
      read: async (log, query) => sound.read(log, { ...query, untilPosition: (await sound.head(log)).position - 1 }),
    }),
  ],
  [
    "payloads",
    "JSON is written anew",
    eachEvent((event) => ({ ...event, data: JSON.stringify(JSON.parse(event.data)) })),
  ],
  [
    "payloads",
    "null bytes are dropped",
    eachEvent((event) => ({ ...event, data: event.data.replaceAll("\\u0000", "") })),
  ],
  [
    "payloads",
    "names are normalised",
    eachEvent((event) => ({ ...event, stream: event.stream.normalize(), type: event.type.trim() })),
  ],
  ["collections", "names are cut at 63 bytes", renamed((name) => name.slice(0, 63))],
  ["collections", "names are compared without their case", renamed((name) => name.toLowerCase())],
  ["collections", "a dropped collection stays", () => ({ drop: async () => {} })],
  [
    "collections",
    "what another process has dropped is refused to whoever has defined it",
    (sound) => ({
      find: async (name, query) => {
        if ((await sound.collections()).includes(name)) return sound.find(name, query);
        throw new TypeError("There is no such table.");
      },
    }),
  ],
  [
    "documents",
    "a patch replaces the document",
    eachAppend((append) => ({
      ...append,
      documents: (append.documents ?? []).map((write) =>
        "patch" in write ? { collection: write.collection, put: write.patch, data: write.data } : write,
      ),
    })),
  ],
  [
    "documents",
    "increments read first and write then",
    (sound) => ({
      append: async (log, group) => {
        const [write] = group[0]?.documents ?? [];
        if (group.length !== 1 || !write || !("increment" in write)) return sound.append(log, group);
        const { collection, increment: put, by, initial } = write;
        const [found] = await sound.find(collection, { key: put, limit: 1 });
        await new Promise(setImmediate);
        const before = (found?.data ?? initial) as { readonly [field: string]: number };
        const added = Object.entries(by).map(([field, amount]) => [field, (before[field] ?? 0) + amount]);
        const data = { ...before, ...Object.fromEntries(added) };
        return sound.append(log, [{ ...(group[0] as Append), documents: [{ collection, put, data }] }]); // there is one
      },
    }),
  ],
  [
    "queries",
    "text is compared as JavaScript does",
    (sound) => ({
      find: async (name, query) => {
        if (query.orderBy || query.after !== undefined) return sound.find(name, query);
        return [...(await sound.find(name, query))].sort((a, b) => (a.key < b.key ? -1 : 1));
      },
    }),
  ],
  [
    "queries",
    "equals of the last row are skipped by the next page",
    (sound) => ({
      find: async (name, query) => {
        const column = query.orderBy?.column;
        const found = await sound.find(name, query);
        if (column === undefined || query.after === undefined) return found;
        const { value } = query.after;
        const of = (data: unknown) => (data as { readonly [field: string]: unknown })[column] ?? null;
        return found.filter(({ data }) => of(data) !== value);
      },
    }),
  ],
  [
    "reads",
    "the streams that are wanted are not looked at",
    (sound) => ({
      read: (log, query) => {
        if (!("after" in query)) return sound.read(log, query);
        const { streams: _, ...rest } = query;
        return sound.read(log, rest);
      },
    }),
  ],
  [
    "reads",
    "a walk ends where it has found nothing for long",
    (sound) => ({
      read: (log, query) => {
        if (!("after" in query)) return sound.read(log, query);
        const { untilPosition = Number.POSITIVE_INFINITY } = query;
        return sound.read(log, { ...query, untilPosition: Math.min(untilPosition, query.after + 20_000) });
      },
    }),
  ],
  [
    "queries",
    "the place of a page is looked up again by its key",
    (sound) => ({
      find: async (name, query) => {
        if (!query.orderBy || query.after === undefined) return sound.find(name, query);
        const [last] = await sound.find(name, { key: query.after.key, limit: 1 });
        return last ? sound.find(name, { ...query, after: toAfter(last, query.orderBy) }) : [];
      },
    }),
  ],
  [
    "queries",
    "no column holds a value of another type, so nothing is found",
    (sound) => ({
      find: (name, query) =>
        sound.find(name, query).catch((error: unknown) => {
          if (error instanceof TypeError && error.message.includes("cannot be asked for")) return [];
          throw error;
        }),
    }),
  ],
  [
    "readers",
    "a checkpoint moves from wherever it is",
    (sound) => ({
      commit: async (checkpoint, writes) => {
        const { position } = await sound.checkpoint(checkpoint.log, checkpoint.reader);
        return sound.commit({ ...checkpoint, from: position }, writes);
      },
    }),
  ],
  [
    "readers",
    "one epoch is as good as another",
    (sound) => ({
      commit: async (checkpoint, writes) =>
        sound.commit({ ...checkpoint, epoch: (await sound.head(checkpoint.log)).epoch }, writes),
    }),
  ],
  [
    "readers",
    "what is emptied leaves its reader where it is",
    (sound) => ({ empty: (what) => sound.empty({ ...what, reader: { ...what.reader, name: "nobody" } }) }),
  ],
  [
    "readers",
    "what is emptied keeps what belongs to it beside",
    (sound) => ({ empty: ({ beside: _, ...what }) => sound.empty(what) }),
  ],
  ["readers", "appends leave the readers where they are", eachAppend(({ readers: _, ...append }) => append)],
  [
    "claims",
    "a claim looks first and takes then",
    (sound) => ({
      claim: async (name, query, set) => {
        const found = await sound.find(name, query);
        await new Promise(setImmediate);
        const claimed = found.map(({ key }) => sound.claim(name, { key, limit: 1 }, set));
        return (await Promise.all(claimed)).flat();
      },
    }),
  ],
  [
    "claims",
    "a claim gives back what was there before",
    (sound) => ({
      claim: async (name, query, set) => {
        const found = await sound.find(name, query);
        await sound.claim(name, query, set);
        return found;
      },
    }),
  ],
  [
    "watching",
    "a watch begins at the end of the log",
    (sound) => ({
      watch: async (log, after, aborted) =>
        sound.watch(log, Math.max(after, (await sound.head(log)).position), aborted),
    }),
  ],
  [
    "watching",
    "a watch cannot be given up",
    (sound) => ({ watch: (log, after) => sound.watch(log, after, new AbortController().signal) }),
  ],
  ["health", "an engine goes on after it was closed", () => ({ close: async () => {} })],
  [
    "health",
    "what was asked for is dropped when the engine closes",
    (sound) => ({
      append: async (log, group) => {
        for (let turn = 0; turn < 50; turn++) await Promise.resolve();
        return sound.append(log, group);
      },
    }),
  ],
  [
    "interleavings",
    "one append in a while says what it did not do",
    (sound) => {
      let count = 0;
      return {
        append: (log, group) =>
          ++count % 40 === 0
            ? sound.append(
                log,
                group.map((one) => ({ ...one, events: [] })),
              )
            : sound.append(log, group),
      };
    },
  ],
  [
    "nodes",
    "each process has a time of its own",
    (sound) => {
      const ahead = Math.random() * 1e6;
      return { time: async () => Math.floor((await sound.time()) + ahead) };
    },
  ],
];

const openWith =
  (change: Mistake[2]): OpenEngine =>
  async ({ clock }) => {
    const memory = new Memory();
    const opened: Engine[] = [];
    const next = (): Engine => {
      const sound = memoryEngine({ clock, memory });
      opened.push(sound);
      const bound = Object.fromEntries(methods.map((name) => [name, sound[name].bind(sound)])) as unknown as Engine; // its methods, all of them
      return { ...bound, ...change(sound) };
    };
    const engine = next();
    let present = engine;
    return {
      engine,
      reopen: async () => {
        await present.close();
        present = next();
        return present;
      },
      second: async () => next(),
      close: async () => {
        for (const one of opened) await one.close();
      },
    };
  };
const methods = [
  ...["define", "append", "read", "texts", "types", "revision", "find", "receipt", "commit", "checkpoint", "head"],
  ...["watch", "time", "sweep", "claim", "count", "collections", "empty", "drop", "status", "check", "close"],
] as readonly (keyof Engine)[];

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

/** Whether a case fails; what it waits for in vain is given up at once. */
async function fails({ run }: ConformanceCase): Promise<boolean> {
  let settled = false;
  const ran = run().then(
    () => false,
    () => true,
  );
  void ran.then(() => {
    settled = true;
  });
  while (!settled) {
    await vi.advanceTimersByTimeAsync(1_000);
    await new Promise(setImmediate);
  }
  return ran;
}

test.each(mistakes)("of %s it notices that %s", async (topic, _, change) => {
  const { cases, close } = engineConformance(openWith(change));
  const failed: string[] = [];
  for (const one of cases) if (one.topic === topic && (await fails(one))) failed.push(one.name);
  await close();
  expect(failed).not.toEqual([]);
});

test("it finds nothing wrong with an engine that makes no mistake", async () => {
  const { cases, close } = engineConformance(openWith(() => ({})));
  for (const one of cases) expect([one.name, await fails(one)]).toEqual([one.name, false]);
  await close();
});

test("its sentences are told apart", () => {
  const names = engineConformance(openWith(() => ({}))).cases.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});
