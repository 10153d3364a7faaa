import type { IncomingMessage, ServerResponse } from "node:http";

/** One request, as a route sees it. */
export interface Call {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The body as JSON; throws `BadRequest`. */
  json(): Promise<unknown>;
}

export interface Reply {
  readonly status: number;
  readonly type?: string;
  readonly body?: string;
}

/** Keys like `GET /airports/{iata}`. */
export type Routes = Readonly<Record<string, (call: Call) => Reply | Promise<Reply>>>;

/** The caller's mistake; answered as a 400 problem. */
export class BadRequest extends Error {}

export const json = (body: unknown, status = 200): Reply => ({
  status,
  type: "application/json; charset=utf-8",
  body: JSON.stringify(body),
});

/** RFC 9457. `type` is a relative reference, as a small service without a documentation site has it. */
export const problem = (status: number, type: string, title: string, detail: string): Reply => ({
  status,
  type: "application/problem+json; charset=utf-8",
  body: JSON.stringify({ type: `/problems/${type}`, title, status, detail }),
});

/** Finds the route of a request; a HEAD is a GET whose body Node leaves out. */
export function matchRoute(routes: Routes, method: string, path: string): Match | undefined {
  const wanted = method === "HEAD" ? "GET" : method;
  for (const [key, handle] of Object.entries(routes)) {
    const [verb, pattern = ""] = key.split(" ");
    const found = verb === wanted && toRegExp(pattern).exec(path);
    if (found) return { handle, params: decoded(found.groups ?? {}) };
  }
  return undefined;
}

export interface Match {
  readonly params: Readonly<Record<string, string>>;
  readonly handle: (call: Call) => Reply | Promise<Reply>;
}

export function send(response: ServerResponse, { status, type, body = "" }: Reply): void {
  response.writeHead(status, {
    ...(type && { "content-type": type }),
    // A 204 has no body and must not announce the length of one.
    ...(status !== 204 && { "content-length": Buffer.byteLength(body) }),
  });
  response.end(body);
}

export async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > 65_536) throw new BadRequest("The body is longer than 64 KiB.");
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    throw new BadRequest("The body is not JSON.");
  }
}

function toRegExp(pattern: string): RegExp {
  return new RegExp(`^${pattern.replaceAll(".", "\\.").replaceAll(/\{(\w+)\}/g, "(?<$1>[^/]+?)")}$`);
}

function decoded(groups: Record<string, string>): Record<string, string> {
  try {
    return Object.fromEntries(Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)]));
  } catch {
    throw new BadRequest("The path is not valid percent-encoding.");
  }
}
