import { expectEqual, Wrong } from "../frame/subject.ts";

/** What four upstreams say of a product, by its number: each asks for its own part, and all of it can be foretold. */
export const upstreamNames = ["catalog", "prices", "stock", "reviews"] as const;
export type UpstreamName = (typeof upstreamNames)[number];

export const upstream = {
  catalog: (sku: string) => ({
    sku,
    name: `Product ${sku}`,
    description: "Sturdy, foldable, and made to be repaired. ".repeat(4),
    brand: "Northwind",
  }),
  prices: (sku: string) => ({ sku, amount: Number(sku) % 1_000, currency: "EUR", name: `product ${sku}` }),
  stock: (sku: string) => ({ sku, count: Number(sku) % 50, warehouse: "Malmö" }),
  reviews: (sku: string) => ({ sku, stars: (Number(sku) % 41) / 10 + 1, reviews: Number(sku) % 300 }),
} satisfies { readonly [name in UpstreamName]: (sku: string) => unknown };

/** The answer that they are fused into. */
export interface Product {
  readonly name: string;
  readonly description: string;
  readonly amount: number;
  readonly currency: string;
  readonly count: number;
  readonly stars?: number | null;
  readonly reviews?: number | null;
}
export function toProduct(sku: string): Product {
  const { name, description } = upstream.catalog(sku);
  const { amount, currency } = upstream.prices(sku);
  const { count } = upstream.stock(sku);
  const { stars, reviews } = upstream.reviews(sku);
  return { name, description, amount, currency, count, stars, reviews };
}

/** Throws a `Wrong` where it is not the product. `without` the reviews, those two fields have to be absent or null. */
export function checkProduct(answer: Product, sku: string, without: boolean): void {
  const { stars, reviews, ...others } = answer;
  const expected = toProduct(sku);
  const { stars: _, reviews: __, ...needed } = expected;
  for (const field of Object.keys(needed) as (keyof typeof needed)[])
    expectEqual(others[field], needed[field], `"${field}" of the product ${sku}`);
  if (without && (stars ?? reviews ?? null) !== null) throw new Wrong(`The product ${sku} has reviews from nowhere.`);
  if (!without) expectEqual([stars, reviews], [expected.stars, expected.reviews], `The reviews of the product ${sku}`);
}
