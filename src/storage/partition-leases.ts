import { toColumns } from "./columns.ts";
import type { Collection, Engine } from "./engine.ts";
import { toFairShare } from "./fair-share.ts";
import { type Layout, type LayoutPorts, layoutRows, toRowKey } from "./layout.ts";

/** Who hands over a partition, and until when. Keyed by log, reader, generation and partition. */
const partitionRows: Collection = {
  name: "subscription-partition",
  columns: toColumns({ reader: "text", generation: "number", owner: "text", until: "number" }),
  indexes: [["reader", "generation"]],
};
/** The processes that share a subscription, and into how many partitions their code divides it. Keyed by log, reader and node. */
const memberRows: Collection = {
  name: "subscription-member",
  columns: toColumns({ reader: "text", until: "number" }),
  indexes: [["reader"]],
};
interface PartitionRow {
  readonly partition: number;
  readonly owner: string | null;
  readonly until: number;
}
interface MemberRow {
  readonly node: string;
  readonly until: number;
  readonly wants: number;
}
const mostMembers = 1_000;

export async function defineLeases(engine: Engine): Promise<void> {
  for (const collection of [layoutRows, partitionRows, memberRows]) await engine.define(collection);
}

/** Who hands over what of a subscription, as it is on disk. */
export async function ownersOf(
  engine: Engine,
  log: string,
  reader: string,
  layout: Layout,
): Promise<readonly (string | null)[]> {
  const [rows, now] = await Promise.all([partitionsOf(engine, toRowKey(log, reader), layout), engine.time()]);
  return rows.map(({ owner, until }) => (until > now ? owner : null));
}

/** What a process sees when it has said that it is still there. */
export interface Sight {
  /** The partitions that it has the lease of. */
  readonly held: readonly number[];
  /** How many it should have. */
  readonly share: number;
  /** Whether nobody else may take any. */
  readonly sole: boolean;
  /** The number of partitions that it should see to, for all who share it agree and it is the first of them. */
  readonly divideBy: number | undefined;
  /** Whether the subscription is divided in another way by now. */
  readonly stale: boolean;
}

/**
 * A process's part in sharing a subscription, on the engine's clock. A courtesy and not a fence, for a process may be
 * stopped in the middle of anything: what keeps two apart for certain is the checkpoint, which only one of them can move.
 */
export class PartitionLeases {
  readonly #key: string;
  readonly #layout: Layout;
  readonly #node: string;
  readonly #wants: number;
  readonly #leaseMs: number;
  readonly #ports: LayoutPorts & { readonly alone: boolean };
  constructor(
    reader: string,
    layout: Layout,
    /** This process, and how it would divide. */
    self: { readonly node: string; readonly wants: number; readonly leaseMs: number },
    /** Where only this process can write, all of it is its own, and nothing is kept. */
    ports: LayoutPorts & { readonly alone: boolean },
  ) {
    this.#key = toRowKey(ports.log, reader);
    this.#layout = layout;
    this.#node = self.node;
    this.#wants = self.wants;
    this.#leaseMs = self.leaseMs;
    this.#ports = ports;
  }

  /** Renews what it has, and looks around. With `all` it asks to have the subscription to itself. */
  async look(all: boolean): Promise<Sight> {
    const { partitions } = this.#layout;
    if (this.#ports.alone) {
      const held = Array.from({ length: partitions }, (_, index) => index);
      const divideBy = this.#wants === partitions ? undefined : this.#wants;
      return { held, share: partitions, sole: true, divideBy, stale: false };
    }
    const { engine } = this.#ports;
    const now = await engine.time();
    const until = now + this.#leaseMs;
    const sole = await this.#reserve(all, now, until);
    const [layout] = await engine.find(layoutRows.name, { key: this.#key, limit: 1 });
    const row = layout?.data as { generation: number; owner: string | null; until: number }; // layout.ts made it
    if (row.generation !== this.#layout.generation)
      return { held: [], share: 0, sole, divideBy: undefined, stale: true };
    const isReserved = !sole && row.owner !== null && row.until > now;
    await this.#enter(until);
    await engine.claim(
      partitionRows.name,
      { where: { ...this.#ofLayout, ...this.#own }, limit: partitions },
      { until },
    );
    const [members, rows] = await Promise.all([this.#members(now), this.#partitions()]);
    const owners = rows.map(({ owner, until }) => (until > now ? owner : null));
    const nodes = members.map(({ node }) => node);
    const agree = members.every(({ wants }) => wants === this.#wants) && this.#wants !== partitions;
    return {
      held: rows.filter(({ owner }) => owner === this.#node).map(({ partition }) => partition),
      share: sole ? partitions : isReserved ? 0 : toFairShare(this.#node, nodes, owners),
      sole,
      divideBy: agree && nodes.every((node) => this.#node <= node) ? this.#wants : undefined,
      stale: false,
    };
  }

  /** Takes up to so many that nobody holds. */
  async take(count: number): Promise<readonly number[]> {
    const { engine } = this.#ports;
    const now = await engine.time();
    const where = { ...this.#ofLayout, until: { to: now } };
    const set = { owner: this.#node, until: now + this.#leaseMs };
    const taken = await engine.claim(partitionRows.name, { where, limit: count }, set);
    return taken.map(({ data }) => (data as PartitionRow).partition); // only this file writes it
  }

  async free(partition: number): Promise<void> {
    const key = keyOf(this.#key, this.#layout.generation, partition);
    await this.#ports.engine.claim(partitionRows.name, { key, where: this.#own, limit: 1 }, free);
  }

  /** Leaves everything to the others. */
  async leave(): Promise<void> {
    if (this.#ports.alone) return;
    const { engine, write } = this.#ports;
    const limit = this.#layout.partitions;
    await engine.claim(partitionRows.name, { where: { ...this.#ofLayout, ...this.#own }, limit }, free);
    await engine.claim(layoutRows.name, { key: this.#key, where: this.#own, limit: 1 }, free);
    await write([{ collection: memberRows.name, remove: this.#memberKey }]);
  }

  /** Forgets about its division, after which there is another. */
  async forget(): Promise<void> {
    if (this.#ports.alone) return;
    const rows = await partitionsOf(this.#ports.engine, this.#key, this.#layout);
    const { generation } = this.#layout;
    await this.#ports.write(
      rows.map(({ partition }) => ({
        collection: partitionRows.name,
        remove: keyOf(this.#key, generation, partition),
      })),
    );
  }

  get #own(): { readonly owner: { readonly equals: string } } {
    return { owner: { equals: this.#node } } as const;
  }
  get #ofLayout() {
    return { reader: { equals: this.#key }, generation: { equals: this.#layout.generation } } as const;
  }
  get #memberKey(): string {
    return `${this.#key}/${this.#node}`;
  }

  async #enter(until: number): Promise<void> {
    const { engine, write } = this.#ports;
    const renewed = await engine.claim(memberRows.name, { key: this.#memberKey, limit: 1 }, { until });
    if (renewed.length > 0) return;
    const data = { reader: this.#key, node: this.#node, until, wants: this.#wants };
    await write([{ collection: memberRows.name, put: this.#memberKey, data }]);
  }

  async #reserve(all: boolean, now: number, until: number): Promise<boolean> {
    const { engine } = this.#ports;
    const set = all ? { owner: this.#node, until } : free;
    const mine = await engine.claim(layoutRows.name, { key: this.#key, where: this.#own, limit: 1 }, set);
    if (mine.length > 0 || !all) return all;
    const where = { until: { to: now } };
    return (await engine.claim(layoutRows.name, { key: this.#key, where, limit: 1 }, set)).length > 0;
  }

  /** Those who are there; who is not is struck off. */
  async #members(now: number): Promise<readonly MemberRow[]> {
    const { engine, write } = this.#ports;
    const where = { reader: { equals: this.#key } };
    const found = await engine.find(memberRows.name, { where, limit: mostMembers });
    const members = found.map(({ key, data }) => ({ key, ...(data as MemberRow) })); // only this file writes it
    const gone = members.filter(({ until }) => until <= now);
    if (gone.length > 0) await write(gone.map(({ key }) => ({ collection: memberRows.name, remove: key })));
    return members.filter(({ until }) => until > now);
  }

  /** The rows of all partitions, which whoever comes first makes. */
  async #partitions(): Promise<readonly PartitionRow[]> {
    const { engine, write } = this.#ports;
    const { partitions, generation } = this.#layout;
    const rows = await partitionsOf(engine, this.#key, this.#layout);
    if (rows.length === partitions) return rows;
    const indexes = Array.from({ length: partitions }, (_, partition) => partition);
    const missing = indexes.filter((index) => rows.every(({ partition }) => partition !== index));
    const row = { reader: this.#key, generation, owner: null, until: 0 };
    await write(
      missing.map((partition) => ({
        collection: partitionRows.name,
        increment: keyOf(this.#key, generation, partition), // and not put: another process may have it by now
        by: { starts: 1 },
        initial: { ...row, partition },
      })),
    );
    return partitionsOf(engine, this.#key, this.#layout);
  }
}

const free = { owner: null, until: 0 } as const;
const keyOf = (reader: string, generation: number, partition: number): string => `${reader}#${generation}.${partition}`;

async function partitionsOf(engine: Engine, reader: string, layout: Layout): Promise<readonly PartitionRow[]> {
  const where = { reader: { equals: reader }, generation: { equals: layout.generation } };
  const found = await engine.find(partitionRows.name, { where, limit: layout.partitions });
  return found.map(({ data }) => data as PartitionRow).toSorted((a, b) => a.partition - b.partition); // as above
}
