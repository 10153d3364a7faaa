import type { Bulk, Bulks } from "../orchestration/host.ts";
import type { Append, Document, Engine, Outcome } from "../storage/host.ts";
import { bulkRows } from "./run-collections.ts";

/** Orders in bulk, as documents beside the runs; who works on one has it for a time on the engine's clock. */
export function toBulks(engine: Engine, append: (append: Omit<Append, "id">) => Promise<Outcome>): Bulks {
  const { name } = bulkRows;
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
      const where = { state: { equals: "under way" }, until: { to: now } };
      const [row] = await engine.claim(name, { where, limit: 1 }, { node, until: now + forMs });
      return row && toBulk(row);
    },
    async advance({ id, state, endedAt, found, taken, after }, node, forMs) {
      const until = (await engine.time()) + forMs;
      const own = { key: id, where: { node: { equals: node } }, limit: 1 };
      return (await engine.claim(name, own, { state, endedAt, found, taken, after, until })).length > 0;
    },
  };
}

function toBulk({ data }: Document): Bulk {
  const { node: _node, until: _until, ...bulk } = data as Bulk & { readonly node: unknown; readonly until: unknown }; // only this file writes them
  return bulk;
}
