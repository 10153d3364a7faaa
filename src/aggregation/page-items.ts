import type { PagingPlan } from "./paged.ts";

type Where = Pick<PagingPlan, "items">;

/** The records of one page; nothing where it holds no list. */
export function itemsOf({ items }: Where, page: unknown): readonly unknown[] | undefined {
  const list = items === undefined ? page : fieldAt(page, items);
  return Array.isArray(list) ? list : undefined;
}

/** The same page with other records. */
export const withItems = ({ items }: Where, page: unknown, records: readonly unknown[]): unknown =>
  items === undefined ? records : withField(page, items.split("."), records);

/** A field of a page, or of what it holds: `"meta.next"`. */
export function fieldAt(value: unknown, path: string): unknown {
  let at = value;
  for (const name of path.split(".")) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return undefined;
    at = (at as { readonly [field: string]: unknown })[name];
  }
  return at;
}

function withField(holder: unknown, [name = "", ...below]: readonly string[], value: unknown): unknown {
  const inside = below.length === 0 ? value : withField(fieldAt(holder, name), below, value);
  return { ...(holder as object), [name]: inside };
}
