import { Fault, toMs } from "../contracts/index.ts";
import { fromCursor, toCursor } from "./cursor.ts";
import type { Column, Condition, Document, DocumentQuery, Engine } from "./engine.ts";
import type { Follower } from "./follower.ts";
import type { KeptModel } from "./kept-model.ts";
import type { Log } from "./log.ts";
import type { AnyRowReader, CaughtUpOptions, RowPage } from "./read-model.ts";
import { toAfter } from "./to-after.ts";

type Where = { readonly [column: string]: unknown };
interface Options {
  readonly orderBy?: string | undefined;
  readonly limit?: number | undefined;
  readonly after?: unknown;
}

/** Rows for handlers: looked up in the engine, and read by the row's schema. */
export function toRowReader(engine: Engine, log: Log, kept: KeptModel, follower: Follower): AnyRowReader {
  const { name } = kept.collection;
  const look = async (query: DocumentQuery): Promise<readonly Document[]> => {
    // Rows that were kept with each event are taken for the present ones; these are not any more.
    if (kept.model.kept === "inline" && follower.stopped !== undefined)
      throw new Fault("Unavailable", `"${kept.reader}" has stopped. ${follower.stopped}`, { outcome: "not done" });
    return engine.find(name, query);
  };
  const read = async (documents: readonly Document[]): Promise<unknown[]> => {
    const rows: unknown[] = [];
    for (const { data } of documents) rows.push(await kept.read(data));
    return rows;
  };
  return Object.freeze({
    caughtUp: async ({ position, within = "5s" }: CaughtUpOptions = {}) => {
      const { acknowledged } = log;
      const wanted = position ?? acknowledged;
      if (wanted <= acknowledged && kept.model.kept === "inline" && follower.arrived) return;
      if (wanted <= follower.position) return;
      // After a fail-over to a replica that lagged the log may end before what this process has written to it.
      const last = position === undefined ? (await engine.head(log.name)).position : wanted;
      await follower.reached(Math.min(wanted, last), toMs(within));
    },
    get: async (key: unknown) => (await read(await look({ key: kept.toKey(key), limit: 1 })))[0],
    find: async (where: Where, options: Options = {}) => {
      if (options.after !== undefined)
        throw new TypeError(
          `Rows of "${kept.model.name}" are read on with page(), which gives the place to go on from.`,
        );
      return read(await look(toQuery(kept, where, options)));
    },
    page: async (where: Where, options: Options = {}): Promise<RowPage<unknown>> => {
      const query = toQuery(kept, where, options);
      const order = options.orderBy ?? "";
      const after = options.after === undefined ? undefined : fromCursor(options.after, order, kept.model.name);
      const documents = await look({ ...query, ...(after && { after }) });
      const rows = await read(documents);
      const last = documents.at(-1);
      if (!last || documents.length < query.limit) return { rows };
      return { rows, next: toCursor(order, toAfter(last, query.orderBy)) };
    },
  });
}

function toQuery(kept: KeptModel, where: Where, { orderBy, limit = 100 }: Options): DocumentQuery {
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000)
    throw new TypeError(`A page of "${kept.model.name}" has from 1 to 1,000 rows; ${limit} cannot be asked for.`);
  const asked = Object.entries(where).filter(([, condition]) => condition !== undefined);
  for (const [column] of asked) checkIndexed(kept, column);
  const order = orderBy === undefined ? undefined : toOrder(orderBy);
  if (order) checkIndexed(kept, order.column);
  return {
    where: Object.fromEntries(asked.map(([column, condition]) => [column, toCondition(condition, column)])),
    limit,
    ...(order && { orderBy: order }),
  };
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

const conditions: ReadonlySet<string> = new Set(["from", "to", "in"]);

function toCondition(asked: unknown, column: string): Condition {
  if (typeof asked !== "object" || asked === null) return { equals: toColumn(asked) };
  const said = Object.entries(asked).filter(([, value]) => value !== undefined);
  const unknown = said.find(([name]) => !conditions.has(name));
  // A condition that nobody knows would be no condition, and find everything.
  if (unknown || said.some(([name]) => name === "in") !== (said.length === 1 && said[0]?.[0] === "in"))
    throw new TypeError(
      `Rows are looked for by "${column}" with a value, with { from, to }, or with { in: [...] }; ${JSON.stringify(asked)} is none of them.`,
    );
  const { in: list, ...bounds } = Object.fromEntries(said) as { readonly in?: readonly unknown[]; from?: unknown };
  if (list) return { in: list.map((value) => toColumn(value) as string | number) };
  return Object.fromEntries(Object.entries(bounds).map(([end, value]) => [end, toColumn(value) as string | number]));
}

function toColumn(value: unknown): Column {
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value === null || typeof value === "string" || typeof value === "number") return value;
  throw new TypeError(`Rows are looked for by text, numbers and booleans; ${typeof value} is none of them.`);
}
