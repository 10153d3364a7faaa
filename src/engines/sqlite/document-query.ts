import {
  type After,
  type Collection,
  type Column,
  type Condition,
  checkQuery,
  type DocumentQuery,
} from "../../storage/host.ts";
import { columnOf, tableOf } from "./collections.ts";
import type { FoundRow } from "./messages.ts";
import type { Statements } from "./statements.ts";

export interface Sql {
  readonly text: string;
  readonly values: readonly Column[];
}

/** The longest page that one look may take: more would hold up whoever else is waiting on this thread. */
const longestPage = 1_000;
const toLimit = (limit: number): number => Math.min(Math.max(0, limit), longestPage);

/**
 * A query over a collection as SQL: in one part, or in two where the page begins among the nulls and goes on behind them,
 * each of which an index answers. Throws a sentence for what the collection cannot be asked.
 */
export function toSql(collection: Collection, query: DocumentQuery): readonly Sql[] {
  checkQuery(collection, query);
  const { descending = false, column } = query.orderBy ?? {};
  const order = column === undefined ? undefined : columnOf(column);
  return behind(order, descending, query.after).map((add) => toPart(collection, query, add));
}

function toPart(collection: Collection, query: DocumentQuery, add: (say: Say) => void): Sql {
  const where: string[] = [];
  const values: Column[] = [];
  const say = (text: string, ...said: readonly Column[]): void => {
    where.push(text);
    values.push(...said);
  };
  if (query.key !== undefined) say("key = ?", query.key);
  const named = toNamed(collection, query);
  for (const [name, condition] of Object.entries(query.where ?? {})) toCondition(named(name), condition, say);
  add(say);
  const order = query.orderBy && columnOf(query.orderBy.column);
  const direction = query.orderBy?.descending ? "desc" : "asc";
  const by = [...(order ? [`${order} ${direction}`] : []), ...(query.orderBy?.ties ? [] : [`key ${direction}`])];
  return {
    text: `select key, revision, data from ${tableOf(collection.name)}
      ${where.length > 0 ? `where ${where.join(" and ")}` : ""}
      order by ${by.join(", ")} limit ?`,
    values: [...values, toLimit(query.limit)],
  };
}

/**
 * A partial index that begins with the column by which a range is put in order gives the first of it at once, however many
 * there are. SQLite counts nothing and would rather look for equal values and sort all that it finds: a million runs for
 * each claim. A plus before the other columns keeps it from that.
 */
function toNamed({ indexes }: Collection, { where = {}, orderBy }: DocumentQuery): (name: string) => string {
  const range = orderBy && where[orderBy.column];
  if (!orderBy || !range || !("from" in range || "to" in range)) return columnOf;
  const index = indexes.find(
    (index) =>
      "where" in index &&
      index.where.is === "null" &&
      isNull(where[index.where.column]) &&
      index.columns[0] === orderBy.column,
  );
  if (!index || !("where" in index)) return columnOf;
  const own = [orderBy.column, index.where.column];
  return (name) => (own.includes(name) ? columnOf(name) : `+${columnOf(name)}`);
}
const isNull = (condition: Condition | undefined): boolean =>
  condition !== undefined && "equals" in condition && condition.equals === null;

/** What the parts of a query find, up to its limit: the second is asked only where the first has come to its end. */
export function foundIn(statements: Statements, parts: readonly Sql[], limit: number): readonly FoundRow[] {
  const [only, ...more] = parts;
  const most = toLimit(limit);
  const rows: FoundRow[] = only ? askFor(statements, only) : [];
  for (const part of more) if (rows.length < most) rows.push(...askFor(statements, part));
  return more.length === 0 ? rows : rows.slice(0, most);
}
const askFor = (statements: Statements, { text, values }: Sql): FoundRow[] =>
  statements.for(text).all(...values) as unknown as FoundRow[]; // the columns are the query's own

/** How many a query finds, counted no further than its limit. */
export function toCount(collection: Collection, { where = {}, limit }: Pick<DocumentQuery, "where" | "limit">): Sql {
  checkQuery(collection, { where });
  const conditions: string[] = [];
  const values: Column[] = [];
  for (const [name, condition] of Object.entries(where))
    toCondition(columnOf(name), condition, (text, ...said) => {
      conditions.push(text);
      values.push(...said);
    });
  const some = conditions.length > 0 ? `where ${conditions.join(" and ")}` : "";
  return {
    text: `select count(*) count from (select 1 from ${tableOf(collection.name)} ${some} limit ?)`,
    values: [...values, Math.max(0, limit)],
  };
}

type Say = (text: string, ...values: readonly Column[]) => void;

function toCondition(column: string, condition: Condition, say: Say): void {
  // Null is written out: with a parameter the planner could not see that an index of the null ones will do.
  if ("equals" in condition && condition.equals === null) say(`${column} is null`);
  // With "is" it could be a null, and an index of the others would not do.
  else if ("equals" in condition) say(`${column} = ?`, condition.equals);
  else if ("not" in condition && condition.not === null) say(`${column} is not null`);
  else if ("not" in condition) say(`${column} is not ?`, condition.not);
  // One parameter whatever the length of the list, so that the statement is prepared once.
  else if ("in" in condition) say(`${column} in (select value from json_each(?))`, JSON.stringify(condition.in));
  else {
    if (condition.from !== undefined) say(`${column} >= ?`, condition.from);
    if (condition.to !== undefined) say(`${column} <= ?`, condition.to);
  }
}

/** Null is less than everything: going up it is left behind by any value, going down it comes after all of them. */
function behind(
  order: string | undefined,
  descending: boolean,
  after: After | undefined,
): readonly ((say: Say) => void)[] {
  if (!after) return [() => {}];
  const { key, value = null } = after;
  const beyond = descending ? "<" : ">";
  if (!order) return [(say) => say(`key ${beyond} ?`, key)];
  const isNull = (say: Say): void => say(`${order} is null and key ${beyond} ?`, key);
  if (value === null) return descending ? [isNull] : [isNull, (say) => say(`${order} is not null`)];
  const further = (say: Say): void => say(`(${order}, key) ${beyond} (?, ?)`, value, key);
  return descending ? [further, (say) => say(`${order} is null`)] : [further];
}
