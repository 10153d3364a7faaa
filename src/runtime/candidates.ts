import { createHash } from "node:crypto";
import { type Candidate, type Candidates, type Listener, outranks } from "../aggregation/host.ts";
import type { Clock } from "../contracts/index.ts";
import { type After, type Condition, type Document, type Engine, toAfter, toIds, type Write } from "../storage/host.ts";
import { type Subscription, subscription } from "../storage/index.ts";
import { asSeen, buried, CandidateGraves, collection, freshTurn, type Kept, log } from "./candidate-graves.ts";

const page = 500;

/**
 * Aggregation's candidates on storage's engine: one document each, and a tombstone is one like any other. The newest wins
 * by looking first and then writing only what is as it was seen, so that no two nodes write over each other. What a newer
 * whole answer covers counts no more, and is taken away.
 */
export async function openCandidates(engine: Engine, clock: Clock): Promise<Candidates> {
  await engine.define(collection);
  const newId = toIds(clock);
  const graves = new CandidateGraves(engine, newId);

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
      if (!kept) {
        await makeRoom([candidate]);
        continue;
      }
      if (kept.place === buried) {
        await graves.clear([key]);
        continue;
      }
      if (kept.turn > 0 && !outranks(candidate, toCandidate(kept))) return;
      const { revision, at } = candidate;
      const set = { revision, said: toText(candidate), at, turn: freshTurn() };
      const written = await engine.claim(collection.name, asSeen(key, kept), set);
      if (written.length > 0) return;
    }
  };

  const pagesOf = async function* (where: {
    readonly [column: string]: Condition;
  }): AsyncGenerator<readonly Document[]> {
    for (let after: After | undefined; ; ) {
      const query = { where, limit: page, ...(after !== undefined && { after }) };
      const documents = await engine.find(collection.name, query);
      yield documents;
      const last = documents.at(-1);
      if (documents.length < page || !last) return;
      after = toAfter(last, undefined);
    }
  };
  /** Takes away what the newest whole answer of a place covers. */
  const bury = async (place: string): Promise<void> => {
    const whole = await find(keyOf({ place, item: "" }));
    if (!whole || whole.turn === 0 || whole.place === buried) return;
    for await (const documents of pagesOf({ place: { equals: place }, revision: { to: whole.revision } })) {
      const covered = documents.filter(({ data }) => {
        const { item, revision, turn } = data as Kept; // only this file writes the collection
        return item !== "" && turn > 0 && revision < whole.revision;
      });
      await graves.bury(covered);
    }
  };

  return {
    async load(place) {
      const where = { place: { equals: place } };
      const first = await engine.find(collection.name, { where, limit: page });
      if (first.length < page) return countingOf(first);
      // Between two pages a whole answer may come, and take items with it that only stand on the second.
      const turn = async (): Promise<number | undefined> => (await find(keyOf({ place, item: "" })))?.turn;
      for (;;) {
        const before = await turn();
        const all: Document[] = [];
        for await (const documents of pagesOf(where)) all.push(...documents);
        if ((await turn()) === before) return countingOf(all);
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
      const whole = [...newest.values()].filter(({ item }) => item === "");
      for (const place of new Set(whole.map(({ place }) => place))) await bury(place);
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

/** What is only the room for a candidate is none yet. */
const countingOf = (documents: readonly Document[]): readonly Candidate[] =>
  documents
    .map(({ data }) => data as Kept)
    .filter(({ turn }) => turn > 0)
    .map(toCandidate); // only candidates are there

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
const keyOf = ({ place, item }: Pick<Candidate, "place" | "item">): string =>
  createHash("sha256").update(`${place}\n${item}`).digest("hex");
