// Read by mesh-compose: what the four upstreams say, by samples of it. BENCH_ORIGINS has where they are, as JSON.
import { defineConfig } from "@graphql-mesh/compose-cli";
import { loadJSONSchemaSubgraph } from "@omnigraph/json-schema";
import { upstream, upstreamNames } from "../product.ts";

const origins = JSON.parse(process.env.BENCH_ORIGINS ?? "{}");

export const composeConfig = defineConfig({
  subgraphs: upstreamNames.map((name) => ({
    sourceHandler: loadJSONSchemaSubgraph(name, {
      endpoint: origins[name],
      operations: [
        {
          type: "Query",
          field: name,
          path: "/{args.sku}",
          method: "GET",
          argTypeMap: { sku: { type: "string", nullable: false } },
          responseSample: upstream[name]("1234567"),
          responseTypeName: name[0]?.toUpperCase() + name.slice(1),
        },
      ],
    }),
  })),
});
