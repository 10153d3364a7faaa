import type { Courier } from "./courier.ts";
import type { Couriers } from "./couriers.ts";
import type { Declarations } from "./declarations.ts";
import type { Engine } from "./engine.ts";
import type { Follower } from "./follower.ts";
import type { Models } from "./models.ts";
import type { Parked, Parking } from "./parking.ts";

/** What an operator may do. A reader, which is a read model or a subscription, is called as the status calls it. */
export interface Operating {
  /** The events that a reader could not take and went on without, with the reasons; up to 1,000. */
  parked(reader: string): Promise<readonly Parked[]>;
  /** Lets a reader go on that has stopped, and try its parked events again. Says how many it took, and how many stay parked. */
  resume(reader: string): Promise<{ readonly done: number; readonly parked: number }>;
  /** Lets a parked event go. */
  dismiss(reader: string, position: number): Promise<void>;
  /** Empties a read model and builds it anew, from the log as it is. */
  rebuild(reader: string): Promise<void>;
  /** Lets a subscription begin after a position, whatever it was handed before. */
  restart(reader: string, after: number): Promise<void>;
  /** The read models on disk that this code does not declare: of earlier versions, or of later ones. */
  retired(): Promise<readonly string[]>;
  /** Drops one of them. Refused while a process runs whose code declares it; one that was killed counts half a minute longer. */
  drop(reader: string): Promise<void>;
}

export function toOperating(around: {
  readonly engine: Engine;
  readonly log: string;
  readonly models: Models;
  readonly couriers: Couriers;
  readonly parking: Parking;
  readonly declarations: Declarations;
}): Operating {
  const { engine, log, models, couriers, parking, declarations } = around;
  const unknown = (what: string, reader: string, readers: readonly string[]): TypeError =>
    new TypeError(`There is no ${what} "${reader}". There are: ${readers.join(", ") || "none"}.`);
  const toFollower = (reader: string): Follower => {
    const found = models.follower(reader);
    if (!found) throw unknown("read model", reader, models.readers);
    return found;
  };
  const toCourier = (reader: string): Courier => {
    const found = couriers.courier(reader);
    if (!found) throw unknown("subscription", reader, couriers.readers);
    return found;
  };
  const check = (reader: string): void => {
    if (!models.follower(reader) && !couriers.courier(reader))
      throw unknown("reader", reader, [...models.readers, ...couriers.readers]);
  };
  const retired = async (): Promise<readonly string[]> =>
    (await engine.collections()).filter((name) => isReadModel.test(name) && !models.follower(name));
  return {
    parked: async (reader) => {
      check(reader);
      return parking.of(reader, 1_000);
    },
    resume: async (reader) => {
      check(reader);
      const follower = models.follower(reader);
      return follower ? follower.between(() => follower.reader.resume()) : toCourier(reader).resume();
    },
    dismiss: async (reader, position) => {
      check(reader);
      const follower = models.follower(reader);
      if (follower) await follower.between(() => follower.reader.dismiss(position));
      else await toCourier(reader).dismiss(position);
    },
    rebuild: async (reader) => {
      const follower = toFollower(reader);
      await follower.between(() => follower.reader.rebuild());
    },
    restart: async (reader, after) => toCourier(reader).restart(after),
    retired,
    drop: async (reader) => {
      if (models.follower(reader))
        throw new TypeError(`"${reader}" is what this code reads. Only what it does not declare can be dropped.`);
      if (!(await retired()).includes(reader)) throw unknown("retired read model", reader, await retired());
      const nodes = await declarations.count(reader);
      if (nodes > 0)
        throw new TypeError(
          `"${reader}" is read by ${nodes === 1 ? "another process that is" : `${nodes} other processes that are`} running, or ended within the last half minute. Drop it once nobody's code declares it any more.`,
        );
      await engine.drop({ collection: reader, reader: { log, name: reader } });
    },
  };
}

/** `store.name@version`, as read models call their tables. */
const isReadModel = /^[^.]+\..+@\d+$/;
