import type { Requests } from "../frame/load-messages.ts";
import { readBody } from "./answer-body.ts";
import { checkPage, type Item, toItems } from "./page.ts";

/** Always another page. */
export const toPage = (client: number, number: number): string => String(10_000 + client * 1_000 + (number % 1_000));

/** A page of so many items over HTTP, with the sources of its fields beside it where they are known. */
export function toRequests(size: string): Requests {
  return {
    next: (client, number) => ({
      method: "GET",
      path: `/pages/${toPage(client, number)}?size=${size}&meta=true`,
    }),
    check({ status, body }, client, number) {
      if (status !== 200) throw new Error(`The answer is ${status}: ${body.slice(0, 300)}`);
      const page = toPage(client, number);
      const expected = { items: toItems(page, Number(size)) };
      const { data, meta } = readBody<{ readonly items: readonly Item[] }, Meta>(body, expected);
      // What came too late for the budget is left out, and said so. That is no wrong page, and not a whole one either.
      for (const [source, { state }] of Object.entries(meta?.sources ?? {}))
        if (state !== "fresh") throw new Error(`The page is not whole: its source "${source}" is ${state}.`);
      if (data !== expected) checkPage(data.items, page, Number(size));
    },
  };
}
interface Meta {
  readonly sources: { readonly [source: string]: { readonly state: string } };
}
