import { type Clock, Fault } from "../contracts/index.ts";
import {
  type Change,
  digestOf,
  entryBytes,
  type Item,
  type Journal,
  type Loaded,
  type NewItem,
  type RunRow,
  sizeToRead,
  tooLargeToRead,
  Unreadable,
} from "../orchestration/host.ts";
import {
  type Append,
  type Document,
  type Engine,
  type Expectation,
  Generations,
  type Outcome,
  Sweeper,
  toIds,
  type Write,
} from "../storage/host.ts";
import { toBulks } from "./run-bulks.ts";
import { defineRuns, keyOf, keyRows, runLog as log, runRows as runs } from "./run-collections.ts";
import { addEntries, emptyEntries, entriesIn, toEvents, toItem } from "./run-entries.ts";
import { toFreed, toLeft, toLine, toQueued } from "./run-line.ts";
import { toNodes } from "./run-nodes.ts";
import { countRuns, searchRuns, toIndexed } from "./run-search.ts";
import { strangersTo } from "./run-strangers.ts";

const page = 512;
/** Entries may be large, so the first page of a journal is short, and the others are about this large. */
const firstPage = 16;
const sizeOfPage = 8 * 2 ** 20;
/** A page of so few texts or fewer, and of less than so many characters, is shorter than was asked for only at the end. */
const shortPage = 64;
const smallPage = 65_536;
/** How many entries are looked at at a time for the last one of a type, which is near the end as a rule. */
const lastPage = 64;
/** Of so many runs it is remembered how this process has left their journals. */
const rememberedEnds = 20_000;
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
  /**
   * The last event that this process wrote of a run. After a fail-over to a replica that lagged another one may have its
   * revision, and a run that was acted out on what is lost must not go on. Where nobody else can write there is none such.
   */
  const ends = exclusive
    ? undefined
    : new Generations<{ readonly revision: number; readonly event: string }>(rememberedEnds);
  const sweeper = new Sweeper(engine, log, clock);
  const append = (append: Omit<Append, "id">): Promise<Outcome> =>
    engine.append(log, [{ id: newId(), ...append }]).then(([outcome]) => outcome as Outcome); // one append, one outcome
  return {
    nodes: toNodes({ engine, clock, alone: exclusive, append: (given) => append({ expect: [], ...given }) }),
    line: toLine({ engine, clock, append }),
    bulks: toBulks({ engine, append, alone: exclusive }),
    append(run, revision, entries, change) {
      const stream = `run/${run}`;
      const events = toEvents(stream, entries);
      if (typeof events === "string") return Promise.resolve({ refused: events });
      const { inboxSeen, tell } = change;
      const end = ends?.get(stream);
      const expect: Expectation[] = [
        end?.revision === revision ? { stream, revision, event: end.event } : toExpected(stream, revision),
      ];
      if (inboxSeen) expect.push({ ...toExpected(`inbox/${run}`, inboxSeen.revision), event: inboxSeen.event });
      const id = newId();
      let size = 0;
      for (const { data } of events) size += data.length;
      const last = { revision: revision + entries.length, event: `${id}/${events.length - 1}` };
      const entry = entries.length > 0 ? last.event : end?.revision === revision ? end.event : null;
      const documents = toWrites(run, change, { ...last, entry }, size);
      if (tell) events.push(toInboxEvent(tell.run, tell.item));
      return engine.append(log, [{ id, expect, events, documents }]).then((outcomes) => {
        const outcome = outcomes[0] as Outcome; // one append, one outcome
        if (outcome.ok && entries.length > 0) ends?.set(stream, last);
        if (outcome.ok) return { position: "last" in outcome ? outcome.last : 0, size };
        if (outcome.why === "conflict") return outcome.stream === stream ? "fenced" : "inbox moved";
        if (outcome.why === "refused") return { refused: outcome.message };
        throw new Fault("Internal", `The journal of run ${run} was not written: ${outcome.why}.`);
      });
    },
    async read(run, from = 0, limit = Number.POSITIVE_INFINITY) {
      const entries = [...(await readRun(engine, run, from, limit)).entries];
      return entries.length > limit ? entries.slice(0, limit) : entries;
    },
    load: (run, from = 0) => readRun(engine, run, from, Number.POSITIVE_INFINITY),
    async last(run, type, from = 0) {
      const limit = type === undefined ? 1 : lastPage;
      for (let next = Number.MAX_SAFE_INTEGER; next >= from; ) {
        const events = await engine.read(log, { stream: `run/${run}`, from: next, limit, backwards: true });
        for (const { revision, data } of events) {
          if (revision < from) return undefined;
          const entries = entriesIn(run, data);
          const at = entries.findLastIndex((entry) => type === undefined || entry.type === type);
          if (at >= 0) return revision - entries.length + 1 + at < from ? undefined : entries[at];
        }
        next = (events.at(-1)?.revision ?? 0) - 1;
      }
      return undefined;
    },
    revision: (run) => engine.revision(log, `run/${run}`),
    async find(run) {
      const [document] = await engine.find(runs.name, { key: run, limit: 1 });
      return document && toRow(document);
    },
    async post(run, item, asleep) {
      const { key } = item;
      const event = toInboxEvent(run, item);
      if (Buffer.byteLength(event.data) > entryBytes)
        throw new Fault("InvalidInput", `A signal may have ${entryBytes} bytes at most, and this one has more.`);
      const write = (quietly: boolean): Promise<Outcome> =>
        append({
          expect: quietly
            ? [{ ...toExpected(`run/${run}`, asleep?.asleepAt ?? -1), event: asleep?.asleepEntry ?? undefined }]
            : [],
          events: [event],
          documents: [
            ...(quietly
              ? []
              : [{ collection: runs.name, patch: run, data: { wakeAt: item.at }, lightly: true } as const]),
            ...(item.signal === "" ? [] : [toUnread(run, event.data.length)]),
          ],
          ...(key !== undefined && {
            receipt: {
              key: JSON.stringify(["signal", run, item.by, key]),
              digest: digestOf([item.signal, item.payload]),
              expires: clock.now() + receiptsMs,
            },
          }),
        });
      const quietly = asleep?.asleepAt !== undefined;
      let outcome = await write(quietly);
      if (quietly && !outcome.ok && outcome.why === "conflict") outcome = await write(false); // it has gone on meanwhile
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
    strangers: (knows) => strangersTo(engine, knows),
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

/** One more that the run has not taken: counted beside it, so that nobody has to read how many there are. */
const toUnread = (run: string, size: number): Write => ({
  collection: runs.name,
  increment: run,
  by: { unread: 1, unreadSize: size },
  initial: `There is no run ${run}.`,
});

const toInboxEvent = (run: string, item: NewItem) => ({
  stream: `inbox/${run}`,
  type: "Signal",
  version: 1,
  data: JSON.stringify(item),
});

const noWrites: readonly Write[] = [];

function toWrites(
  run: string,
  { begin, row, frees, tell, queues, leaves, size }: Change,
  last: { readonly revision: number; readonly event: string; readonly entry: string | null },
  added: number,
): readonly Write[] {
  if (!begin && !row && !frees && !tell && !queues && !leaves) return noWrites; // step after step
  const due: readonly Write[] = tell
    ? [{ collection: runs.name, patch: tell.run, data: { wakeAt: tell.item.at }, lightly: true }]
    : [];
  if (begin) {
    const put: Write = { collection: runs.name, put: run, data: { ...begin, ...toIndexed(begin) } };
    const key: readonly Write[] =
      begin.key === undefined ? [] : [{ collection: keyRows.name, put: `${keyOf(begin.key)}${run}`, data: {} }];
    const queued = begin.state === "queued" && begin.ticket ? toQueued(begin, begin.ticket, last) : [];
    return [put, ...key, ...queued, ...due];
  }
  // A further stretch begins with its last entry alone.
  const grown = size !== undefined && row && { size: row.from === undefined ? size + added : added };
  const asleep = row?.asleepAt !== undefined && { asleepEntry: last.entry };
  const data = {
    ...row,
    ...grown,
    ...asleep,
    ...(queues && { ticket: { ...queues.ticket } }),
    ...(frees && { holds: false }),
  };
  return [
    ...(row || queues || frees ? [{ collection: runs.name, patch: run, data, lightly: true } as const] : []),
    ...(frees ? toFreed(frees) : []),
    ...(queues ? toQueued({ run, startedAt: queues.startedAt }, queues.ticket, last) : []),
    ...(leaves ? toLeft(run, leaves) : []),
    ...due,
  ];
}

const toRow = ({ data }: Document): RunRow => data as RunRow; // only this file writes the collection

/** What stands in a run's journal, page by page; the larger what is in them, the shorter they are. At least so many entries, where they are there. */
async function readRun(engine: Engine, run: string, from: number, limit: number): Promise<Loaded> {
  const entries = emptyEntries(run);
  const stream = `run/${run}`;
  let size = 0;
  if (from > 0) {
    // Texts do not say where they begin, and this one may begin before what is asked for.
    const [first] = await engine.read(log, { stream, from, limit: 1 });
    if (!first) return { entries, size };
    size += first.data.length;
    entries.add(entriesIn(run, first.data).slice(from - first.revision - 1));
  }
  for (let most = firstPage; entries.length < limit; ) {
    const next = { from: from + entries.length, limit: Math.min(most, limit - entries.length) };
    const texts = await engine.texts(log, { stream, ...next });
    if (texts.length === 0) break;
    const before = size;
    for (const text of texts) {
      size += text.length;
      if (size > sizeToRead) throw new Unreadable(tooLargeToRead(run));
      addEntries(run, text, entries);
    }
    if (texts.length < next.limit && next.limit <= shortPage && size - before < smallPage) break; // nothing further: see Engine.texts
    most = Math.max(firstPage, Math.min(page, Math.floor((texts.length * sizeOfPage) / (size - before))));
  }
  return { entries, size };
}

/** What a run was told, page by page. */
async function readInbox(engine: Engine, run: string, from = 0): Promise<readonly Item[]> {
  const items: Item[] = [];
  for (;;) {
    const events = await engine.read(log, { stream: `inbox/${run}`, from: from + items.length, limit: page });
    if (events.length === 0) return items;
    for (const { data, revision, id } of events)
      items.push({ ...toItem<NewItem>(run, data), revision, event: id, size: data.length });
  }
}
