import type { Bulk, Bulks } from "../orchestration/host.ts";
import type { Append, Document, Engine, Outcome, Write } from "../storage/host.ts";
import { bulkRows } from "./run-collections.ts";

interface BulkPorts {
  readonly engine: Engine;
  readonly append: (append: Omit<Append, "id">) => Promise<Outcome>;
  /** Whether no other process has this engine: then a claim that stands is of one that is gone. */
  readonly alone: boolean;
}

const many = 1_000;

/** Orders in bulk, as documents beside the runs; who works on one has it for a time on the engine's clock. */
export function toBulks({ engine, append, alone }: BulkPorts): Bulks {
  const { name } = bulkRows;
  const patchOf = (id: string, data: Partial<Bulk>): Write => ({ collection: name, patch: id, data });
  return {
    async add(bulk) {
      await append({
        expect: [],
        events: [],
        documents: [{ collection: name, put: bulk.id, data: { ...bulk, node: null, until: 0 } }],
      });
    },
    async find(id) {
      const [row] = await engine.find(name, { key: id, limit: 1 });
      return row && toBulk(row);
    },
    async list(limit) {
      const orderBy = { column: "at", descending: true };
      return (await engine.find(name, { orderBy, limit })).map(toBulk);
    },
    async claim(node, forMs) {
      const now = await engine.time();
      const where = { state: { equals: "under way" }, ...(!alone && { until: { to: now } }) };
      const [row] = await engine.claim(name, { where, limit: 1 }, { node, until: now + forMs });
      return row && toBulk(row);
    },
    async free(node) {
      const where = { state: { equals: "under way" }, node: { equals: node } };
      await engine.claim(name, { where, limit: many }, { node: null, until: 0 });
    },
    async advance({ id, state, endedAt, found, taken, refusals, after }, node, forMs) {
      const until = (await engine.time()) + forMs;
      const own = { key: id, where: { node: { equals: node } }, limit: 1 };
      const come = { state, endedAt, found, taken, after, until };
      // A claim sets columns only. These are for people: written before it, they are there when it is done.
      if (refusals) await append({ expect: [], events: [], documents: [patchOf(id, { refusals })] });
      return (await engine.claim(name, own, come)).length > 0;
    },
  };
}

function toBulk({ data }: Document): Bulk {
  const { node: _node, until: _until, ...bulk } = data as Bulk & { readonly node: unknown; readonly until: unknown }; // only this file writes them
  return bulk;
}
