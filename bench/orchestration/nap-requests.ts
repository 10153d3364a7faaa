import type { Requests } from "../frame/load-messages.ts";

/** Runs that are to sleep, begun for callers that do not wait for their end. */
export function toRequests(): Requests {
  return {
    next: (client, number) => ({
      method: "POST",
      path: "/naps",
      headers: { "content-type": "application/json", prefer: "wait=0" },
      body: JSON.stringify({ n: 1_000_000 * client + number }),
    }),
    check({ status, body }) {
      if (status !== 202) throw new Error(`It is answered with ${status}: ${body.slice(0, 300)}`);
    },
  };
}
