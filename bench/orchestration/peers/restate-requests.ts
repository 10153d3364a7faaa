import type { Requests } from "../../frame/load-messages.ts";
import { checkOutput, toInput } from "../five-steps.ts";

/** Calls of the service through Restate's ingress, each of which waits for the result. */
export function toRequests(): Requests {
  return {
    next: (client, number) => ({
      method: "POST",
      path: "/five/run",
      headers: { "content-type": "application/json" },
      body: String(toInput(client, number)),
    }),
    check({ status, body }, client, number) {
      if (status !== 200) throw new Error(`Restate answers ${status}: ${body.slice(0, 300)}`);
      checkOutput(JSON.parse(body), toInput(client, number));
    },
  };
}
