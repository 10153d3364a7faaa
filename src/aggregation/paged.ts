import type { Fetch, HttpPlan } from "./fetch.ts";

/** How one gets from a page to the next, and how far one goes. */
export interface Paging {
  /**
   * - `"link"`: the `Link` header with `rel="next"` (RFC 8288)
   * - `{ url }`: a field of the page with the next page's address; it must be of the same origin
   * - `{ cursor, as }`: a field of the page with a cursor, and the query parameter that takes it
   * - `{ page, from }`: a query parameter that counts pages, from 1 unless said otherwise
   * - `{ offset, size }`: a query parameter that counts records, and how many a page has
   *
   * A field inside another is written with a dot: `"meta.next"`. The first two end where there is no next one; the
   * last two at a page without records, an offset also at a short one.
   */
  readonly next:
    | "link"
    | { readonly url: string }
    | { readonly cursor: string; readonly as: string }
    | { readonly page: string; readonly from?: number }
    | { readonly offset: string; readonly size: number };
  /** Pages that are read at most; 10 unless said otherwise. */
  readonly pages?: number;
  /** Records that are read at most; 10,000 unless said otherwise. */
  readonly records?: number;
  /** Hands on what was read where a later page fails, with `complete: false`. Otherwise such a list is what its failed page is. */
  readonly partial?: boolean;
}
/** The same as plain data. */
export interface PagingPlan {
  readonly next: Exclude<Paging["next"], "link"> | { readonly link: true };
  /** The field with the records; without it the page is the list. */
  readonly items?: string;
  readonly pages: number;
  readonly records: number;
  readonly partial: boolean;
}

/** The fields of a page that hold lists. */
type ListField<A> = { [K in keyof A]-?: A[K] extends readonly unknown[] ? K : never }[keyof A] & string;

type AnyPage = Fetch<string, any>; // what comes back is said by the signatures below

/** A list that comes in pages, each of which is what `fetch` says. What comes out is one list. */
export function paged<P extends string, Item>(
  fetch: Fetch<P, readonly Item[]>,
  how: Paging & { readonly items?: never },
): Fetch<P, readonly Item[]>;
export function paged<P extends string, A, const F extends ListField<A>>(
  fetch: Fetch<P, A>,
  how: Paging & { readonly items: F },
): Fetch<P, A[F] extends readonly (infer Item)[] ? readonly Item[] : never>;
export function paged(
  fetch: Fetch<string, unknown>,
  { next, items, pages = 10, records = 10_000, partial = false }: Paging & { readonly items?: string },
): AnyPage {
  const { plan } = fetch;
  if (plan.via !== "http")
    throw new TypeError("Only what is asked over HTTP comes in pages; an adapter of one's own turns them itself.");
  for (const [name, most] of Object.entries({ pages, records }))
    if (!Number.isInteger(most) || most < 1)
      throw new TypeError(`A list in pages needs a whole number above 0 for \`${name}\`; ${most} is not one.`);
  if (typeof next === "object" && "offset" in next && !(Number.isInteger(next.size) && next.size > 0))
    throw new TypeError(`An offset moves on by the size of a page, a whole number above 0; ${next.size} is not one.`);
  const paging: PagingPlan = {
    next: next === "link" ? { link: true } : Object.freeze({ ...next }),
    ...(items !== undefined && { items }),
    pages,
    records,
    partial,
  };
  return Object.freeze({
    kind: "fetch",
    plan: Object.freeze({ ...plan, paging: Object.freeze(paging) } satisfies HttpPlan),
  });
}
