import { type Clock, Fault } from "../contracts/index.ts";
import { type Change, digestOf, type Entry, type Item, type Journal, type RunRow } from "../orchestration/host.ts";
import {
  type Append,
  type Collection,
  type Column,
  type Document,
  type Engine,
  type Outcome,
  Sweeper,
  toIds,
  type Write,
} from "../storage/host.ts";

const log = "runs";
const runs: Collection = {
  name: "run",
  columns: [
    { name: "state", type: "text" },
    { name: "owner", type: "text" },
    { name: "wakeAt", type: "number" },
    { name: "workflow", type: "text" },
  ],
  // Free runs are found by when they are due, owned ones by who has them: a claim moves a row from one index to the other.
  indexes: [
    { columns: ["wakeAt"], where: { column: "owner", is: "null" } },
    { columns: ["owner"], where: { column: "owner", is: "not null" } },
  ],
};
const page = 512;
/** How long a signal's key is remembered, in ms. */
const receiptsMs = 30 * 86_400_000;
/** Bytes of one entry: an input, a step's result, an output. */
const entryLimit = 2 ** 20;

/**
 * Orchestration's journal on storage's engine: a run is the stream `run/<id>` of the log `runs`, what it is told the
 * stream `inbox/<id>`, and its row a document that changes in the same commits.
 */
export async function openRunJournal(engine: Engine, clock: Clock): Promise<Journal> {
  const newId = toIds(clock);
  await engine.define(runs);
  const sweeper = new Sweeper(engine, log, clock);
  const append = async (append: Omit<Append, "id">): Promise<Outcome> => {
    const [outcome] = await engine.append(log, [{ id: newId(), ...append }]);
    return outcome as Outcome; // one append, one outcome
  };
  return {
    async append(run, revision, entries, change) {
      const stream = `run/${run}`;
      const events = entries.map((entry) => ({ stream, type: entry.type, version: 1, data: JSON.stringify(entry) }));
      // No UTF-16 unit takes more than three bytes, so most entries need no counting.
      const large = events.find(({ data }) => data.length * 3 > entryLimit && Buffer.byteLength(data) > entryLimit);
      if (large) {
        const size = Buffer.byteLength(large.data);
        return {
          refused: `an entry "${large.type}" of ${size} bytes, where ${entryLimit} are the most. Keep large values in a store, and pass their keys on.`,
        };
      }
      const outcome = await append({
        expect: [
          { stream, revision: revision < 0 ? "none" : revision },
          ...(change.inboxSeen === undefined
            ? []
            : [{ stream: `inbox/${run}`, revision: change.inboxSeen < 0 ? ("none" as const) : change.inboxSeen }]),
        ],
        events,
        documents: toWrites(run, change),
      });
      if (outcome.ok) return { position: "last" in outcome ? outcome.last : 0 };
      if (outcome.why === "conflict") return outcome.stream === stream ? "fenced" : "inbox moved";
      if (outcome.why === "refused") return { refused: outcome.message };
      throw new Fault("Internal", `The journal of run ${run} was not written: ${outcome.why}.`);
    },
    read: async (run) => (await readStream(engine, `run/${run}`)).map(({ data }) => JSON.parse(data) as Entry),
    async find(run) {
      const [document] = await engine.find(runs.name, { key: run, limit: 1 });
      return document && toRow(document);
    },
    async post(run, item) {
      const { key } = item;
      const outcome = await append({
        expect: [],
        events: [{ stream: `inbox/${run}`, type: "Signal", version: 1, data: JSON.stringify(item) }],
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
    inbox: async (run) =>
      (await readStream(engine, `inbox/${run}`)).map(
        ({ data, revision }): Item => ({ ...(JSON.parse(data) as Omit<Item, "revision">), revision }),
      ),
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
    async release(now, limit) {
      const held = { where: { owner: { from: "" } }, limit };
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
    async putBack(run, wakeAt) {
      await engine.claim(runs.name, { key: run, limit: 1 }, { owner: null, state: "waiting", wakeAt });
    },
  };
}

/** Runs that wait, that nobody owns, and whose workflow is known. */
const due = (knows: readonly string[]) => ({
  state: { equals: "waiting" },
  owner: { equals: null },
  workflow: { in: knows },
});

function toWrites(run: string, { begin, row }: Change): readonly Write[] {
  if (begin) return [{ collection: runs.name, put: run, data: { ...begin } }];
  return row
    ? [
        {
          collection: runs.name,
          patch: run,
          data: { ...row } satisfies { readonly [field: string]: Column | undefined },
        },
      ]
    : [];
}

const toRow = ({ data }: Document): RunRow => data as RunRow; // only this file writes the collection

async function readStream(engine: Engine, stream: string) {
  const events = [];
  for (;;) {
    const some = await engine.read(log, { stream, from: events.length, limit: page });
    events.push(...some);
    if (some.length === 0) return events;
  }
}
