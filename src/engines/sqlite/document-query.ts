import type { Collection, Column, Condition, DocumentQuery } from "../../storage/host.ts";
import { columnOf, tableOf } from "./collections.ts";

export interface Sql {
  readonly text: string;
  readonly values: readonly Column[];
}

/** The longest page that one look may take: more would hold up whoever else is waiting on this thread. */
const longestPage = 1_000;

/** A query over a collection as SQL. Throws a sentence for a column that the collection does not have. */
export function toSql(collection: Collection, query: DocumentQuery): Sql {
  const where: string[] = [];
  const values: Column[] = [];
  const say = (text: string, ...said: readonly Column[]): void => {
    where.push(text);
    values.push(...said);
  };
  if (query.key !== undefined) say("key = ?", query.key);
  for (const [name, condition] of Object.entries(query.where ?? {}))
    toCondition(known(collection, name), condition, say);
  const descending = query.orderBy?.descending ?? false;
  const order = query.orderBy && known(collection, query.orderBy.column);
  if (query.after !== undefined && order) afterPlace(collection, order, descending, query.after, say);
  else if (query.after !== undefined) say(`key ${descending ? "<" : ">"} ?`, query.after);
  const direction = descending ? "desc" : "asc";
  return {
    text: `select key, revision, data from ${tableOf(collection.name)}
      ${where.length > 0 ? `where ${where.join(" and ")}` : ""}
      order by ${order ? `${order} ${direction}, ` : ""}key ${direction} limit ?`,
    values: [...values, Math.min(Math.max(0, query.limit), longestPage)],
  };
}

/** How many a query finds, counted no further than its limit. */
export function toCount(collection: Collection, { where = {}, limit }: Pick<DocumentQuery, "where" | "limit">): Sql {
  const conditions: string[] = [];
  const values: Column[] = [];
  for (const [name, condition] of Object.entries(where))
    toCondition(known(collection, name), condition, (text, ...said) => {
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

/** The rows behind one that the caller has seen. Its place is taken from that row as it is now. */
function afterPlace(collection: Collection, order: string, descending: boolean, key: string, say: Say): void {
  const beyond = descending ? "<" : ">";
  const place = `(select ${order} from ${tableOf(collection.name)} where key = ?)`;
  // Null is less than everything: going up it is left behind by any value, going down it comes after all of them.
  const past = descending
    ? `(${order} < ${place} or (${order} is null and ${place} is not null))`
    : `(${order} > ${place} or (${order} is not null and ${place} is null))`;
  say(`(${past} or (${order} is ${place} and key ${beyond} ?))`, key, key, key, key);
}

function known(collection: Collection, column: string): string {
  if (!collection.columns.some(({ name }) => name === column)) {
    const names = collection.columns.map(({ name }) => `"${name}"`).join(", ") || "none";
    throw new TypeError(`The collection "${collection.name}" has no column "${column}" to look by. It has ${names}.`);
  }
  return columnOf(column);
}
