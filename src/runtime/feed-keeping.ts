import type { FeedHold, FeedKeeping } from "../aggregation/host.ts";
import type { Clock } from "../contracts/index.ts";
import { type Append, type Collection, type Engine, type Outcome, toColumns, toIds } from "../storage/host.ts";

const log = "views";
const states: Collection = { name: "feeds", columns: [], indexes: [] };
/** Who has which feed, and until when on the engine's clock. */
const leases: Collection = { name: "feed lease", columns: toColumns({ owner: "text", until: "number" }), indexes: [] };
const free = { owner: null, until: 0 };

export interface FeedKeepingPorts {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly node: string;
  readonly leaseMs: number;
  /** Where only this process can write, every feed is its own. */
  readonly alone: boolean;
}

/**
 * Aggregation's feeds on storage's engine: a state is one document a feed, written only as long as the stream
 * `feed/<name>` says that this node was the last to take it. The lease beside it is a courtesy, so that two nodes do not do
 * the same work; that revision is the fence.
 */
export function toFeedKeeping(ports: FeedKeepingPorts): FeedKeeping {
  const { engine, clock, node, leaseMs, alone } = ports;
  const newId = toIds(clock);
  const append = async (one: Omit<Append, "id"> & { readonly id?: string }): Promise<Outcome | undefined> =>
    (await engine.append(log, [{ id: newId(), ...one }]))[0];

  const lease = async (feed: string): Promise<boolean> => {
    if (alone) return true;
    if (await renew(feed)) return true;
    const now = await engine.time();
    const until = now + leaseMs;
    const taken = { key: feed, where: { until: { to: now } }, limit: 1 };
    if ((await engine.claim(leases.name, taken, { owner: node, until })).length > 0) return true;
    const [known] = await engine.find(leases.name, { key: feed, limit: 1 });
    if (known) return false;
    const room = { collection: leases.name, increment: feed, by: { until: 0 }, initial: free }; // and not put: others come too
    await append({ expect: [], events: [], documents: [room] });
    return (await engine.claim(leases.name, taken, { owner: node, until })).length > 0;
  };
  const renew = async (feed: string): Promise<boolean> => {
    const own = { key: feed, where: { owner: { equals: node } }, limit: 1 };
    return (await engine.claim(leases.name, own, { until: (await engine.time()) + leaseMs })).length > 0;
  };

  return {
    node,
    async holder(feed) {
      if (alone) return node;
      const [known] = await engine.find(leases.name, { key: feed, limit: 1 });
      return (known?.data as { readonly owner: string | null } | undefined)?.owner ?? undefined; // only this file writes the collection
    },
    renewEveryMs: alone ? Number.POSITIVE_INFINITY : leaseMs / 3,
    async take(feed) {
      for (const collection of [states, leases]) await engine.define(collection);
      if (!(await lease(feed))) return undefined;
      const stream = `feed/${feed}`;
      const id = newId();
      const outcome = await append({
        ...{ id, expect: [] },
        events: [{ stream, type: "Taken", version: 1, data: JSON.stringify({ node }) }],
      });
      const revision = outcome?.ok && "revisions" in outcome ? outcome.revisions[stream] : undefined;
      if (revision === undefined) throw new Error(`That the feed "${feed}" was taken could not be written.`);
      let isOthers = false;
      return {
        state: {
          async load() {
            const [document] = await engine.find(states.name, { key: feed, limit: 1 });
            return (document?.data as { readonly state: string } | undefined)?.state; // only this file writes the collection
          },
          async save(_feed, state) {
            const documents = [{ collection: states.name, put: feed, data: { state } }];
            // And by that event: after a fail-over to a replica that lagged another one may have its revision.
            const expect = [{ stream, revision, event: `${id}/0` }];
            const outcome = await append({ expect, events: [], documents });
            isOthers ||= outcome?.ok === false && outcome.why === "conflict";
            if (isOthers) throw new Error(`Another node has taken the feed "${feed}", and goes on with it.`);
            if (!outcome?.ok) throw new Error(`The state of the feed "${feed}" was not kept: ${toWhy(outcome)}`);
          },
        },
        renew: async () => !isOthers && (alone || (await renew(feed))),
        async release() {
          if (alone) return;
          await engine.claim(leases.name, { key: feed, where: { owner: { equals: node } }, limit: 1 }, free);
        },
      } satisfies FeedHold;
    },
  };
}

const toWhy = (outcome: Outcome | undefined): string =>
  outcome && !outcome.ok ? ("message" in outcome ? outcome.message : `${outcome.why}.`) : "there was no answer.";
