import { createHash } from "node:crypto";
import type { LastGood, LastGoodRecord } from "../aggregation/host.ts";
import type { Clock } from "../contracts/index.ts";
import { type Collection, type Engine, toIds, type Write } from "../storage/host.ts";

const log = "views";
const collection: Collection = {
  name: "last good",
  columns: [{ name: "expires", type: "number" }],
  indexes: [["expires"]],
};
/** Places per source. Two questions that fall on one replace each other: bounded without counting, and never wrong. */
const places = 2 ** 14;
const sweepEveryMs = 60_000;
/** Records that one look takes away: a bite that no other write waits long for. */
const bite = 200;

interface Kept extends Omit<LastGoodRecord, "key"> {
  /** A digest: which of the questions that share a place this is. */
  readonly question: string;
  /** A document's fields are open. */
  readonly [field: string]: unknown;
}

/**
 * Aggregation's last good answers on storage's engine: documents that are written beside everything else. Expired ones
 * are taken away after writes and not by a timer: where nothing is written, nothing piles up.
 */
export async function openLastGood(engine: Engine, clock: Clock): Promise<LastGood> {
  await engine.define(collection);
  const newId = toIds(clock);
  let sweptAt = Number.NEGATIVE_INFINITY;
  const write = async (documents: readonly Write[]): Promise<void> => {
    const [outcome] = await engine.append(log, [{ id: newId(), expect: [], events: [], documents }]);
    if (!outcome?.ok) throw new Error("The last good answers of sources were not written.");
  };
  const sweep = async (): Promise<void> => {
    const now = clock.now();
    if (now - sweptAt < sweepEveryMs) return;
    sweptAt = now;
    for (;;) {
      const query = { where: { expires: { to: now } }, orderBy: { column: "expires", descending: false }, limit: bite };
      const expired = await engine.find(collection.name, query);
      if (expired.length === 0) return;
      await write(expired.map(({ key }) => ({ collection: collection.name, remove: key })));
    }
  };
  return {
    async load(source, key) {
      const question = digestOf(key);
      const [document] = await engine.find(collection.name, { key: placeOf(source, question), limit: 1 });
      const kept = document?.data as Kept | undefined; // only this file writes the collection
      if (kept?.question !== question) return undefined;
      const { said, at, expires } = kept;
      return { source, key, said, at, expires };
    },
    async save(records) {
      await write(
        records.map(({ key, source, said, at, expires }) => {
          const question = digestOf(key);
          const data: Kept = { source, question, said, at, expires };
          return { collection: collection.name, put: placeOf(source, question), data };
        }),
      );
      await sweep();
    },
    async remove(gone) {
      // Looked at first: mostly nothing was ever kept, and a place may be another question's.
      const removed = gone.map(async ({ source, key, at }): Promise<readonly Write[]> => {
        const question = digestOf(key);
        const place = placeOf(source, question);
        const [document] = await engine.find(collection.name, { key: place, limit: 1 });
        const kept = document?.data as Kept | undefined; // only this file writes the collection
        const isOlder = kept?.question === question && kept.at <= at;
        return isOlder ? [{ collection: collection.name, remove: place }] : [];
      });
      const writes = (await Promise.all(removed)).flat();
      if (writes.length > 0) await write(writes);
    },
  };
}

/** A question holds what somebody asked for, and is as long as that; its digest is neither. */
const digestOf = (key: string): string => createHash("sha256").update(key).digest("hex");
const placeOf = (source: string, question: string): string =>
  `${source}/${Number.parseInt(question.slice(0, 8), 16) % places}`;
