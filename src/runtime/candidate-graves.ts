import { randomInt } from "node:crypto";
import { type Collection, type Document, type DocumentQuery, type Engine, toColumns } from "../storage/host.ts";

export const log = "views";
export const collection: Collection = {
  name: "candidates",
  columns: toColumns({ place: "text", revision: "number", said: "text", at: "number", turn: "number" }),
  indexes: [["place"]],
};
export interface Kept {
  /** `buried` where it is to be taken away. */
  readonly place: string;
  readonly item: string;
  readonly revision: number;
  /** JSON text, of a whole list behind the names of its items. */
  readonly said: string | null;
  readonly at: number;
  /** Another one after each write, see `freshTurn`. 0 where only the room was made. */
  readonly turn: number;
  /** A document's fields are open. */
  readonly [field: string]: unknown;
}
/** No question has this place. */
export const buried = "";

/**
 * Who saw another turn than there is has to look again. It is drawn and not counted: a document that was taken away and
 * made anew would begin to count at the same number, and be taken for what somebody saw there before.
 */
export const freshTurn = (): number => randomInt(1, 2 ** 48 - 1);
/** Finds a candidate as it was seen, and nothing newer that has come to its key since. */
export const asSeen = (key: string, { turn, revision }: Kept): DocumentQuery => ({
  ...{ key, limit: 1 },
  where: { turn: { equals: turn }, revision: { equals: revision } },
});

const stream = "candidates/cleared";
const most = 500;

/**
 * Takes away candidates that can never count again, while other nodes write. Only what is as it was seen is buried, so
 * nothing newer goes with it; and what is buried is removed by one node at a time, the last that said so in a stream: an
 * append removes whatever stands under a key, and somebody may have made room for something new there.
 */
export class CandidateGraves {
  readonly #engine: Engine;
  readonly #newId: () => string;
  constructor(engine: Engine, newId: () => string) {
    this.#engine = engine;
    this.#newId = newId;
  }

  async bury(documents: readonly Document[]): Promise<void> {
    if (documents.length === 0) return;
    for (const { key, data } of documents) {
      const seen = asSeen(key, data as Kept); // the collection is this kind's alone
      await this.#engine.claim(collection.name, seen, { place: buried, said: null, turn: freshTurn() });
    }
    // And what somebody else buried before he ended.
    const all = await this.#engine.find(collection.name, { where: { place: { equals: buried } }, limit: most });
    await this.clear(all.map(({ key }) => key));
  }

  /** Removes those of them that are buried. Where another node does so at this moment, it is left to that one. */
  async clear(keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    const id = this.#newId();
    const event = { stream, type: "Clearing", version: 1, data: JSON.stringify({ candidates: keys.length }) };
    const [said] = await this.#engine.append(log, [{ id, expect: [], events: [event], documents: [] }]);
    const revision = said?.ok && "revisions" in said ? said.revisions[stream] : undefined;
    if (revision === undefined) return;
    const found = await Promise.all(keys.map((key) => this.#engine.find(collection.name, { key, limit: 1 })));
    const removed = found.flat().filter(({ data }) => (data as Kept).place === buried); // as above
    if (removed.length === 0) return;
    const documents = removed.map(({ key }) => ({ collection: collection.name, remove: key }));
    const expect = [{ stream, revision, event: `${id}/0` }];
    await this.#engine.append(log, [{ id: this.#newId(), expect, events: [], documents }]);
  }
}
