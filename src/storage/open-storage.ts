import { type Clock, type Duration, operationsOf, type Provider, toMs } from "../contracts/index.ts";
import { catchUp } from "./catch-up.ts";
import { type CommandPorts, toCommandProvider } from "./commands.ts";
import type { Engine, EngineStatus } from "./engine.ts";
import { EventCodec } from "./event-codec.ts";
import { Folds } from "./folds.ts";
import { Follower } from "./follower.ts";
import { type Chance, systemChance } from "./ids.ts";
import { KeptModel } from "./kept-model.ts";
import { Log } from "./log.ts";
import { type QueryPorts, toQueryProvider } from "./queries.ts";
import type { AnyRowReader } from "./read-model.ts";
import { toRowReader } from "./row-reader.ts";
import { Snapshots } from "./snapshots.ts";
import type { AnyStore } from "./store.ts";
import { Sweeper } from "./sweeper.ts";
import { Turns } from "./turns.ts";

export interface StoragePorts {
  readonly engine: Engine;
  readonly clock: Clock;
  /** For ids, and for pauses that do not meet. The system's unless told. */
  readonly chance?: Chance;
  /** The log that the stores share: "main" unless told. Nobody else writes to it. */
  readonly log?: string;
  /**
   * How long the receipt of a command is kept, and with it the promise that its key has one effect: 30 days unless told.
   * Longer than anybody tries again. What was voided stays so for good.
   */
  readonly receiptsFor?: Duration;
}
export interface Storage {
  /** One an operation of the stores' contracts. */
  readonly providers: readonly Provider[];
  readonly log: Log;
  status(): Promise<StorageStatus>;
  /** Lets what follows the log come to rest. The engine is the caller's, and stays open. */
  close(): Promise<void>;
}
export interface StorageStatus {
  readonly engine: EngineStatus;
  readonly readModels: readonly ReadModelStatus[];
  /** What somebody should look into: sentences. */
  readonly warnings: readonly string[];
}
export interface ReadModelStatus {
  readonly store: string;
  readonly name: string;
  readonly version: number;
  readonly kept: "inline" | "async";
  readonly position: number;
  /** How many positions of the log it has not looked at yet. */
  readonly behind: number;
  /** Why it does not follow the log any more, where that is so. */
  readonly stopped?: string;
}

/**
 * Opens the stores on an engine: checks that everything written can be read, builds what is new or behind, and gives the
 * operations. Throws a sentence where the code and the disk do not go together.
 */
export async function openStorage(stores: readonly AnyStore[], ports: StoragePorts): Promise<Storage> {
  const { engine, clock, chance = systemChance } = ports;
  checkNames(stores);
  const log = new Log(ports.log ?? "main", { engine, clock, chance });
  const codec = new EventCodec();
  for (const { contract } of stores) codec.own(contract);
  const models = stores.flatMap((store) =>
    Object.entries(store.parts).flatMap(([part, declared]) =>
      declared.kind === "read model" ? [{ store, part, kept: new KeptModel(store.id, declared) }] : [],
    ),
  );
  for (const event of models.flatMap(({ kept }) => kept.events)) codec.learn(event);
  codec.check(log.name, await engine.types(log.name));
  for (const { kept } of models) await engine.define(kept.collection);

  const lead = (kept: KeptModel): Promise<number> => catchUp(engine, log.name, codec, kept);
  const inline = models.map(({ kept }) => kept).filter(({ model }) => model.kept === "inline");
  for (const kept of inline) await lead(kept);
  const followers = new Map(
    models
      .filter(({ kept }) => kept.model.kept === "async")
      .map(({ kept }) => [kept, new Follower(() => lead(kept), clock)] as const),
  );
  const sweeper = new Sweeper(engine, log.name, clock);
  const appended = (): void => {
    sweeper.nudge();
    for (const follower of followers.values()) follower.wake();
  };
  appended();

  const readers = new Map<AnyStore, Map<string, AnyRowReader>>(stores.map((store) => [store, new Map()]));
  for (const { store, part, kept } of models) readers.get(store)?.set(part, toRowReader(engine, kept));
  const rows = (store: AnyStore, part: string): AnyRowReader => {
    const reader = readers.get(store)?.get(part);
    if (!reader) throw new Error(`The store of "${store.id}" has no read model "${part}".`);
    return reader;
  };
  const snapshots = new Snapshots(engine, log);
  if (stores.some(({ parts }) => Object.values(parts).some((part) => part.kind === "entity" && part.snapshots)))
    await snapshots.define();
  const folds = new Folds(engine, log.name, codec, snapshots);
  const all: CommandPorts & QueryPorts = {
    log,
    codec,
    folds,
    turns: new Turns(clock),
    inline,
    clock,
    chance,
    receiptsMs: toMs(ports.receiptsFor ?? "30 days"),
    appended,
    rows,
    behind: async (reader) => {
      const kept = inline.find((one) => one.reader === reader);
      if (kept) await lead(kept);
    },
  };
  return Object.freeze({
    log,
    providers: Object.freeze(stores.flatMap((store) => toProviders(store, all))),
    status: async () => {
      const status = await engine.status();
      const head = await engine.head(log.name);
      const readModels = models.map(async ({ store, kept }): Promise<ReadModelStatus> => {
        const { name, version, kept: how } = kept.model;
        const { position } = await engine.checkpoint(log.name, kept.reader);
        const stopped = followers.get(kept)?.stopped;
        const behind = Math.max(0, head.position - position);
        return {
          store: store.id,
          name,
          version,
          kept: how,
          position,
          behind,
          ...(stopped !== undefined && { stopped }),
        };
      });
      return { engine: status, readModels: await Promise.all(readModels), warnings: snapshots.refused };
    },
    close: async () => {
      await Promise.all([...followers.values()].map((follower) => follower.close()));
      await snapshots.close();
      await sweeper.close();
    },
  });
}

const toProviders = (store: AnyStore, ports: CommandPorts & QueryPorts): readonly Provider[] =>
  operationsOf(store.contract).map((operation) =>
    operation.kind === "query" ? toQueryProvider(store, operation, ports) : toCommandProvider(store, operation, ports),
  );

/** Streams and tables are found by these names, so two things of one name would be written into each other. */
function checkNames(stores: readonly AnyStore[]): void {
  const named = stores.flatMap((store) => [
    `store of "${store.id}"`,
    ...[...new Set(Object.values(store.parts))].map((part) =>
      part.kind === "entity" ? `entity "${part.name}"` : `read model "${part.name}" in the store of "${store.id}"`,
    ),
  ]);
  const twice = named.find((name, place) => named.indexOf(name) < place);
  if (twice) throw new TypeError(`There are two of the ${twice}. Give one of them another name.`);
}
