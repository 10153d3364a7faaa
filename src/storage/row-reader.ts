import { Fault, toMs } from "../contracts/index.ts";
import type { Column, Condition, DocumentQuery, Engine } from "./engine.ts";
import type { Follower } from "./follower.ts";
import type { KeptModel } from "./kept-model.ts";
import type { Log } from "./log.ts";
import type { AnyRowReader, CaughtUpOptions } from "./read-model.ts";

type Asked = { readonly from?: unknown; readonly to?: unknown; readonly in?: readonly unknown[] };

/** Rows for handlers: looked up in the engine, and read by the row's schema. */
export function toRowReader(engine: Engine, log: Log, kept: KeptModel, follower: Follower): AnyRowReader {
  const { name } = kept.collection;
  const read = async (query: DocumentQuery): Promise<unknown[]> => {
    // Rows that were kept with each event are taken for the present ones; these are not any more.
    if (kept.model.kept === "inline" && follower.stopped !== undefined)
      throw new Fault("Unavailable", `"${kept.reader}" has stopped. ${follower.stopped}`, { outcome: "not done" });
    const rows: unknown[] = [];
    for (const { data } of await engine.find(name, query)) rows.push(await kept.read(data));
    return rows;
  };
  return Object.freeze({
    caughtUp: ({ position = log.acknowledged, within = "5s" }: CaughtUpOptions = {}) =>
      kept.model.kept === "inline" && follower.arrived && position <= log.acknowledged
        ? Promise.resolve()
        : follower.reached(position, toMs(within)),
    get: async (key: unknown) => (await read({ key: kept.toKey(key), limit: 1 }))[0],
    find: async (
      where: { readonly [column: string]: unknown },
      { orderBy, limit = 100, after }: { orderBy?: string; limit?: number; after?: unknown } = {},
    ) => {
      if (!Number.isInteger(limit) || limit < 1 || limit > 1_000)
        throw new TypeError(`A page of "${kept.model.name}" has from 1 to 1,000 rows; ${limit} cannot be asked for.`);
      const asked = Object.entries(where).filter(([, condition]) => condition !== undefined);
      for (const [column] of asked) checkIndexed(kept, column);
      if (orderBy !== undefined) checkIndexed(kept, toOrder(orderBy).column);
      return read({
        where: Object.fromEntries(asked.map(([column, condition]) => [column, toCondition(condition)])),
        limit,
        ...(orderBy !== undefined && { orderBy: toOrder(orderBy) }),
        ...(after !== undefined && { after: kept.toKey(after) }),
      });
    },
  });
}

function checkIndexed({ model, collection }: KeptModel, field: string): void {
  if (collection.columns.some(({ name }) => name === field)) return;
  const names = collection.columns.map(({ name }) => `"${name}"`).join(", ") || "none";
  const way = field === model.key ? "Ask for it with get" : "Add it to the indexes, and raise the version";
  throw new TypeError(
    `The read model "${model.name}" cannot be searched or ordered by "${field}", which is not indexed. Indexed: ${names}. ${way}.`,
  );
}

const toOrder = (orderBy: string): { readonly column: string; readonly descending: boolean } =>
  orderBy.startsWith("-") ? { column: orderBy.slice(1), descending: true } : { column: orderBy, descending: false };

function toCondition(asked: unknown): Condition {
  if (typeof asked !== "object" || asked === null) return { equals: toColumn(asked) };
  const { from, to, in: list } = asked as Asked;
  if (list) return { in: list.map((value) => toColumn(value) as string | number) };
  return {
    ...(from !== undefined && { from: toColumn(from) as string | number }),
    ...(to !== undefined && { to: toColumn(to) as string | number }),
  };
}

function toColumn(value: unknown): Column {
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value === null || typeof value === "string" || typeof value === "number") return value;
  throw new TypeError(`Rows are looked for by text, numbers and booleans; ${typeof value} is none of them.`);
}
