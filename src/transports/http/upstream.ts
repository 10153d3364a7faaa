import { type Upstream, UpstreamProblem, type UpstreamProblemKind } from "../../aggregation/host.ts";
import type { Http, HttpAnswer, HttpRequest } from "./client.ts";
import { remainingHeader, traceHeaders } from "./headers.ts";
import { HttpProblem, type HttpProblemKind } from "./problem.ts";

/** The sources of views, asked over HTTP. `http` belongs to the caller, who closes it. */
export function toUpstream(http: Http): Upstream {
  return {
    fetch({ url, method = "GET", body, headers, remainingMs, traceparent, redirects, ...limits }) {
      const all = { ...headers, ...traceHeaders(traceparent), [remainingHeader]: String(remainingMs) };
      const { aborted, maxBytes, named } = limits;
      const request = { method, url, headers: all, aborted, maxBytes, named, ...(body !== undefined && { body }) };
      return (redirects === 0 ? http.send(request) : follow(http, request, redirects)).catch((error: unknown) => {
        if (!(error instanceof HttpProblem)) throw error;
        throw new UpstreamProblem(kinds[error.kind], error.message, error.cause);
      });
    },
  };
}

/**
 * Follows redirects as far as it may. That somebody named the first address names no other origin, and credentials go
 * to no other origin either; from https nothing leads to http.
 */
async function follow(http: Http, request: HttpRequest, most: number): Promise<HttpAnswer> {
  const answer = await http.send(request);
  const { location } = answer.headers;
  if (most === 0 || location === undefined || !redirecting.has(answer.status)) return answer;
  const { url, headers } = request;
  const to = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
  const downgrades = url.protocol === "https:" && to?.protocol === "http:";
  if (!to || !/^https?:$/.test(to.protocol) || downgrades)
    throw new HttpProblem("unreadable", "redirects to an address that is not followed");
  const { body, ...rest } = request;
  // As browsers do it (https://fetch.spec.whatwg.org/#http-redirect-fetch): only 307 and 308 send the body on.
  const sendsOn = body !== undefined && (answer.status === 307 || answer.status === 308);
  const { "content-type": _of, ...bodiless } = headers;
  const next = sendsOn ? request : { ...rest, method: "GET" as const, headers: bodiless };
  if (to.origin === url.origin) return follow(http, { ...next, url: to }, most - 1);
  if (sendsOn) throw new HttpProblem("unreadable", "redirects to another origin, which its body does not follow");
  const others = Object.fromEntries(Object.entries(headers).filter(([name]) => harmless.has(name)));
  return follow(http, { ...next, url: to, headers: others, named: false }, most - 1);
}

/** Whatever else a source sends may be a credential. */
const harmless: ReadonlySet<string> = new Set(["accept", "traceparent", remainingHeader]);
const redirecting: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

const kinds: { readonly [K in HttpProblemKind]: UpstreamProblemKind } = {
  "not connected": "unreachable",
  interrupted: "interrupted",
  "given up": "interrupted",
  forbidden: "forbidden",
  "too large": "too large",
  unreadable: "unreadable",
};
