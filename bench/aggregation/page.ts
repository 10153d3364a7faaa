import { expectEqual, Wrong } from "../frame/subject.ts";
import { type UpstreamName, upstream } from "./product.ts";

/** One item of a page: the catalog says which there are, and the other two are asked for all of them at once. */
export interface Item {
  readonly sku: string;
  readonly name: string;
  readonly price: { readonly amount: number; readonly currency: string };
  readonly stock: { readonly count: number };
}
/** What a page may cost upstream: once for what is on it, and once for each of the two that know more. */
export const callsOfPage = 3;

const skusOf = (page: string, size: number): readonly string[] =>
  Array.from({ length: size }, (_, at) => String(Number(page) * 100 + at));

/** The catalog's page. */
export const shelf = (page: string, size: number): readonly unknown[] => skusOf(page, size).map(upstream.catalog);

/** What an upstream says of some products, in an order of its own: whoever goes by the place gets it wrong. */
export const sold = (name: UpstreamName, skus: readonly string[]): readonly unknown[] =>
  skus.toReversed().map((sku) => upstream[name](sku));

/** The page that they are put together to. */
export const toItems = (page: string, size: number): readonly Item[] =>
  skusOf(page, size).map((sku) => {
    const { name } = upstream.catalog(sku);
    const { amount, currency } = upstream.prices(sku);
    const { count } = upstream.stock(sku);
    return { sku, name, price: { amount, currency }, stock: { count } };
  });

/** Throws a `Wrong` where it is not the page. */
export function checkPage(items: readonly Item[], page: string, size: number): void {
  if (items?.length !== size) throw new Wrong(`The page ${page} has ${items?.length} items, and should have ${size}.`);
  for (const [at, expected] of toItems(page, size).entries()) {
    const { sku, name, price, stock } = items[at] as Item; // there are as many
    const is = {
      sku,
      name,
      price: { amount: price?.amount, currency: price?.currency },
      stock: { count: stock?.count },
    };
    expectEqual(is, expected, `The item ${expected.sku} of the page ${page}`);
  }
}
