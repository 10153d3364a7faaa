import type { Requests } from "../frame/load-messages.ts";
import { Wrong } from "../frame/subject.ts";
import { readBody } from "./answer-body.ts";
import type { Kind } from "./asking.ts";
import { checkProduct, type Product, toProduct } from "./product.ts";

const hot = 100;

/** Nine in ten times one of a hundred products, where it is mostly the same that is asked for; else always another one. */
export function toSku(kind: string, client: number, number: number): string {
  const another = 1_000_000 + client * 10_000 + (number % 10_000);
  return String(kind === ("mostly the same" satisfies Kind) && number % 10 !== 0 ? number % hot : another);
}

/** A product over HTTP, with the sources of its fields beside it where they are known. */
export function toRequests(kind: string): Requests {
  return {
    next: (client, number) => ({ method: "GET", path: `/products/${toSku(kind, client, number)}?meta=true` }),
    check({ status, body }, client, number) {
      if (status !== 200) throw new Error(`The answer is ${status}: ${body.slice(0, 300)}`);
      const sku = toSku(kind, client, number);
      const without = kind === ("without reviews" satisfies Kind);
      const whole = toProduct(sku);
      const { stars: _, reviews: __, ...others } = whole;
      // Times of answers with and without are held against each other, and there is as much to check of both.
      const expected: Product = without ? others : whole;
      const { data, meta } = readBody<Product, Meta>(body, expected);
      // What came too late for the budget is left out, and said so. That is no wrong answer, and not a whole one either.
      const state = meta?.fields.stars?.state;
      if (!without && state !== undefined && state !== "fresh" && state !== "stale")
        throw new Error(`The reviews did not come in time for the answer: they are ${state}.`);
      if (data !== expected) checkProduct(data, sku, without);
      if (meta && meta.fields.amount?.source !== "prices") throw new Wrong("The amount is not said to be from prices.");
    },
  };
}
interface Meta {
  readonly fields: { readonly [field: string]: { readonly state: string; readonly source?: string } };
}
