import { type Clock, Fault } from "../contracts/index.ts";
import {
  type Change,
  digestOf,
  type Entry,
  entryBytes,
  type Item,
  type Journal,
  type NewItem,
  type RunRow,
  refusalOf,
  Unreadable,
} from "../orchestration/host.ts";
import {
  type Append,
  type Document,
  type Engine,
  type NewEvent,
  type Outcome,
  Sweeper,
  toIds,
  type Write,
} from "../storage/host.ts";
import { toBulks } from "./run-bulks.ts";
import { defineRuns, runLog as log, runRows as runs } from "./run-collections.ts";
import { toFreed, toLeft, toLine, toQueued } from "./run-line.ts";
import { toNodes } from "./run-nodes.ts";
import { countRuns, searchRuns, toIndexed } from "./run-search.ts";

const page = 512;
/** How many entries are looked at at a time for the last one of a type, which is near the end as a rule. */
const lastPage = 64;
/** How long a signal's key is remembered, in ms. */
const receiptsMs = 30 * 86_400_000;

/**
 * Orchestration's journal on storage's engine: a run is the stream `run/<id>` of the log `runs`, what it is told the
 * stream `inbox/<id>`, and its row a document that changes in the same commits.
 */
export async function openRunJournal(engine: Engine, clock: Clock): Promise<Journal> {
  const newId = toIds(clock);
  await defineRuns(engine);
  const { exclusive } = await engine.status();
  const sweeper = new Sweeper(engine, log, clock);
  const append = (append: Omit<Append, "id">): Promise<Outcome> =>
    engine.append(log, [{ id: newId(), ...append }]).then(([outcome]) => outcome as Outcome); // one append, one outcome
  return {
    nodes: toNodes({ engine, clock, alone: exclusive, append: (given) => append({ expect: [], ...given }) }),
    line: toLine({ engine, clock, append }),
    bulks: toBulks({ engine, append, alone: exclusive }),
    async append(run, revision, entries, change) {
      const stream = `run/${run}`;
      const events = entries.map(
        (entry): NewEvent => ({ stream, type: entry.type, version: 1, data: JSON.stringify(entry) }),
      );
      const refused = refusalOf(entries, events);
      if (refused !== undefined) return { refused };
      const { inboxSeen, tell } = change;
      const expect = [toExpected(stream, revision)];
      if (inboxSeen !== undefined) expect.push(toExpected(`inbox/${run}`, inboxSeen));
      if (tell) events.push(toInboxEvent(tell.run, tell.item));
      const outcome = await append({ expect, events, documents: toWrites(run, change, revision + entries.length) });
      if (outcome.ok) return { position: "last" in outcome ? outcome.last : 0 };
      if (outcome.why === "conflict") return outcome.stream === stream ? "fenced" : "inbox moved";
      if (outcome.why === "refused") return { refused: outcome.message };
      throw new Fault("Internal", `The journal of run ${run} was not written: ${outcome.why}.`);
    },
    async read(run, from = 0, limit = Number.POSITIVE_INFINITY) {
      const entries: Entry[] = [];
      while (entries.length < limit) {
        const next = { from: from + entries.length, limit: Math.min(page, limit - entries.length) };
        const texts = await engine.texts(log, { stream: `run/${run}`, ...next });
        if (texts.length === 0) return entries;
        for (const text of texts) entries.push(parsed<Entry>(run, text));
      }
      return entries;
    },
    async last(run, type, from = 0) {
      const limit = type === undefined ? 1 : lastPage;
      for (let next = Number.MAX_SAFE_INTEGER; next >= from; ) {
        const events = await engine.read(log, { stream: `run/${run}`, from: next, limit, backwards: true });
        const found = events.find((event) => type === undefined || event.type === type);
        if (found) return found.revision < from ? undefined : parsed<Entry>(run, found.data);
        next = (events.at(-1)?.revision ?? 0) - 1;
      }
      return undefined;
    },
    async find(run) {
      const [document] = await engine.find(runs.name, { key: run, limit: 1 });
      return document && toRow(document);
    },
    async post(run, item) {
      const { key } = item;
      const data = JSON.stringify(item);
      if (Buffer.byteLength(data) > entryBytes)
        throw new Fault("InvalidInput", `A signal may have ${entryBytes} bytes at most, and this one has more.`);
      const outcome = await append({
        expect: [],
        events: [toInboxEvent(run, item)],
        documents: [{ collection: runs.name, patch: run, data: { wakeAt: item.at } }],
        ...(key !== undefined && {
          receipt: {
            key: JSON.stringify(["signal", run, item.by, key]),
            digest: digestOf([item.signal, item.payload]),
            expires: clock.now() + receiptsMs,
          },
        }),
      });
      sweeper.nudge();
      if (!outcome.ok && outcome.why === "key reused") {
        throw new Fault("KeyReused", "This key has sent another signal to the run. Use a new key for a new signal.");
      }
      if (!outcome.ok) throw new Fault("Internal", `The signal to run ${run} was not written: ${outcome.why}.`);
    },
    inbox: (run, from) => readInbox(engine, run, from),
    async claimDue(node, knows, now, limit) {
      const where = { ...due(knows), wakeAt: { from: 0, to: now } };
      const orderBy = { column: "wakeAt", descending: false };
      const claimed = await engine.claim(
        runs.name,
        { where, orderBy, limit },
        { owner: node, state: "running", wakeAt: null },
      );
      return claimed.map(toRow);
    },
    async heldBy(owner, limit) {
      return (await engine.find(runs.name, { where: { owner: { equals: owner } }, limit })).map(({ key }) => key);
    },
    async release(owner, now, limit) {
      const held = { where: { owner: { equals: owner } }, limit };
      return (await engine.claim(runs.name, held, { owner: null, state: "waiting", wakeAt: now })).length;
    },
    async strangers(knows) {
      const waiting = await engine.find(runs.name, { where: { state: { equals: "waiting" } }, limit: 1_000 });
      return [...new Set(waiting.map((row) => toRow(row).workflow))].filter((workflow) => !knows.includes(workflow));
    },
    async nextDue(knows) {
      const where = { ...due(knows), wakeAt: { from: 0 } };
      const [document] = await engine.find(runs.name, {
        where,
        orderBy: { column: "wakeAt", descending: false },
        limit: 1,
      });
      return document ? (toRow(document).wakeAt ?? undefined) : undefined;
    },
    async wake(run, now) {
      const paused = { key: run, where: { state: { equals: "paused" } }, limit: 1 };
      return (await engine.claim(runs.name, paused, { state: "waiting", wakeAt: now, reason: null })).length > 0;
    },
    async seize(run, node) {
      const where = { owner: { equals: null }, state: { in: ["waiting", "running", "undoing"] } };
      const set = { owner: node, state: "running", wakeAt: null };
      const [document] = await engine.claim(runs.name, { key: run, where, limit: 1 }, set);
      return document && toRow(document);
    },
    search: (filter, query) => searchRuns(engine, filter, query),
    count: (filter, most) => countRuns(engine, filter, most),
    async putBack(run, owner, wakeAt) {
      const own = { key: run, where: { owner: { equals: owner } }, limit: 1 };
      await engine.claim(runs.name, own, { owner: null, state: "waiting", wakeAt });
    },
    async strand(run, owner, reason) {
      const own = { key: run, where: { owner: { equals: owner } }, limit: 1 };
      await engine.claim(runs.name, own, { owner: null, state: "paused", wakeAt: null, reason });
    },
  };
}

/**
 * Runs that go on by themselves, that nobody owns, and whose workflow is known. Their state may be one of activity: an
 * owner that was given up may have written it between the release and the next claim.
 */
const due = (knows: readonly string[]) => ({
  state: { in: ["waiting", "running", "undoing"] },
  owner: { equals: null },
  workflow: { in: knows },
});

/** That a stream ends with a revision; -1 where it is not there. */
const toExpected = (stream: string, revision: number): Append["expect"][number] => ({
  stream,
  revision: revision < 0 ? "none" : revision,
});

const toInboxEvent = (run: string, item: NewItem) => ({
  stream: `inbox/${run}`,
  type: "Signal",
  version: 1,
  data: JSON.stringify(item),
});

const noWrites: readonly Write[] = [];

function toWrites(run: string, { begin, row, frees, tell, queues, leaves }: Change, last: number): readonly Write[] {
  if (!begin && !row && !frees && !tell && !queues && !leaves) return noWrites; // step after step
  const due: readonly Write[] = tell
    ? [{ collection: runs.name, patch: tell.run, data: { wakeAt: tell.item.at } }]
    : [];
  if (begin) {
    const put: Write = { collection: runs.name, put: run, data: { ...begin, ...toIndexed(begin) } };
    return [put, ...(begin.state === "queued" && begin.ticket ? toQueued(begin, begin.ticket, last) : []), ...due];
  }
  const data = { ...row, ...(queues && { ticket: { ...queues.ticket } }), ...(frees && { holds: false }) };
  return [
    ...(row || queues || frees ? [{ collection: runs.name, patch: run, data }] : []),
    ...(frees ? toFreed(frees) : []),
    ...(queues ? toQueued({ run, startedAt: queues.startedAt }, queues.ticket, queues.revision) : []),
    ...(leaves ? toLeft(run, leaves) : []),
    ...due,
  ];
}

function parsed<T>(run: string, data: string): T {
  try {
    return JSON.parse(data) as T; // only this file writes the streams
  } catch (cause) {
    throw new Unreadable(`What is kept of run ${run} is no JSON.`, { cause });
  }
}

const toRow = ({ data }: Document): RunRow => data as RunRow; // only this file writes the collection

/** What a run was told, page by page. */
async function readInbox(engine: Engine, run: string, from = 0): Promise<readonly Item[]> {
  const items: Item[] = [];
  for (;;) {
    const events = await engine.read(log, { stream: `inbox/${run}`, from: from + items.length, limit: page });
    if (events.length === 0) return items;
    for (const { data, revision } of events) items.push({ ...parsed<Omit<Item, "revision">>(run, data), revision });
  }
}
