import { fastify } from "fastify";
import { Pool } from "undici";
import { versionOf } from "../frame/version.ts";
import { type Answerer, requests, toWorks } from "./asking.ts";
import { type UpstreamName, upstreamNames } from "./product.ts";

/** Fastify and undici, a page of code: no checks, no time limits, no provenance. What one writes on the first day. */
export const version = async (): Promise<string> =>
  `fastify ${await versionOf("fastify")}, undici ${await versionOf("undici")}`;

const bySku = (records: readonly any[]) => new Map(records.map((record) => [record.sku, record])); // as above

const answer: Answerer = async ({ origins }) => {
  const pools = Object.fromEntries(upstreamNames.map((name) => [name, new Pool(origins[name], { connections: 64 })]));
  const ask = async (name: UpstreamName, path: string): Promise<any> =>
    // whatever comes: there are no checks
    (await (pools[name] as Pool).request({ method: "GET", path })).body.json();
  const app = fastify();
  app.get<{ Params: { sku: string } }>("/products/:sku", async ({ params: { sku } }) => {
    const [catalog, prices, stock, reviews] = await Promise.all(upstreamNames.map((name) => ask(name, `/${sku}`)));
    return {
      data: {
        name: catalog.name ?? prices.name,
        description: catalog.description,
        amount: prices.amount,
        currency: prices.currency,
        count: stock.count,
        stars: reviews.stars,
        reviews: reviews.reviews,
      },
    };
  });
  app.get<{ Params: { page: string }; Querystring: { size: string } }>("/pages/:page", async ({ params, query }) => {
    const shelf: any[] = await ask("catalog", `/pages/${params.page}?size=${query.size}`);
    const some = `/some?sku=${shelf.map(({ sku }) => sku).join(",")}`;
    const [prices, stock] = (await Promise.all([ask("prices", some), ask("stock", some)])).map(bySku);
    const items = shelf.map(({ sku, name }) => ({
      sku,
      name,
      price: { amount: prices?.get(sku).amount, currency: prices?.get(sku).currency },
      stock: { count: stock?.get(sku).count },
    }));
    return { data: { items } };
  });
  const origin = await app.listen({ host: "127.0.0.1", port: 0 });
  return {
    origin,
    async close() {
      await app.close();
      await Promise.all(Object.values(pools).map((pool) => pool.destroy()));
    },
  };
};
export const works = toWorks(answer, requests);
