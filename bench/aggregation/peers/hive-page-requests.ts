import type { Requests } from "../../frame/load-messages.ts";
import { checkPage } from "../page.ts";
import { toPage } from "../page-requests.ts";

const query = `query Page($page: String!, $size: Int!) {
  page(page: $page, size: $size) { sku name price { amount currency } stock { count } }
}`;

/** The same page in GraphQL. */
export function toRequests(size: string): Requests {
  return {
    next: (client, number) => ({
      method: "POST",
      path: "/graphql",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query, variables: { page: toPage(client, number), size: Number(size) } }),
    }),
    check({ status, body }, client, number) {
      if (status !== 200) throw new Error(`The answer is ${status}: ${body.slice(0, 300)}`);
      const { data } = JSON.parse(body);
      if (!data?.page) throw new Error(`There is no page in the answer: ${body.slice(0, 300)}`);
      checkPage(data.page, toPage(client, number), Number(size));
    },
  };
}
