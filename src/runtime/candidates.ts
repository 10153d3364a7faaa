import { createHash } from "node:crypto";
import { type Candidate, type Candidates, type Listener, outranks } from "../aggregation/host.ts";
import type { Clock } from "../contracts/index.ts";
import { type After, type Collection, type Engine, toAfter, toColumns, toIds, type Write } from "../storage/host.ts";
import { type Subscription, subscription } from "../storage/index.ts";

const log = "views";
const collection: Collection = {
  name: "candidates",
  columns: toColumns({ place: "text", revision: "number", said: "text", at: "number", turn: "number" }),
  indexes: [["place"]],
};
const page = 500;

interface Kept {
  readonly place: string;
  readonly item: string;
  readonly revision: number;
  /** JSON text, of a whole list behind the names of its items; see `toText`. */
  readonly said: string | null;
  readonly at: number;
  /** Counts the writes: who saw another turn than there is has to look again. 0 where only the room was made. */
  readonly turn: number;
  /** A document's fields are open. */
  readonly [field: string]: unknown;
}

/**
 * Aggregation's candidates on storage's engine: one document each, and a tombstone is one like any other. The newest wins
 * by looking first and then writing only what is as it was seen, so that no two nodes write over each other.
 */
export async function openCandidates(engine: Engine, clock: Clock): Promise<Candidates> {
  await engine.define(collection);
  const newId = toIds(clock);

  const find = async (key: string): Promise<Kept | undefined> => {
    const [document] = await engine.find(collection.name, { key, limit: 1 });
    return document?.data as Kept | undefined; // only this file writes the collection
  };
  /** Makes room for what is not there yet, and touches nothing that is. */
  const makeRoom = async (fresh: readonly Candidate[]): Promise<void> => {
    const documents = fresh.map((candidate): Write => {
      const { place, item } = candidate;
      const initial: Kept = { place, item, revision: 0, said: null, at: 0, turn: 0 };
      return { collection: collection.name, increment: keyOf(candidate), by: { turn: 0 }, initial };
    });
    const [outcome] = await engine.append(log, [{ id: newId(), expect: [], events: [], documents }]);
    if (!outcome?.ok) throw new Error("What a source said was not kept.");
  };
  const write = async (candidate: Candidate): Promise<void> => {
    const key = keyOf(candidate);
    for (;;) {
      const kept = await find(key);
      if (!kept) throw new Error("What a source said was not kept: its place is gone.");
      if (kept.turn > 0 && !outranks(candidate, toCandidate(kept))) return;
      const { revision, at } = candidate;
      const written = await engine.claim(
        collection.name,
        { key, where: { turn: { equals: kept.turn } }, limit: 1 },
        { revision, said: toText(candidate), at, turn: kept.turn + 1 },
      );
      if (written.length > 0) return;
    }
  };

  return {
    async load(place) {
      const candidates: Candidate[] = [];
      for (let after: After | undefined; ; ) {
        const query = { where: { place: { equals: place } }, limit: page, ...(after !== undefined && { after }) };
        const documents = await engine.find(collection.name, query);
        for (const { data } of documents) {
          const kept = data as Kept; // only this file writes the collection
          if (kept.turn > 0) candidates.push(toCandidate(kept)); // otherwise it is only the room for one
        }
        const last = documents.at(-1);
        after = last && toAfter(last, undefined);
        if (documents.length < page) return candidates;
      }
    },
    async keep(candidates) {
      const newest = new Map<string, Candidate>();
      for (const candidate of candidates) {
        const key = keyOf(candidate);
        const rival = newest.get(key);
        if (!rival || outranks(candidate, rival)) newest.set(key, candidate);
      }
      const known = await Promise.all([...newest.keys()].map(find));
      const fresh = [...newest.values()].filter((_, at) => !known[at]);
      if (fresh.length > 0) await makeRoom(fresh);
      await Promise.all([...newest.values()].map(write));
    },
  };
}

/** A listener as storage knows it. Nothing is lost where it is handed an event twice: a revision counts once. */
export function toSubscription({ name, events, handle }: Listener): Subscription {
  const handlers = Object.entries(handle).map(([event, take]) => [
    event,
    (payload: unknown, { position }: { readonly position: number }) => take(payload, position),
  ]);
  return subscription(name, { events, handle: Object.fromEntries(handlers) });
}

const toCandidate = ({ place, item, revision, said, at }: Kept): Candidate => ({
  ...{ place, item, revision, at },
  ...(said !== null && fromText(said)),
});

// No JSON text begins like this, so what was written before lists had named items reads as it did.
const named = "named ";
const toText = ({ said, items }: Candidate): string | null =>
  said !== undefined && items ? `${named}${JSON.stringify([items, said])}` : (said ?? null);

function fromText(text: string): Pick<Candidate, "said" | "items"> {
  if (!text.startsWith(named)) return { said: text };
  const [items, said] = JSON.parse(text.slice(named.length)) as [readonly string[], string]; // as toText wrote it
  return { said, items };
}

/** A place holds what somebody asked for, and is as long as that; a digest is neither. */
const keyOf = ({ place, item }: Candidate): string => createHash("sha256").update(`${place}\n${item}`).digest("hex");
