import type { Requests } from "../frame/load-messages.ts";
import { checkSum, toAsked } from "./operation.ts";

/** The operation over HTTP, from whoever serves it. */
export function toRequests(): Requests {
  return {
    next(client, number) {
      const { left, right, note } = toAsked(client, number);
      return { method: "GET", path: `/sums/${left}/${right}?note=${encodeURIComponent(note)}` };
    },
    check({ status, body }, client, number) {
      if (status !== 200) throw new Error(`The answer is ${status}: ${body.slice(0, 300)}`);
      checkSum(JSON.parse(body), client, number);
    },
  };
}
