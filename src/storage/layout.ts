import { toColumns } from "./columns.ts";
import type { Collection, Column, Engine, Write } from "./engine.ts";
import { Halt } from "./halt.ts";
import type { PartitionPlace } from "./partition.ts";
import { toPartition } from "./stable-hash.ts";

/** How a subscription is divided, keyed by log and reader. `owner` is the process that has all of it to itself, until when. */
export const layoutRows: Collection = {
  name: "subscription-layout",
  columns: toColumns({
    owner: "text",
    until: "number",
    generation: "number",
    partitions: "number",
    epoch: "number",
    start: "number",
    before: "text",
  }),
  indexes: [],
};

/** How a subscription is divided. Each division is a generation with checkpoints of its own. */
export interface Layout {
  readonly generation: number;
  readonly partitions: number;
  /** The log's, when the generation began. */
  readonly epoch: number;
  /** Where all of its partitions begin: after this position. */
  readonly start: number;
  /** How far the partitions of earlier generations had come beyond `start`: what they handed over is not handed over again. */
  readonly before: readonly { readonly partitions: number; readonly positions: readonly number[] }[];
}
interface LayoutRow extends Omit<Layout, "before"> {
  readonly before: string;
  readonly owner: string | null;
  readonly until: number;
}

/** Whether an earlier generation has handed an event over. */
export const isDelivered = ({ before }: Layout, stream: string, position: number): boolean =>
  before.some(({ partitions, positions }) => position <= (positions[toPartition(stream, partitions)] ?? 0));

/** What the log says in an epoch that a subscription was not told of. */
export const toEpochHalt = (reader: string, log: string, read: number, present: number): Halt =>
  new Halt(
    `"${reader}" has read epoch ${read} of the log "${log}", which is in epoch ${present} now: it was restored, or failed over to a replica that lagged. Restart it from where its receivers can go on.`,
  );

export interface LayoutPorts {
  readonly engine: Engine;
  readonly log: string;
  /** Writes documents that belong to no event. */
  readonly write: (documents: readonly Write[]) => Promise<void>;
}

/** What a subscription's rows go by: two logs of one engine may have subscriptions of the same name. */
export const toRowKey = (log: string, reader: string): string => `${log}/${reader}`;

/** How one subscription is divided, on disk. */
export class Layouts {
  readonly #reader: string;
  readonly #key: string;
  readonly #ports: LayoutPorts;
  constructor(reader: string, ports: LayoutPorts) {
    this.#reader = reader;
    this.#key = toRowKey(ports.log, reader);
    this.#ports = ports;
  }

  async find(): Promise<Layout | undefined> {
    const [found] = await this.#ports.engine.find(layoutRows.name, { key: this.#key, limit: 1 });
    return found && toLayout(found.data as LayoutRow); // only this file writes it
  }

  /** As it is, or made as it is declared. */
  async load(partitions: number, from: "beginning" | "now"): Promise<Layout> {
    const found = await this.find();
    if (found) return found;
    const { engine, log, write } = this.#ports;
    const [head, earlier] = await Promise.all([engine.head(log), engine.checkpoint(log, this.#reader)]);
    // A subscription was one partition, whose checkpoint had its name, before it could have more.
    const begun = earlier.position > 0 ? { partitions: 1, start: 0, epoch: earlier.epoch } : undefined;
    const fresh = { partitions, start: from === "now" ? head.position : 0, epoch: head.epoch };
    const initial = { owner: null, until: 0, generation: 1, before: "[]", ...(begun ?? fresh) } satisfies LayoutRow;
    await write([{ collection: layoutRows.name, increment: this.#key, by: { starts: 1 }, initial }]); // who is second changes nothing
    return (await this.find()) ?? toLayout(initial);
  }

  /** What the checkpoint of a partition is called. */
  checkpointOf({ generation, partitions }: Layout, partition: number): string {
    return generation === 1 && partitions === 1 ? this.#reader : `${this.#reader}#${generation}.${partition}`;
  }

  async place(layout: Layout, partition: number): Promise<PartitionPlace> {
    const { engine, log } = this.#ports;
    const kept = await engine.checkpoint(log, this.checkpointOf(layout, partition));
    const checkpoint = kept.position > 0 ? kept : { epoch: layout.epoch, position: 0 };
    return { checkpoint, position: Math.max(kept.position, layout.start) };
  }

  /** Divides it anew, without handing anything over twice. Whoever calls holds all of its partitions, and hands over nothing. */
  async divide(layout: Layout, partitions: number): Promise<void> {
    const { engine, log } = this.#ports;
    const indexes = Array.from({ length: layout.partitions }, (_, index) => index);
    const places = await Promise.all(indexes.map((index) => this.place(layout, index)));
    const { epoch } = await engine.head(log);
    const other = places.find(({ checkpoint }) => checkpoint.epoch !== epoch);
    if (other) throw toEpochHalt(this.#reader, log, other.checkpoint.epoch, epoch);
    const positions = places.map(({ position }) => position);
    const start = Math.min(...positions);
    const before = [...layout.before, { partitions: layout.partitions, positions }].filter((one) =>
      one.positions.some((position) => position > start),
    );
    await this.#follow(layout, { partitions, epoch, start, before });
  }

  /** Forgets how far it has come. Whoever calls holds all of its partitions, and hands over nothing. */
  async restart(layout: Layout, after: number): Promise<void> {
    const { epoch } = await this.#ports.engine.head(this.#ports.log);
    await this.#follow(layout, { partitions: layout.partitions, epoch, start: after, before: [] });
  }

  async #follow(layout: Layout, next: Omit<Layout, "generation">): Promise<void> {
    const { engine, log } = this.#ports;
    const { generation } = layout;
    const set: { readonly [column: string]: Column } = {
      ...next,
      generation: generation + 1,
      before: JSON.stringify(next.before),
    };
    const where = { generation: { equals: generation } };
    if ((await engine.claim(layoutRows.name, { key: this.#key, where, limit: 1 }, set)).length === 0)
      throw new Halt(
        `"${this.#reader}" was divided by another process at the same time. Look how it is, and try again.`,
      );
    // From here on whoever still hands over the old partitions moves nothing: their checkpoints are gone.
    for (let partition = 0; partition < layout.partitions; partition++)
      await engine.drop({ reader: { log, name: this.checkpointOf(layout, partition) } });
  }
}

const toLayout = ({ generation, partitions, epoch, start, before }: LayoutRow): Layout => ({
  generation,
  partitions,
  epoch,
  start,
  before: JSON.parse(before) as Layout["before"], // as #follow wrote it
});
