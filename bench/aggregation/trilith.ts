import { backend } from "trilith";
import { json, prefer, source, view } from "trilith/aggregation";
import { contract, query } from "trilith/contracts";
import { openSqlite } from "trilith/sqlite";
import { z } from "zod";
import type { Open } from "../frame/subject.ts";
import { quiet } from "../frame/trilith-settings.ts";
import { type Answerer, requests, toWorks } from "./asking.ts";
import { feed } from "./trilith-feed.ts";
import { pageView, upstreamOf } from "./trilith-pages.ts";

export { version } from "../storage/trilith-sqlite.ts";

const Products = contract("products", "1.0.0", {
  page: query({
    input: z.object({ sku: z.string() }),
    output: z.object({
      name: z.string(),
      description: z.string(),
      amount: z.number(),
      currency: z.string(),
      count: z.int(),
      stars: z.number().optional(),
      reviews: z.int().optional(),
    }),
    http: "GET /products/{sku}",
    access: "public",
  }),
});

/** Four sources, each with its contract; reviews may be missing, and then they cost their fields only. */
function toView(cached: boolean) {
  const kept = cached ? { cacheFor: "10m" as const } : {};
  const catalog = source("catalog", {
    get: json(
      "https://catalog.test/{sku}",
      z.object({ sku: z.string(), name: z.string(), description: z.string(), brand: z.string() }),
    ),
    ...kept,
  });
  const prices = source("prices", {
    get: json(
      "https://prices.test/{sku}",
      z.object({ sku: z.string(), amount: z.number(), currency: z.string(), name: z.string() }),
    ),
    ...kept,
  });
  const stock = source("stock", {
    get: json("https://stock.test/{sku}", z.object({ sku: z.string(), count: z.int(), warehouse: z.string() })),
    ...kept,
  });
  const reviews = source("reviews", {
    get: json("https://reviews.test/{sku}", z.object({ sku: z.string(), stars: z.number(), reviews: z.int() })),
    ...kept,
  });
  return view(Products.page, {
    budget: "250ms",
    require: [catalog, prices, stock],
    fields: {
      name: prefer(catalog, prices),
      description: prefer(catalog),
      amount: prefer(prices),
      currency: prefer(prices),
      count: prefer(stock),
      stars: prefer(reviews),
      reviews: prefer(reviews),
    },
  });
}

const answer: Answerer = async ({ origins }, { folder }, { cached }) => {
  const named = Object.entries(upstreamOf).map(([name, of]) => [name, origins[of]]);
  const urls = [...Object.entries(origins), ...named].map(([name = "", origin]) => [
    `TRILITH_SOURCE_${name.toUpperCase()}_URL`,
    origin,
  ]);
  const running = await backend("bench", { aggregation: [toView(cached), pageView] }).start({
    engine: await openSqlite({ folder }),
    environment: { ...quiet, ...Object.fromEntries(urls) },
  });
  return { origin: running.url, close: () => running.stop() };
};
export const works: { readonly [work: string]: Open } = { ...toWorks(answer, requests), feed };
