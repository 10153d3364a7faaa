import { json, nested, prefer, source, union, view } from "trilith/aggregation";
import { contract, query } from "trilith/contracts";
import { z } from "zod";
import type { UpstreamName } from "./product.ts";

const Pages = contract("pages", "1.0.0", {
  page: query({
    input: z.object({ page: z.string(), size: z.coerce.number<string | number>().int().max(100) }),
    output: z.object({
      items: z.array(
        z.object({
          sku: z.string(),
          name: z.string(),
          price: z.object({ amount: z.number().optional(), currency: z.string().optional() }).optional(),
          stock: z.object({ count: z.int().optional() }).optional(),
        }),
      ),
    }),
    http: "GET /pages/{page}",
    access: "public",
  }),
});

const shelf = source("shelf", {
  get: json(
    "https://catalog.test/pages/{page}?size={size}",
    z.array(z.object({ sku: z.string(), name: z.string(), description: z.string(), brand: z.string() })),
  ),
});
const soldAt = source("sold-at", {
  batch: json(
    "https://prices.test/some?sku={sku}",
    z.array(z.object({ sku: z.string(), amount: z.number(), currency: z.string(), name: z.string() })),
  ),
  match: "sku",
});
const left = source("left", {
  batch: json(
    "https://stock.test/some?sku={sku}",
    z.array(z.object({ sku: z.string(), count: z.int(), warehouse: z.string() })),
  ),
  match: "sku",
});

/** Whose sources they are. */
export const upstreamOf: { readonly [source: string]: UpstreamName } = {
  SHELF: "catalog",
  SOLD_AT: "prices",
  LEFT: "stock",
};

/** A page of the catalog, and for all of its items at once what they cost and how many there are. */
export const pageView = view(Pages.page, {
  budget: "1s",
  require: [shelf],
  fields: {
    items: union(shelf).with({
      price: nested({ amount: prefer(soldAt), currency: prefer(soldAt) }),
      stock: nested({ count: prefer(left) }),
    }),
  },
});
