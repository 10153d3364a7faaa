import { type Clock, type Duration, type EventNames, operationsOf, type Provider, toMs } from "../contracts/index.ts";
import { type CommandPorts, toCommandProvider } from "./commands.ts";
import { Couriers } from "./couriers.ts";
import { Declarations, type Declared } from "./declarations.ts";
import { type Emit, toEmit } from "./emit.ts";
import type { Engine, EngineStatus, Write } from "./engine.ts";
import { EventCodec } from "./event-codec.ts";
import { eventsIn, type LogReader } from "./event-log.ts";
import { EventVersions, type HeldEvent } from "./event-versions.ts";
import { Folds } from "./folds.ts";
import { type Chance, systemChance } from "./ids.ts";
import { Log } from "./log.ts";
import { toLogReader } from "./log-reader.ts";
import { Models, type ReadModelStatus } from "./models.ts";
import { type Operating, toOperating } from "./operating.ts";
import { Parking } from "./parking.ts";
import { type QueryPorts, toQueryProvider } from "./queries.ts";
import { Snapshots } from "./snapshots.ts";
import type { AnyStore } from "./store.ts";
import type { Subscription } from "./subscription.ts";
import type { SubscriptionStatus } from "./subscription-status.ts";
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
  /** What this process is called for those who wait for it, where others can share the log: its host and number, say. */
  readonly process?: string;
  /** For how long it counts as running when it was killed, so that others wait for it: 30 seconds unless told. */
  readonly lease?: Duration;
  /** Told what an operator should read, in sentences: how a read model comes along that is built at the start, why a reader stops. */
  readonly report?: (sentence: string) => void;
}
export interface Storage extends Operating {
  /** One an operation of the stores' contracts. */
  readonly providers: readonly Provider[];
  readonly log: Log;
  /** Reads events of the log, for code that is no store: as the present version of their contracts reads them. */
  reading<E extends { readonly [name: string]: unknown }>(events: E): LogReader<{ [K in EventNames<E>]: E[K] }>;
  /** Writes an event that no store decides on, once for each key; durable, with its rows, when it resolves. */
  readonly emit: Emit;
  status(): Promise<StorageStatus>;
  /** Hands no more events over to subscriptions, for good. Who takes them may go away afterwards. */
  endSubscriptions(): Promise<void>;
  /** Lets what follows the log come to rest. The engine is the caller's, and stays open. */
  close(): Promise<void>;
}
export interface StorageStatus {
  readonly engine: EngineStatus;
  readonly readModels: readonly ReadModelStatus[];
  readonly subscriptions: readonly SubscriptionStatus[];
  /** The events that are not written as this code declares them, while others run who could not read that. */
  readonly held: readonly HeldEvent[];
  /** What somebody should look into: sentences. */
  readonly warnings: readonly string[];
}

/**
 * Opens stores, and subscriptions beside them, on an engine: checks that everything written can be read, builds what is new or behind, and gives the
 * operations. Throws a sentence where the code and the disk do not go together.
 */
export async function openStorage(parts: readonly (AnyStore | Subscription)[], ports: StoragePorts): Promise<Storage> {
  const { engine, clock, chance = systemChance, report = () => {} } = ports;
  const stores = parts.filter((part) => part.kind === "store");
  const beside = parts.filter((part) => part.kind === "subscription");
  checkNames(stores);
  const log = new Log(ports.log ?? "main", { engine, clock, chance });
  const codec = new EventCodec();
  for (const { contract } of stores) codec.own(contract);
  const { exclusive } = await engine.status();
  const parking = new Parking(engine);
  const models = new Models(stores, { engine, log, codec, clock, parking, exclusive, report });
  const node = log.nextId();
  const write = async (documents: readonly Write[]): Promise<void> => {
    const outcome = await log.append({ events: [], documents });
    if (!outcome.ok) throw new Error(`Documents of a reader were not written: ${outcome.why}.`);
  };
  let declaredSize = 0;
  const declared = (): Declared => {
    declaredSize = codec.size;
    return {
      readers: models.readers,
      events: Object.fromEntries(codec.known.map(({ type, version }) => [type, version])),
      contracts: codec.owned,
    };
  };
  const shared = { engine, log: log.name, clock, node, alone: exclusive, write };
  const declarations = new Declarations(declared, {
    ...shared,
    process: ports.process ?? `a process ${node}`,
    leaseMs: toMs(ports.lease ?? "30s"),
  });
  const versions = new EventVersions({ ...shared, codec, declarations, report });
  const couriers = new Couriers(stores, beside, {
    engine,
    log: log.name,
    codec,
    clock,
    parking,
    exclusive,
    node,
    write,
    report,
  });
  for (const { parts } of stores)
    for (const part of Object.values(parts))
      if (part.kind === "event log") for (const [, event] of eventsIn(part.events)) codec.learn(event);
  const stored = await engine.types(log.name);
  codec.check(log.name, stored);
  const snapshots = new Snapshots(engine, log, clock, report);
  const sweeper = new Sweeper(engine, log.name, clock);
  const close = async (): Promise<void> => {
    await couriers.close();
    await models.close();
    await declarations.close();
    await snapshots.close();
    await sweeper.close();
  };
  try {
    await parking.define();
    await snapshots.define();
    await couriers.define();
    await declarations.start(() => versions.checkAgain());
    await versions.start(stored);
    await models.start();
    couriers.start();
  } catch (error) {
    await close();
    throw error;
  }
  const all: CommandPorts & QueryPorts = {
    log,
    codec,
    versions,
    folds: new Folds(engine, log.name, codec, snapshots, exclusive),
    turns: new Turns(clock),
    inline: () => models.inline(),
    clock,
    chance,
    receiptsMs: toMs(ports.receiptsFor ?? "30 days"),
    appended: () => sweeper.nudge(),
    rows: (store, part) => models.rows(store, part),
    reading: (events) => toLogReader(events, { engine, log, codec }),
    behind: (reader, position) => models.behind(reader, position),
    carried: (readers) => models.carried(readers),
  };
  return Object.freeze({
    log,
    reading: ((events) => {
      const reader = all.reading(events);
      if (codec.size > declaredSize) declarations.again(); // so that others wait for what it reads
      return reader;
    }) as Storage["reading"], // its events have the types of what is declared
    emit: toEmit(all),
    providers: Object.freeze(stores.flatMap((store) => toProviders(store, all))),
    ...toOperating({ engine, log: log.name, models, couriers, parking, declarations }),
    status: async () => {
      const status = await engine.status();
      const head = await engine.head(log.name);
      const [readModels, subscriptions, held] = await Promise.all([
        models.status(head),
        couriers.status(head),
        versions.held(),
      ]);
      return { engine: status, readModels, subscriptions, held, warnings: snapshots.refused };
    },
    endSubscriptions: () => couriers.close(),
    close,
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
      part.kind === "entity" ? `entity "${part.name}"` : `${part.kind} "${part.name}" in the store of "${store.id}"`,
    ),
  ]);
  const twice = named.find((name, place) => named.indexOf(name) < place);
  if (twice) throw new TypeError(`There are two of the ${twice}. Give one of them another name.`);
}
