import type { Collection, Column, Condition, DocumentQuery } from "../../storage/host.ts";
import { columnOf, type KnownCollection } from "./collections.ts";
import { toText } from "./text.ts";

export interface Sql {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** The longest page that one look may take. */
const longestPage = 1_000;

/** The document after which a page begins, as it is now. */
export interface After {
  readonly key: string;
  readonly value: Column;
}

export interface Shown {
  readonly what?: string;
  /** Keys that are left out, as they are kept. */
  readonly except?: readonly string[];
}

/**
 * A query over a collection as SQL that selects `what`: in one part, or in two where the page begins among the nulls and
 * goes on behind them, each of which an index answers. Throws a sentence for a column that the collection does not have.
 */
export function toSql(
  { collection, table }: KnownCollection,
  query: DocumentQuery,
  after: After | undefined,
  { what = "key, revision, data::text as data", except = [] }: Shown = {},
): readonly Sql[] {
  const { descending = false, column } = query.orderBy ?? {};
  const order = column === undefined ? undefined : columnOf(collection, column).sql;
  const limit = Math.min(Math.max(0, query.limit), longestPage);
  return behind(order, descending, after).map((add) => {
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
    const by = order ? [`${order} ${descending ? "desc nulls last" : "asc nulls first"}`] : [];
    return {
      text: `select ${what} from ${table} ${where.length > 0 ? `where ${where.join(" and ")}` : ""}
        order by ${[...by, `key ${descending ? "desc" : "asc"}`].join(", ")} limit ${limit}`,
      values,
    };
  });
}

/** How many a query finds, counted no further than its limit. */
export function toCount(
  { collection, table }: KnownCollection,
  { where = {}, limit }: Pick<DocumentQuery, "where" | "limit">,
): Sql {
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
  if (after.value === null) return descending ? [isNull] : [isNull, (say) => say(() => `${order} is not null`)];
  const value = typeof after.value === "string" ? toText(after.value) : after.value;
  const further = (say: Say): void => say((other, own) => `(${order}, key) ${beyond} (${other}, ${own})`, value, key);
  return descending ? [further, (say) => say(() => `${order} is null`)] : [further];
}

function toCondition(collection: Collection, name: string, condition: Condition, say: Say): void {
  const { sql, type } = columnOf(collection, name);
  const own = type === "text" ? "string" : "number";
  const toValue = (value: Column): Column => (typeof value === "string" ? toText(value) : value);
  if ("equals" in condition) {
    const { equals } = condition;
    if (equals === null) say(() => `${sql} is null`);
    else if (typeof equals === own) say((value) => `${sql} = ${value}`, toValue(equals));
    else say(() => "false"); // no column holds a value of another type
  } else if ("not" in condition) {
    const { not } = condition;
    if (not === null) say(() => `${sql} is not null`);
    else if (typeof not === own) say((value) => `${sql} is distinct from ${value}`, toValue(not));
  } else if ("in" in condition) {
    const values = condition.in.filter((value) => typeof value === own).map(toValue);
    say((list) => `${sql} = any(${list}::${type === "text" ? "text" : "double precision"}[])`, values);
  } else {
    for (const [bound, beyond] of [
      [condition.from, ">="],
      [condition.to, "<="],
    ] as const) {
      if (bound === undefined) continue;
      if (typeof bound === own) say((value) => `${sql} ${beyond} ${value}`, toValue(bound));
      else say(() => "false");
    }
  }
}
