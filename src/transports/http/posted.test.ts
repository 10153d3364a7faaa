import { describe, expect, test } from "vitest";
import { UpstreamProblem } from "../../aggregation/host.ts";
import { createHttp } from "./client.ts";
import { serve } from "./test-kit.test-d.ts";
import { toUpstream } from "./upstream.ts";

/** A server that redirects as its address says, and otherwise says what it was sent. */
const serveEcho = (elsewhere = "/search") =>
  serve(async (request, response) => {
    const [, status] = /^\/(\d+)$/.exec(request.url ?? "") ?? [];
    let body = "";
    for await (const chunk of request) body += chunk;
    if (status) return void response.writeHead(Number(status), { location: elsewhere }).end();
    const { method, headers } = request;
    response.end(JSON.stringify({ method, type: headers["content-type"], length: headers["content-length"], body }));
  });
const post = async (url: string) => {
  const http = createHttp();
  try {
    const { body } = await toUpstream(http).fetch({
      ...{
        source: "s",
        url: new URL(url),
        method: "POST",
        body: '{"q":"\u00e5"}',
        headers: { "content-type": "application/json" },
      },
      ...{ aborted: new AbortController().signal, maxBytes: 1_000, remainingMs: 1_000, traceparent: "", redirects: 2 },
      named: true,
    });
    return JSON.parse(new TextDecoder().decode(body)) as unknown;
  } finally {
    await http.close();
  }
};
const sent = { method: "POST", type: "application/json", length: "10", body: '{"q":"\u00e5"}' };

describe("a body", () => {
  test("arrives as it is", async () => {
    await using server = await serveEcho();
    expect(await post(`${server.url}/search`)).toEqual(sent);
  });

  test.each([
    [307, sent],
    [308, sent],
    [301, { method: "GET", body: "" }],
    [303, { method: "GET", body: "" }],
  ])("is sent on by a redirect that keeps the method, and by no other: %i", async (status, expected) => {
    await using server = await serveEcho();
    expect(await post(`${server.url}/${status}`)).toEqual(expected);
  });

  test("goes to no other origin", async () => {
    await using other = await serveEcho();
    await using server = await serveEcho(`${other.url}/search`);
    const refused = await post(`${server.url}/307`).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(UpstreamProblem);
    expect(refused).toMatchObject({ message: "redirects to another origin, which its body does not follow" });
    expect(other.connections()).toBe(0);
  });
});
