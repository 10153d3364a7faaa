import assert from "node:assert/strict";
import type {
  Append,
  Collection,
  Condition,
  DocumentQuery,
  Engine,
  Expected,
  NewReceipt,
  Outcome,
  ReadQuery,
  StoredEvent,
  Write,
} from "../../storage/host.ts";
import { memoryEngine } from "./memory-engine.ts";
import { meets } from "./memory-log.ts";
import { people, readOn, toAppend, toEvent, toRange } from "./room.ts";

/** Where a history's decisions come from: a seed, or whatever a property test draws and shrinks. */
export interface Choices {
  /** A whole number from 0 on, less than `limit`. */
  below(limit: number): number;
  /** Whether the history should come to its end. */
  readonly ended: boolean;
}

/**
 * Tells an engine and the model the same history, and fails where they do not say the same. The history keeps to logs and
 * a collection of its own, named after `world`, so that many may be told to one engine.
 */
export async function playAgainstModel(
  engine: Engine,
  world: string,
  choices: Choices,
  reopen?: () => Promise<Engine>,
): Promise<void> {
  await new Game(engine, world, choices, reopen).play();
}

const streams = ["a/1", "a/2", "b/1"];
const keys = ["k1", "k2", "k3", "k4"];
const names = ["ada", "bob", "cyd", "é", "😀"];
const readers = ["r1", "r2"];
const epochOf = async (engine: Engine, log: string): Promise<number> => (await engine.head(log)).epoch;

class Game {
  #engine: Engine;
  readonly #model: Engine = memoryEngine();
  readonly #choices: Choices;
  readonly #reopen: (() => Promise<Engine>) | undefined;
  readonly #logs: readonly string[];
  readonly #collection: Collection;
  #now = Date.now();
  constructor(engine: Engine, world: string, choices: Choices, reopen: (() => Promise<Engine>) | undefined) {
    this.#engine = engine;
    this.#choices = choices;
    this.#reopen = reopen;
    this.#logs = [world, `${world}-b`];
    this.#collection = { ...people, name: `people ${world}` };
  }

  async play(): Promise<void> {
    await this.#both((engine) => engine.define(this.#collection));
    while (!this.#choices.ended) {
      await this.#step();
      if (this.#choices.below(8) === 0) await this.#look();
    }
    await this.#compare();
  }

  async #step(): Promise<void> {
    const log = this.#one(this.#logs);
    const kind = this.#choices.below(20);
    if (kind < 13)
      await this.#append(
        log,
        toRange(1 + this.#choices.below(4)).map(() => this.#toAppend()),
      );
    else if (kind < 16) await this.#commit(log);
    else if (kind < 18) {
      const query = { ...this.#toQuery(), limit: 1 + this.#choices.below(3) };
      const set = { [this.#one(["age"])]: this.#choices.below(5) };
      await this.#same((engine) => engine.claim(this.#collection.name, query, set));
    } else if (kind === 18) {
      this.#now += 1_000;
      const limit = 1 + this.#choices.below(3);
      await this.#same((engine) => engine.sweep(log, this.#now, limit));
    } else if (this.#reopen && this.#choices.below(3) === 0) {
      this.#engine = await this.#reopen();
      await this.#engine.define(this.#collection);
    }
  }

  async #append(log: string, group: readonly Append[]): Promise<void> {
    const revisions = await this.#revisions(log);
    const [said, expected] = await Promise.all([this.#engine.append(log, group), this.#model.append(log, group)]);
    assert.equal(said.length, group.length, "Each append has an outcome.");
    for (const [index, append] of group.entries()) {
      const [one, other] = [said[index], expected[index]];
      if (one?.ok === false && one.why === "conflict" && group.length === 1) {
        // Where several streams are not as expected, the port does not say which of them is named.
        assert.ok(other?.ok === false && other.why === "conflict", `A conflict instead of ${JSON.stringify(other)}`);
        const asked = append.expect.find(({ stream, revision }) => stream === one.stream && revision === one.expected);
        assert.ok(asked && !meets(one.actual, one.expected), `A conflict that is none: ${JSON.stringify(one)}`);
        assert.equal(one.actual, revisions.get(one.stream) ?? -1);
      } else assert.deepEqual(toComparable(one), toComparable(other), `The outcome of ${JSON.stringify(append)}`);
    }
  }

  #toAppend(): Append {
    const { below } = this.#choices;
    const expect = new Map<string, Expected>();
    if (below(2) === 0) expect.set(this.#one(streams), this.#one(["any", "none", "exists", 0, 1, 2, 3, 5]));
    const events = toRange(below(4)).map((n) =>
      toEvent(this.#one(streams), {
        type: this.#one(["t.A", "t.B"]),
        version: 1 + below(2),
        data: JSON.stringify({ n, "\u0000": "é" }),
        ...(below(3) === 0 && { meta: `{"m":${n}}` }),
        ...(below(3) === 0 && { spans: 1 + below(3) }),
      }),
    );
    return toAppend({
      expect: [...expect].map(([stream, revision]) => ({ stream, revision })),
      events,
      ...(below(2) === 0 && { documents: toRange(1 + below(3)).map(() => this.#toWrite()) }),
      ...(below(3) === 0 && { receipt: this.#toReceipt() }),
      ...(below(4) === 0 && { readers: [this.#one(readers)] }),
    });
  }

  #toReceipt(): NewReceipt {
    const { below } = this.#choices;
    const voided = below(6) === 0;
    return {
      key: this.#one(keys),
      digest: this.#one(["d1", "d1", "d2"]),
      ...(below(2) === 0 && { result: `${below(9)}` }),
      ...(below(2) === 0 && { expires: this.#now + below(3_000) }),
      ...(voided && { voided }),
    };
  }

  #toWrite(): Write {
    const { below } = this.#choices;
    const { name: collection } = this.#collection;
    const key = this.#one(names);
    const data = {
      ...(below(3) > 0 && { age: this.#one([0, 1, 2.5, null, true, 3, 4]) }),
      ...(below(3) > 0 && { city: this.#one(["x", "y", null, "", "😀", below(6) === 0 ? 7 : "z"]) }),
      ...(below(4) === 0 && { more: [below(9)] }),
    };
    const kind = below(7);
    if (kind < 2) return { collection, put: key, data };
    if (kind < 3) return { collection, patch: key, data };
    if (kind < 4) return { collection, patch: key, data, lightly: true };
    if (kind < 6) return { collection, increment: key, by: { age: 1 + below(2), visits: 1 }, initial: data };
    return { collection, remove: key };
  }

  async #commit(log: string): Promise<void> {
    const { below } = this.#choices;
    const reader = this.#one(readers);
    const { position } = await this.#model.checkpoint(log, reader);
    const head = (await this.#model.head(log)).position;
    const from = below(5) === 0 ? position + 1 : position;
    const to = Math.min(head, from + below(4));
    if (to < from) return;
    const writes = toRange(below(3)).map(() => this.#toWrite());
    const epochs = new Map<Engine, number>();
    for (const engine of [this.#engine, this.#model]) epochs.set(engine, await epochOf(engine, log));
    const stale = below(8) === 0 ? 1 : 0;
    await this.#same((engine) =>
      engine.commit({ log, reader, epoch: (epochs.get(engine) ?? 0) + stale, from, position: to }, writes),
    );
  }

  #toQuery(): DocumentQuery {
    const { below } = this.#choices;
    const city = (): Condition =>
      this.#one<Condition>([
        { equals: "x" },
        { equals: null },
        { not: "y" },
        { in: ["x", "😀"] },
        { from: "x" },
        { from: "", to: "y" },
      ]);
    const age = (): Condition =>
      this.#one<Condition>([{ equals: 1 }, { not: null }, { in: [1, 3] }, { from: 1, to: 3 }, { to: 2 }]);
    const column = below(2) === 0 ? this.#one(["age", "city"]) : undefined;
    // A place where there may be no document, and its value what no document may have.
    const value = column === "age" ? this.#one([null, 1, 2.5, 3]) : this.#one([null, "", "x", "xx", "😀"]);
    return {
      where: { ...(below(3) === 0 && { city: city() }), ...(below(3) === 0 && { age: age() }) },
      ...(column !== undefined && { orderBy: { column, descending: below(2) === 0 } }),
      ...(below(3) === 0 && { after: { key: this.#one(names), value } }),
      ...(below(4) === 0 && { key: this.#one(names) }),
      limit: 50,
    };
  }

  /** A question or two on the way. */
  async #look(): Promise<void> {
    const { below } = this.#choices;
    const log = this.#one(this.#logs);
    const query = this.#toQuery();
    await this.#same((engine) => engine.find(this.#collection.name, query));
    const until = below(2) === 0 ? { untilPosition: below(12) } : {};
    const byStream: ReadQuery = {
      stream: this.#one(streams),
      from: below(5),
      limit: 50,
      backwards: below(2) === 0,
      ...until,
    };
    const types = below(2) === 0 ? { types: [this.#one(["t.A", "t.B", "t.C"])] } : {};
    const categories = below(2) === 0 ? { categories: [this.#one(["a", "b", "c"])] } : {};
    const some = below(3) === 0 ? { streams: [this.#one(streams), this.#one(streams)] } : {};
    const byPosition: ReadQuery = { after: below(9), limit: 1_000, ...until, ...types, ...categories, ...some };
    for (const asked of [byStream, byPosition])
      await this.#same(async (engine) => (await engine.read(log, asked)).map(withoutTime));
  }

  /** Everything that can be asked for. */
  async #compare(): Promise<void> {
    await this.#same((engine) => engine.find(this.#collection.name, { limit: 100 }));
    for (const log of this.#logs) {
      await this.#same(async (engine) => (await engine.head(log)).position);
      await this.#same(async (engine) => (await engine.types(log)).map((type) => JSON.stringify(type)).toSorted());
      for (const reader of readers) await this.#same(async (engine) => (await engine.checkpoint(log, reader)).position);
      for (const key of keys) await this.#same((engine) => engine.receipt(log, key));
      for (const stream of streams) await this.#same((engine) => engine.revision(log, stream));
      await this.#same(async (engine) => (await readOn(engine, log, { limit: 100 })).map(withoutTime));
      const times = (await readOn(this.#engine, log, { limit: 100 })).map(({ at }) => at);
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
      );
    }
  }

  async #revisions(log: string): Promise<ReadonlyMap<string, number>> {
    const revisions = new Map<string, number>();
    for (const stream of streams) revisions.set(stream, await this.#model.revision(log, stream));
    return revisions;
  }

  async #both(ask: (engine: Engine) => Promise<unknown>): Promise<void> {
    await Promise.all([ask(this.#engine), ask(this.#model)]);
  }

  /** Asks both the same; where one throws the other has to throw as well. */
  async #same(ask: (engine: Engine) => Promise<unknown>): Promise<void> {
    const [said, expected] = await Promise.all([answer(ask(this.#engine)), answer(ask(this.#model))]);
    assert.deepEqual(said, expected, String(ask));
  }

  #one<T>(of: readonly T[]): T {
    return of[this.#choices.below(of.length)] as T; // below the length
  }
}

async function answer(promise: Promise<unknown>): Promise<unknown> {
  try {
    return { said: await promise };
  } catch (error) {
    if (error instanceof TypeError) return "refused";
    throw error;
  }
}

/** The clocks differ, and how something is said is nobody's promise. */
function toComparable(outcome: Outcome | undefined): unknown {
  if (!outcome) return undefined;
  if (outcome.ok) return "again" in outcome ? outcome : { ...outcome, at: 0, revisions: { ...outcome.revisions } };
  return outcome.why === "refused" ? { ...outcome, message: "" } : outcome;
}

const withoutTime = ({ id, stream, revision, position, type, version, data, meta }: StoredEvent): unknown => [
  [id, stream, revision, position],
  [type, version, data, meta],
];
