import type { Requests } from "../../frame/load-messages.ts";
import type { Kind } from "../asking.ts";
import { checkProduct } from "../product.ts";
import { toSku } from "../requests.ts";

const query = `query Product($sku: String!) {
  catalog(sku: $sku) { name description }
  prices(sku: $sku) { amount currency }
  stock(sku: $sku) { count }
  reviews(sku: $sku) { stars reviews }
}`;

/** The same product in GraphQL. */
export function toRequests(kind: string): Requests {
  return {
    next: (client, number) => ({
      method: "POST",
      path: "/graphql",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query, variables: { sku: toSku(kind, client, number) } }),
    }),
    check({ status, body }, client, number) {
      if (status !== 200) throw new Error(`The answer is ${status}: ${body.slice(0, 300)}`);
      const { data } = JSON.parse(body);
      if (!data?.catalog) throw new Error(`There is no product in the answer: ${body.slice(0, 300)}`);
      const product = { ...data.catalog, ...data.prices, ...data.stock, ...data.reviews };
      checkProduct(product, toSku(kind, client, number), kind === ("without reviews" satisfies Kind));
    },
  };
}
