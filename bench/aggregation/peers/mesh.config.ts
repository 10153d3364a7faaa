// Read by mesh-compose: what the upstreams say, by samples of it. BENCH_ORIGINS has where they are, as JSON.
import { defineConfig } from "@graphql-mesh/compose-cli";
import { loadJSONSchemaSubgraph } from "@omnigraph/json-schema";
import { type UpstreamName, upstream, upstreamNames } from "../product.ts";

const origins = JSON.parse(process.env.BENCH_ORIGINS ?? "{}");
const sample = "1234567";
const typeOf = (name: UpstreamName): string => `${name[0]?.toUpperCase()}${name.slice(1)}`;

/** One product, by each of the four. */
const one = (name: UpstreamName) => ({
  type: "Query" as const,
  field: name,
  path: "/{args.sku}",
  method: "GET" as const,
  argTypeMap: { sku: { type: "string" as const, nullable: false } },
  responseSample: upstream[name](sample),
  responseTypeName: typeOf(name),
});

/** What the catalog has on a page, and what the others say of many products at once. */
const many = (name: UpstreamName) => ({
  ...one(name),
  ...(name === "catalog"
    ? {
        field: "page",
        path: "/pages/{args.page}?size={args.size}",
        argTypeMap: {
          page: { type: "string" as const, nullable: false },
          size: { type: "integer" as const, nullable: false },
        },
      }
    : {
        field: `some_${name}`,
        path: "/some",
        queryParamArgMap: { sku: "sku" },
        argTypeMap: { sku: { type: "array" as const, items: { type: "string" as const }, nullable: false } },
      }),
  responseSample: [upstream[name](sample)],
});

export const composeConfig = defineConfig({
  subgraphs: upstreamNames.map((name) => ({
    sourceHandler: loadJSONSchemaSubgraph(name, {
      endpoint: origins[name],
      operations: name === "reviews" ? [one(name)] : [one(name), many(name)],
    }),
  })),
  // Keys of one page travel together, and answers are found by key: "Batching for N+1 problem" in Mesh's guides.
  additionalTypeDefs: `extend type query_page_items {
    price: query_some_prices_items ${batchedFrom("prices")}
    stock: query_some_stock_items ${batchedFrom("stock")}
  }`,
});

function batchedFrom(name: UpstreamName): string {
  const query = `sourceTypeName: "Query", sourceFieldName: "some_${name}"`;
  return `@resolveTo(sourceName: "${name}", ${query}, keyField: "sku", keysArg: "sku", valueKeyField: "sku")`;
}
