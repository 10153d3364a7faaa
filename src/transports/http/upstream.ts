import { type Upstream, UpstreamProblem, type UpstreamProblemKind } from "../../aggregation/host.ts";
import type { Http } from "./client.ts";
import { remainingHeader, traceHeaders } from "./headers.ts";
import { HttpProblem, type HttpProblemKind } from "./problem.ts";

/** The sources of views, asked over HTTP. `http` belongs to the caller, who closes it. */
export function toUpstream(http: Http): Upstream {
  return {
    async fetch({ url, headers, aborted, maxBytes, remainingMs, traceparent, named }) {
      const all = { ...headers, ...traceHeaders(traceparent), [remainingHeader]: String(remainingMs) };
      try {
        return await http.send({ method: "GET", url, headers: all, aborted, maxBytes, named });
      } catch (error) {
        if (!(error instanceof HttpProblem)) throw error;
        throw new UpstreamProblem(kinds[error.kind], error.message, error.cause);
      }
    },
  };
}

const kinds: { readonly [K in HttpProblemKind]: UpstreamProblemKind } = {
  "not connected": "unreachable",
  interrupted: "interrupted",
  "given up": "interrupted",
  forbidden: "forbidden",
  "too large": "too large",
  unreadable: "unreadable",
};
