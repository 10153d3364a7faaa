import type { Engine, Place } from "./engine.ts";
import type { Layout, Layouts } from "./layout.ts";
import type { Parking } from "./parking.ts";
import { ownersOf } from "./partition-leases.ts";

export interface SubscriptionStatus {
  readonly reader: string;
  /** Whether this process hands some of its events over; others may. */
  readonly delivering: boolean;
  /** Up to where everything was handed over, or parked. */
  readonly position: number;
  readonly behind: number;
  /** Events that this process has read and is not done with. */
  readonly inHand: number;
  readonly parked: number;
  readonly partitions: readonly PartitionStatus[];
  /** What went wrong last, while it is tried again. */
  readonly trouble?: string;
  /** Why nothing is handed over any more by this process, where that is so. */
  readonly stopped?: string;
}
export interface PartitionStatus {
  readonly position: number;
  readonly behind: number;
  /** Whether this process hands it over. */
  readonly here: boolean;
  /** The process that hands it over; missing where nobody does. */
  readonly owner?: string;
}

/** What a process knows of itself: the positions by partition that it hands over. */
export interface OwnPart {
  readonly node: string;
  readonly positions: ReadonlyMap<number, number>;
  readonly inHand: number;
  readonly trouble: string | undefined;
  readonly stopped: string | undefined;
}

export async function toSubscriptionStatus(
  reader: string,
  head: Place,
  { node, positions, inHand, trouble, stopped }: OwnPart,
  ports: {
    readonly engine: Engine;
    readonly log: string;
    readonly layouts: Layouts;
    readonly parking: Parking;
    readonly alone: boolean;
  },
): Promise<SubscriptionStatus> {
  const { engine, log, layouts, parking, alone } = ports;
  const parked = parking.of(reader, 1_000);
  const layout = await layouts.find();
  const owners = layout && !alone ? await ownersOf(engine, log, reader, layout) : [];
  const indexes = Array.from({ length: layout?.partitions ?? 0 }, (_, index) => index);
  const partitions = await Promise.all(
    indexes.map(async (index): Promise<PartitionStatus> => {
      const own = positions.get(index);
      const position = own ?? (layout ? await positionOf(layouts, layout, index, head) : 0);
      const owner = own === undefined ? owners[index] : node;
      const behind = Math.max(0, head.position - position);
      return { position, behind, here: own !== undefined, ...(typeof owner === "string" && { owner }) };
    }),
  );
  const position = Math.min(...(partitions.length > 0 ? partitions.map((one) => one.position) : [0]));
  return {
    reader,
    delivering: positions.size > 0,
    position,
    behind: Math.max(0, head.position - position),
    inHand,
    parked: (await parked).length,
    partitions,
    ...(trouble !== undefined && { trouble }),
    ...(stopped !== undefined && { stopped }),
  };
}

async function positionOf(layouts: Layouts, layout: Layout, index: number, head: Place): Promise<number> {
  const { checkpoint, position } = await layouts.place(layout, index);
  return checkpoint.epoch === head.epoch ? position : 0;
}
