import type { Clock } from "../contracts/index.ts";
import type { News, Nodes } from "../orchestration/host.ts";
import type { Document, Engine, Outcome, StoredEvent, Write } from "../storage/host.ts";
import { nodeRows, runLog, runRows } from "./run-collections.ts";

export interface NodesPorts {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly alone: boolean;
  /** One append of its own to the log of runs. */
  readonly append: (append: {
    readonly events: readonly {
      readonly stream: string;
      readonly type: string;
      readonly version: number;
      readonly data: string;
    }[];
    readonly documents: readonly Write[];
  }) => Promise<Outcome>;
}

/** What the news are made of: everything else that runs write concerns their owner alone. */
const news: { readonly [type: string]: News["items"][number]["what"] } = {
  Signal: "told",
  Ended: "ended",
  Admitted: "free",
  Left: "free",
};
const page = 512;
/** News are read no more often than this, so that a busy log is read in pages and not event by event. */
const paceMs = 5;
const mostNodes = 1_000;

/** Orchestration's list of nodes, as documents beside the runs. */
export function toNodes({ engine, clock, alone, append }: NodesPorts): Nodes {
  const { name } = nodeRows;
  return {
    alone,
    async enter(node, knows, leaseMs) {
      const until = (await engine.time()) + leaseMs;
      await append({ events: [], documents: [{ collection: name, put: node, data: { node, until, knows } }] });
    },
    async renew(node, leaseMs) {
      const now = await engine.time();
      const still = { key: node, where: { until: { from: now } }, limit: 1 };
      return (await engine.claim(name, still, { until: now + leaseMs })).length > 0;
    },
    async leave(node) {
      const events = [{ stream: "node/left", type: "Left", version: 1, data: JSON.stringify({ node }) }];
      await append({ events, documents: [{ collection: name, remove: node }] });
    },
    async census(node) {
      // Owners first: whoever owns a run by now was on the list before.
      const owners = await ownersOf(engine);
      const now = await engine.time();
      const listed = alone ? [] : await engine.find(name, { limit: mostNodes });
      const present = new Set([node, ...listed.filter((row) => untilOf(row) > now).map(({ key }) => key)]);
      const over = listed.filter(({ key }) => !present.has(key)).map(({ key }) => key);
      const struck = new Set<string>();
      for (const key of over) {
        // Who has renewed meanwhile is there; who has not cannot any more.
        const late = { key, where: { until: { to: now } }, limit: 1 };
        if ((await engine.claim(name, late, { until: 0 })).length > 0) struck.add(key);
        else present.add(key);
      }
      const documents = [...struck].map((remove) => ({ collection: name, remove }));
      if (documents.length > 0) await append({ events: [], documents });
      present.delete(node);
      return { others: [...present], gone: owners.filter((owner) => owner !== node && !present.has(owner)) };
    },
    async news(after, aborted) {
      if (after === undefined) return { place: (await engine.head(runLog)).position, items: [] };
      for (let place = after; ; ) {
        const { position: head } = await engine.head(runLog);
        const events = await engine.read(runLog, { after: place, limit: page, types: Object.keys(news) });
        const last = events.at(-1);
        if (last) return { place: last.position, items: events.map(toItem) };
        place = Math.max(place, head);
        await engine.watch(runLog, place, aborted);
        await pause(clock, paceMs, aborted);
        aborted.throwIfAborted();
      }
    },
  };
}

/** Each owner of a run once: a look for each, however many runs they have. */
async function ownersOf(engine: Engine): Promise<readonly string[]> {
  const owners: string[] = [];
  for (let from = ""; ; ) {
    const query = { where: { owner: { from } }, orderBy: { column: "owner", descending: false }, limit: 1 } as const;
    const [row] = await engine.find(runRows.name, query);
    if (!row) return owners;
    const { owner } = row.data as { readonly owner: string }; // the column holds texts
    owners.push(owner);
    from = `${owner}!`; // no id of a node is longer than another by an exclamation mark
  }
}

const untilOf = ({ data }: Document): number => (data as { readonly until: number }).until; // only this file writes it

const toItem = ({ type, stream }: StoredEvent): News["items"][number] => ({
  what: news[type] ?? "free",
  run: stream.slice(stream.indexOf("/") + 1),
});

/** Ends early where it is aborted. */
function pause(clock: Clock, ms: number, aborted: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      disarm();
      aborted.removeEventListener("abort", end);
      resolve();
    };
    const disarm = clock.after(ms, end);
    aborted.addEventListener("abort", end);
  });
}
