import { type Clock, toCanonicalJson } from "../contracts/index.ts";
import type { Collection, Engine, StoredEvent } from "./engine.ts";
import type { AnyEntity } from "./entity.ts";
import type { Folded } from "./folds.ts";
import { freeze } from "./freeze.ts";
import { Generations } from "./generations.ts";
import { checkJson } from "./json.ts";
import type { Log } from "./log.ts";
import { parse } from "./parse.ts";

/** Keyed by stream. A snapshot is a copy of what the events say: all of them may be dropped at any time. */
const collection: Collection = { name: "snapshot", columns: [], indexes: [] };

interface Snapshot {
  readonly revision: number;
  /** The id of the event of that revision: the proof that this stream has gone through this state. */
  readonly event: string;
  readonly fingerprint: string;
  /** The written side of the state. */
  readonly state: unknown;
}

/** How many may be on their way to the disk; beyond that one is left out, and taken after the next look. */
const mostUnderWay = 64;

/** Of an entity the first snapshot that is loaded is folded anew, and then one of so many. */
const checkedOneOf = 100;
/** Not while everything is loaded for the first time, in ms. */
const checkAfterMs = 5_000;
/** Of longer streams a check would cost more than it is worth. */
const longestChecked = 20_000;

/**
 * States that are kept beside the log, written behind its appends: they cost no command anything, and one that is lost
 * costs some folding. What was kept by other code, or for events that are not there, is passed over.
 */
export class Snapshots {
  readonly #engine: Engine;
  readonly #log: Log;
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #refused = new Map<string, string>();
  /** The revision of each stream's snapshot, as far as this process knows. */
  readonly #kept = new Generations<number>(20_000);
  readonly #clock: Clock;
  readonly #report: (sentence: string) => void;
  /** How many were loaded, by entity. */
  readonly #loaded = new Map<string, number>();
  readonly #distrusted = new Set<string>();
  #endWait: (() => void) | undefined;
  #checking: Promise<void> | undefined;
  #closed = false;
  constructor(engine: Engine, log: Log, clock: Clock, report: (sentence: string) => void) {
    this.#engine = engine;
    this.#log = log;
    this.#clock = clock;
    this.#report = report;
  }

  define(): Promise<void> {
    return this.#engine.define(collection);
  }

  /** The last snapshot of a stream, with the event that it stands after. */
  async load(
    entity: AnyEntity,
    stream: string,
  ): Promise<{ readonly folded: Folded; readonly after: StoredEvent } | undefined> {
    if (!entity.snapshots || this.#distrusted.has(entity.name)) return undefined;
    this.#kept.delete(stream); // what this process knows of it may be of an epoch that is over
    const [document] = await this.#engine.find(collection.name, { key: stream, limit: 1 });
    const snapshot = document?.data as Snapshot | undefined; // only this file writes the collection
    if (snapshot?.fingerprint !== entity.snapshots.fingerprint) return undefined;
    const { revision, state: written } = snapshot;
    const [after] = await this.#engine.read(this.#log.name, { stream, from: revision, limit: 1 });
    if (after?.id !== snapshot.event || after.revision !== revision) return undefined;
    try {
      const state = await parse(entity.state, written, () => `The snapshot of ${stream} does not fit`);
      this.#kept.set(stream, revision);
      return { folded: { revision, event: after.id, state: freeze(state), written: freeze(written) }, after };
    } catch {
      return undefined; // a refinement that the schema's JSON does not show; the events know better
    }
  }

  /** Keeps a state, if it is time to. Does not wait, and does not fail. */
  offer(entity: AnyEntity, stream: string, { revision, event, written }: Folded): void {
    if (!entity.snapshots || event === undefined || this.#underWay.has(stream)) return;
    if (this.#distrusted.has(entity.name)) return;
    if (revision - (this.#kept.get(stream) ?? -1) < entity.snapshots.every || this.#underWay.size >= mostUnderWay)
      return;
    const refusal = whyNot(written, `A snapshot of ${stream}`);
    if (refusal !== undefined) {
      this.#refused.set(entity.name, refusal);
      return;
    }
    const snapshot = { revision, event, fingerprint: entity.snapshots.fingerprint, state: written };
    const writing = this.#log
      .append({ events: [], documents: [{ collection: collection.name, put: stream, data: snapshot }] })
      .then(
        ({ ok }) => void (ok && this.#kept.set(stream, revision)),
        () => {}, // the next look offers it again; an engine that fails says so to those who asked for something
      )
      .finally(() => this.#underWay.delete(stream));
    this.#underWay.set(stream, writing);
  }

  /**
   * Has a snapshot that was loaded folded anew, if it is time to: later, one at a time, and nobody waits for it. What
   * `evolve` calls may have changed without a word. Where the states differ no snapshot of the entity is used any more;
   * `differs` is told, for states may be remembered that rest on one.
   */
  check(
    entity: AnyEntity,
    stream: string,
    snapshot: Folded,
    fold: (goesOn: () => boolean) => Promise<Folded | undefined>,
    differs: () => void,
  ): void {
    const loaded = (this.#loaded.get(entity.name) ?? 0) + 1;
    this.#loaded.set(entity.name, loaded);
    const isDue = loaded % checkedOneOf === 1 && snapshot.revision < longestChecked;
    if (!isDue || this.#endWait || this.#checking || this.#closed) return;
    const run = async (): Promise<void> => {
      const folded = await fold(() => !this.#closed);
      if (!folded || isSame(folded.written, snapshot.written)) return;
      const sentence = `The snapshot of ${stream} after its event ${snapshot.revision} is not what its events come to: something that "evolve" of the entity "${entity.name}" calls has changed. No snapshot of "${entity.name}" is used here any more; raise its evolveVersion.`;
      this.#distrusted.add(entity.name);
      this.#refused.set(entity.name, sentence);
      this.#report(sentence);
      differs();
    };
    this.#endWait = this.#clock.after(checkAfterMs, () => {
      this.#endWait = undefined;
      this.#checking = run()
        .catch(() => {}) // whoever asks for the state is told
        .finally(() => {
          this.#checking = undefined;
        });
    });
  }

  /** Why entities keep no snapshots, although they should. */
  get refused(): readonly string[] {
    return [...this.#refused.values()];
  }

  /** Lets what is under way come to rest. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#endWait?.();
    await this.#checking;
    await Promise.all(this.#underWay.values());
  }
}

/** As JSON, which is what a snapshot is kept as. */
const isSame = (one: unknown, other: unknown): boolean => toCanonicalJson(one) === toCanonicalJson(other);

/** A schema may promise JSON and `evolve` still give a NaN, which would come back as another state. */
function whyNot(written: unknown, what: string): string | undefined {
  try {
    checkJson(written, what);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
