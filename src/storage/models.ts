import type { Clock } from "../contracts/index.ts";
import type { Engine, Place } from "./engine.ts";
import type { EventCodec } from "./event-codec.ts";
import { Follower } from "./follower.ts";
import { KeptModel } from "./kept-model.ts";
import type { Log } from "./log.ts";
import { ModelReader } from "./model-reader.ts";
import type { Parking } from "./parking.ts";
import type { Progress } from "./progress.ts";
import type { AnyRowReader } from "./read-model.ts";
import { toRowReader } from "./row-reader.ts";
import type { AnyStore } from "./store.ts";

export interface ReadModelStatus {
  /** What it is called where something is to be done with it: `store.name@version`. */
  readonly reader: string;
  readonly store: string;
  readonly name: string;
  readonly version: number;
  readonly kept: "inline" | "async";
  readonly position: number;
  /** How many positions of the log it has not looked at yet. */
  readonly behind: number;
  /** Whether it has come to the log's end since this process began. */
  readonly ready: boolean;
  /** While it is behind. */
  readonly progress?: Progress;
  /** How many events it could not take, and went on without. */
  readonly parked: number;
  /** Why it does not follow the log any more, where that is so. */
  readonly stopped?: string;
}

interface Kept {
  readonly store: AnyStore;
  readonly part: string;
  readonly kept: KeptModel;
  readonly follower: Follower;
  readonly rows: AnyRowReader;
}
export interface ModelsPorts {
  readonly engine: Engine;
  readonly log: Log;
  readonly codec: EventCodec;
  readonly clock: Clock;
  readonly parking: Parking;
  /** Told in a sentence how a model that is built comes along, and why one stops. */
  readonly report: (sentence: string) => void;
}

/** How far behind a model may be for a command to wait for it, in ms. */
const patienceMs = 250;

/** The read models of a storage, each with what keeps it going. */
export class Models {
  readonly #ports: ModelsPorts;
  readonly #all: readonly Kept[];
  /** Those whose rows travel with the appends. */
  readonly #inline: readonly Kept[];
  constructor(stores: readonly AnyStore[], ports: ModelsPorts & { readonly exclusive: boolean }) {
    this.#ports = ports;
    const { engine, log, clock, report } = ports;
    this.#all = stores.flatMap((store) =>
      Object.entries(store.parts).flatMap(([part, declared]) => {
        if (declared.kind !== "read model") return [];
        const kept = new KeptModel(store.id, declared);
        const reader = new ModelReader(kept, { ...ports, log: log.name });
        // Where this process alone writes, what is kept inline has seen every append.
        const live = declared.kept === "async" || !ports.exclusive;
        const follower = new Follower(reader, { engine, log: log.name, clock, live, report });
        return [{ store, part, kept, follower, rows: toRowReader(engine, log, kept, follower) }];
      }),
    );
    this.#inline = this.#all.filter(({ kept }) => kept.model.kept === "inline");
    for (const { kept } of this.#all) for (const event of kept.events) ports.codec.learn(event);
  }

  /** Makes the tables, begins to follow, and waits until what is kept inline has caught up. */
  async start(): Promise<void> {
    for (const { kept } of this.#all) await this.#ports.engine.define(kept.collection);
    for (const { follower } of this.#all) follower.start();
    for (const { follower, kept } of this.#inline) await this.#untilArrived(follower, kept);
  }

  rows(store: AnyStore, part: string): AnyRowReader {
    const found = this.#all.find((one) => one.store === store && one.part === part);
    if (!found) throw new Error(`The store of "${store.id}" has no read model "${part}".`);
    return found.rows;
  }

  /** The models whose rows an append carries: those that have seen everything before it. */
  inline(): readonly KeptModel[] {
    return this.#inline.filter(({ follower }) => follower.arrived).map(({ kept }) => kept);
  }

  /** An append went without the rows of the others. Where this process alone writes, nobody else would tell them. */
  carried(readers: readonly string[]): void {
    for (const { kept, follower } of this.#inline) if (!readers.includes(kept.reader)) follower.fellBehind();
  }

  /** An append found a model behind. Gives it a moment to catch up; until it has, appends go without its rows. */
  async behind(reader: string, position?: number): Promise<void> {
    const { follower } = this.#inline.find(({ kept }) => kept.reader === reader) ?? {};
    if (!follower) return;
    follower.fellBehind();
    const to = position ?? (await this.#ports.engine.head(this.#ports.log.name)).position;
    await follower.reached(to, patienceMs).catch(() => {});
  }

  follower(reader: string): Follower | undefined {
    return this.#all.find(({ kept }) => kept.reader === reader)?.follower;
  }

  get readers(): readonly string[] {
    return this.#all.map(({ kept }) => kept.reader);
  }

  async status(head: Place): Promise<readonly ReadModelStatus[]> {
    return Promise.all(
      this.#all.map(async ({ store, kept, follower }): Promise<ReadModelStatus> => {
        const { name, version, kept: how } = kept.model;
        const checkpoint = await this.#ports.engine.checkpoint(this.#ports.log.name, kept.reader);
        const { stopped } = follower;
        const isPresent = checkpoint.epoch === head.epoch;
        const at = isPresent ? Math.max(checkpoint.position, follower.position) : 0;
        const progress = stopped === undefined ? follower.progress(at, head.position) : undefined;
        return {
          reader: kept.reader,
          store: store.id,
          name,
          version,
          kept: how,
          position: isPresent ? at : checkpoint.position,
          behind: Math.max(0, head.position - at),
          ready: follower.hasArrived,
          ...(progress && { progress }),
          parked: await follower.reader.parked(),
          ...(stopped !== undefined && { stopped }),
        };
      }),
    );
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map(({ follower }) => follower.close()));
  }

  async #untilArrived(follower: Follower, kept: KeptModel): Promise<void> {
    const { engine, log, report } = this.#ports;
    while (!follower.hasArrived && follower.stopped === undefined) {
      if (await hasCome(follower)) continue;
      if (follower.stopped !== undefined) break;
      const head = await engine.head(log.name);
      const { position } = await engine.checkpoint(log.name, kept.reader);
      const { done = 0, of = 0, perSecond = 0, secondsLeft } = follower.progress(position, head.position) ?? {};
      const left = secondsLeft === undefined ? "" : `, ${secondsLeft} s left`;
      report(`The read model "${kept.reader}" is being built: ${done} of ${of} events, ${perSecond} a second${left}.`);
    }
  }
}

const reportEveryMs = 5_000;

const hasCome = (follower: Follower): Promise<boolean> =>
  follower.come(reportEveryMs).then(
    () => true,
    () => false,
  );
