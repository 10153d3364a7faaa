import {
  type After,
  type Collection,
  type Column,
  type Condition,
  checkQuery,
  type DocumentQuery,
} from "../../storage/host.ts";
import { columnOf, type KnownCollection } from "./collections.ts";
import { toText } from "./text.ts";

export interface Sql {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** The longest page that one look may take. */
const longestPage = 1_000;
export const toLimit = (limit: number): number => Math.min(Math.max(0, limit), longestPage);

export interface Shown {
  readonly what?: string;
  /** Keys that are left out, as they are kept. */
  readonly except?: readonly string[];
}

/**
 * A query over a collection as SQL that selects `what`: in one part, or in two where the page begins among the nulls and
 * goes on behind them, each of which an index answers. Throws a sentence for what the collection cannot be asked.
 */
export function toSql(
  { collection, table }: KnownCollection,
  query: DocumentQuery,
  { what = "key, revision, data::text as data", except = [] }: Shown = {},
): readonly Sql[] {
  checkQuery(collection, query);
  const { descending = false, column } = query.orderBy ?? {};
  const order = column === undefined ? undefined : columnOf(collection, column).sql;
  const limit = toLimit(query.limit);
  return behind(order, descending, query.after).map((add) => {
    const where: string[] = [];
    const values: unknown[] = [];
    const say: Say = (compose, ...said) => {
      where.push(compose(...said.map((value) => `$${values.push(value)}`)));
    };
    if (query.key !== undefined) say((key) => `key = ${key}`, toText(query.key));
    for (const [name, condition] of Object.entries(query.where ?? {})) toCondition(collection, name, condition, say);
    if (except.length > 0) say((keys) => `key <> all(${keys})`, except);
    add(say);
    // In the order of the index: null is less than everything.
    const by = [
      ...(order ? [`${order} ${descending ? "desc nulls last" : "asc nulls first"}`] : []),
      ...(query.orderBy?.ties ? [] : [`key ${descending ? "desc" : "asc"}`]),
    ];
    return {
      text: `select ${what} from ${table} ${where.length > 0 ? `where ${where.join(" and ")}` : ""}
        order by ${by.join(", ")} limit ${limit}`,
      values,
    };
  });
}

/** How many a query finds, counted no further than its limit. */
export function toCount(
  { collection, table }: KnownCollection,
  { where = {}, limit }: Pick<DocumentQuery, "where" | "limit">,
): Sql {
  checkQuery(collection, { where });
  const conditions: string[] = [];
  const values: unknown[] = [];
  const say: Say = (compose, ...said) => {
    conditions.push(compose(...said.map((value) => `$${values.push(value)}`)));
  };
  for (const [name, condition] of Object.entries(where)) toCondition(collection, name, condition, say);
  const some = conditions.length > 0 ? `where ${conditions.join(" and ")}` : "";
  const found = `select 1 from ${table} ${some} limit ${Math.max(0, limit)}`;
  return { text: `select count(*)::integer as count from (${found}) as found`, values };
}

type Say = (compose: (...parameters: readonly string[]) => string, ...values: readonly unknown[]) => void;

function behind(
  order: string | undefined,
  descending: boolean,
  after: After | undefined,
): readonly ((say: Say) => void)[] {
  if (!after) return [() => {}];
  const beyond = descending ? "<" : ">";
  const key = toText(after.key);
  if (!order) return [(say) => say((own) => `key ${beyond} ${own}`, key)];
  const isNull = (say: Say): void => say((own) => `${order} is null and key ${beyond} ${own}`, key);
  const { value: seen = null } = after;
  if (seen === null) return descending ? [isNull] : [isNull, (say) => say(() => `${order} is not null`)];
  const value = typeof seen === "string" ? toText(seen) : seen;
  const further = (say: Say): void => say((other, own) => `(${order}, key) ${beyond} (${other}, ${own})`, value, key);
  return descending ? [further, (say) => say(() => `${order} is null`)] : [further];
}

function toCondition(collection: Collection, name: string, condition: Condition, say: Say): void {
  const { sql, type } = columnOf(collection, name);
  const toValue = (value: Column): Column => (typeof value === "string" ? toText(value) : value);
  if ("equals" in condition && condition.equals === null) say(() => `${sql} is null`);
  else if ("equals" in condition) say((value) => `${sql} = ${value}`, toValue(condition.equals));
  else if ("not" in condition && condition.not === null) say(() => `${sql} is not null`);
  else if ("not" in condition) say((value) => `${sql} is distinct from ${value}`, toValue(condition.not));
  else if ("in" in condition) {
    const values = condition.in.map(toValue);
    say((list) => `${sql} = any(${list}::${type === "text" ? "text" : "double precision"}[])`, values);
  } else {
    if (condition.from !== undefined) say((value) => `${sql} >= ${value}`, toValue(condition.from));
    if (condition.to !== undefined) say((value) => `${sql} <= ${value}`, toValue(condition.to));
  }
}
