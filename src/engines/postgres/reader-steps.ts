import { Draft, type Fields } from "../../storage/draft.ts";
import { Generations } from "../../storage/generations.ts";
import type { Checkpoint, Write } from "../../storage/host.ts";
import { Refused } from "../../storage/refused.ts";
import type { Asker } from "./asker.ts";
import type { KnownCollection } from "./collections.ts";
import type { DocumentStore } from "./document-store.ts";
import { checkWhole, toWaves } from "./document-writes.ts";
import { fromJsonText, fromText, toJsonText, toText } from "./text.ts";
import { isGone, isStale } from "./trouble.ts";

type Step = Checkpoint & { readonly from: number };
/** A document as it was, and the transaction that wrote it so. */
interface Seen {
  readonly by: string;
  readonly content: Fields | string;
}
interface Asked {
  readonly known: KnownCollection;
  readonly key: string;
  readonly writes: Write[];
}
interface Drafted {
  readonly place: string;
  readonly known: KnownCollection;
  readonly draft: Draft;
  readonly seen: Seen | undefined;
  /** A put or a removal does not ask what was there before. */
  readonly looked: boolean;
}
const kinds = { put: 1, remove: 4, change: 5, add: 6 } as const;

/** How many documents are kept in memory, and how long they may be: read models write the same ones again and again. */
const rememberedDocuments = 32_768;
const longestRemembered = 512;

/**
 * Readers' steps: documents and checkpoint in one commit. What the writes make of documents is worked out here, on what was
 * last seen of them, and the database takes it only where they are still so. (It does increments itself, too: in a tenth
 * of the speed.) Where somebody else has written one of them in the meantime, the step is left to the database.
 */
export class ReaderSteps {
  readonly #asker: Asker;
  readonly #schema: string;
  readonly #documents: DocumentStore;
  #seen = new Generations<Seen>(rememberedDocuments);
  constructor(asker: Asker, schema: string, documents: DocumentStore) {
    this.#asker = asker;
    this.#schema = schema;
    this.#documents = documents;
  }

  /** Transactions may have the numbers of others that are lost. */
  forget(): void {
    this.#seen = new Generations(rememberedDocuments);
  }

  /** Whether it was done. Throws a TypeError for documents that cannot be. */
  async commit(step: Step, writes: readonly Write[]): Promise<boolean> {
    try {
      return await this.#commit(step, writes);
    } catch (error) {
      if (!isGone(error)) throw error;
      await this.#documents.renew(writes.map(({ collection }) => collection));
      return this.#commit(step, writes);
    }
  }

  async #commit(step: Step, writes: readonly Write[]): Promise<boolean> {
    try {
      const drafted = await this.#draft(writes);
      const rows = toRows(drafted);
      for (const { place } of drafted) this.#seen.delete(place);
      const [row] = await this.#asker.once<{ done: string }>((call, again) => ({
        text: `select ${this.#schema}.commit_v2($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) as done`,
        values: [...toStart(step, call, again), ...rows],
      }));
      if (row === undefined || row.done === "false") {
        this.forget(); // somebody else moved the reader, or a fail-over moved it back
        return false;
      }
      this.#remember(drafted, row.done);
      return true;
    } catch (error) {
      if (error instanceof Refused || (error instanceof Error && isStale(error))) return this.#leave(step, writes);
      throw error;
    }
  }

  /** To the database, which does each write on what is there. */
  async #leave(step: Step, writes: readonly Write[]): Promise<boolean> {
    const { rows, refused } = this.#documents.toRows(writes);
    const given =
      rows.length > 0
        ? [
            toWaves(rows),
            rows.map((row) => row.collection),
            rows.map((row) => row.kind),
            rows.map((row) => row.key),
            rows.map((row) => row.times),
            rows.map((row) => row.data),
            rows.map((row) => row.extra),
          ]
        : Array(7).fill(null);
    const [row] = await this.#asker.once<{ done: string }>((call, again) => ({
      text: `select ${this.#schema}.commit_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) as done`,
      values: [...toStart(step, call, again), refused !== undefined, ...given],
    }));
    if (row?.done === "refused") throw new TypeError(refused);
    return row?.done === "true";
  }

  async #draft(writes: readonly Write[]): Promise<readonly Drafted[]> {
    const places = new Map<string, Asked>();
    for (const write of writes) {
      const known = this.#documents.lookUp(write.collection);
      if (!known) throw new Refused(`There is no collection "${write.collection}".`);
      const key = keyOf(write);
      const place = `${known.id} ${key}`;
      const asked = places.get(place);
      if (asked) asked.writes.push(write);
      else places.set(place, { known, key, writes: [write] });
    }
    const found = await this.#look(places);
    return Array.from(places, ([place, { known, key, writes }]) => {
      const seen = found.get(place);
      const draft = new Draft(known.collection, key, seen?.content);
      for (const write of writes) change(draft, known, write);
      return { place, known, draft, seen, looked: seen !== undefined || looks(writes) };
    });
  }

  /** What is there, of those that somebody has to look at. */
  async #look(places: ReadonlyMap<string, Asked>): Promise<ReadonlyMap<string, Seen>> {
    const found = new Map<string, Seen>();
    const unknown = new Map<KnownCollection, string[]>();
    for (const [place, { known, key, writes }] of places) {
      const seen = this.#seen.get(place);
      if (seen) found.set(place, seen);
      else if (looks(writes)) {
        const keys = unknown.get(known);
        if (keys) keys.push(toText(key));
        else unknown.set(known, [toText(key)]);
      }
    }
    for (const [{ id, table }, keys] of unknown) {
      const rows = await this.#asker.ask<{ key: string; by: string; data: string }>(
        `select key, xmin::text as by, data::text as data from ${table} where key = any($1)`,
        [keys],
      );
      for (const { key, by, data } of rows) found.set(`${id} ${fromText(key)}`, { by, content: toContent(data) });
    }
    return found;
  }

  #remember(drafted: readonly Drafted[], by: string): void {
    for (const { place, draft } of drafted) {
      const { content } = draft;
      if (content !== undefined && draft.times > 0 && draft.text.length <= longestRemembered)
        this.#seen.set(place, { by, content });
    }
  }
}

const toStart = ({ log, reader, epoch, from, position }: Step, call: string, again: boolean): readonly unknown[] => [
  toText(log),
  call,
  again,
  toText(reader),
  epoch,
  from,
  position,
];

/** The arguments of the step's function: documents in parts of one collection and one kind, removals before the rest. */
function toRows(drafted: readonly Drafted[]): readonly unknown[] {
  const parts = new Map<string, { readonly collection: number; readonly kind: number; readonly rows: Drafted[] }>();
  const add = (kind: number, one: Drafted): void => {
    const name = `${kind} ${one.known.id}`;
    const part = parts.get(name);
    if (part) part.rows.push(one);
    else parts.set(name, { collection: one.known.id, kind, rows: [one] });
  };
  for (const one of drafted) if (one.draft.anew && (one.seen || !one.looked)) add(kinds.remove, one);
  for (const one of drafted) {
    const { draft, seen, looked } = one;
    if (!draft.isThere || draft.times === 0) continue;
    add(draft.anew || (looked && !seen) ? kinds.add : seen ? kinds.change : kinds.put, one);
  }
  const all = [...parts.values()];
  if (all.length === 0) return Array(8).fill(null);
  const rows = all.flatMap((part) => part.rows);
  const ends: number[] = [];
  for (const part of all) ends.push((ends.at(-1) ?? 0) + part.rows.length);
  return [
    all.map(({ collection }) => collection),
    all.map(({ kind }) => kind),
    ends.map((end, index) => end - (all[index]?.rows.length ?? 0) + 1),
    ends,
    rows.map(({ draft }) => toText(draft.key)),
    rows.map(({ seen }) => seen?.by ?? null),
    rows.map(({ draft }) => draft.times),
    rows.map(({ known, draft }) =>
      draft.isThere ? toJsonText(checkWhole(known.collection, draft.key, draft.text)) : null,
    ),
  ];
}

function keyOf(write: Write): string {
  if ("put" in write) return write.put;
  if ("patch" in write) return write.patch;
  return "increment" in write ? write.increment : write.remove;
}

const looks = ([first]: readonly Write[]): boolean => first !== undefined && ("patch" in first || "increment" in first);

function change(draft: Draft, { collection }: KnownCollection, write: Write): void {
  const toJson = (data: Fields): string => checkWhole(collection, draft.key, JSON.stringify(data));
  if ("put" in write) draft.put(toJson(write.data));
  else if ("patch" in write) draft.patch(toJson(write.data));
  else if ("remove" in write) draft.remove();
  else {
    const { by, initial } = write;
    draft.increment(by, () => (typeof initial === "string" ? initial : (JSON.parse(toJson(initial)) as Fields)));
  }
}

const toContent = (data: string): Fields | string => (data.includes("\\u0001") ? (fromJsonText(data) as Fields) : data); // a document is an object
