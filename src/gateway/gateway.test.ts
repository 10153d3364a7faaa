import { connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { Failed, Fault, failure, type Problem } from "../contracts/index.ts";
import { createGateway } from "./gateway.ts";
import { answering, failingWith, type Handler, type Started, startGateway, Trips } from "./start-gateway.test-d.ts";

let started: Started | undefined;
afterEach(async () => {
  await started?.stop();
  started = undefined;
});
const start = async (...given: Parameters<typeof startGateway>): Promise<Started> => {
  started = await startGateway(...given);
  return started;
};
const echo: Handler = async (_operation, input) => ({ wire: { input }, value: { input } });
const inputOf = async (path: string): Promise<unknown> => {
  const { get, calls } = started as Started;
  const answer = await get(path);
  expect(answer.status).toBe(200);
  return calls.at(-1)?.input;
};

describe("input", () => {
  test("is gathered from path and query, each field as its schema means it", async () => {
    await start(echo);
    expect(
      await inputOf(
        "/trips/007?limit=5&near=-1.5e2&open=false&tags=1&tags=2&code=42&where=%7B%22seat%22%3A%221A%22%7D",
      ),
    ).toEqual({ trip: "007", limit: 5, near: -150, open: false, tags: [1, 2], code: "42", where: { seat: "1A" } });
    expect(await inputOf("/trips/a%2Fb%20c?tags=9")).toEqual({ trip: "a/b c", tags: [9] });
  });

  test("of a command is its body and its path", async () => {
    const { url, calls } = await start(answering(undefined));
    const body = JSON.stringify({ flight: "UA1", traveller: "Ada", trip: "t1" });
    const headers = { "content-type": "application/json; charset=utf-8" };
    const answer = await fetch(`${url}/trips/t1`, { method: "PUT", body, headers });
    expect(answer.status).toBe(204);
    expect(await answer.text()).toBe("");
    expect(calls[0]?.input).toEqual({ flight: "UA1", traveller: "Ada", trip: "t1" });
  });

  test.each([
    ["a number that is none", "GET /trips/t?limit=five", 422, "/limit"],
    ["a number that JavaScript cannot hold", "GET /trips/t?limit=99999999999999999999", 422, "/limit"],
    ["a single value twice", "GET /trips/t?limit=1&limit=2", 422, "/limit"],
    ["an unknown field in the query", "GET /trips/t?colour=red", 422, "/colour"],
    ["a path field in the query", "GET /trips/t?trip=u", 422, "/trip"],
    ["a meta flag that is none", "GET /trips/t?meta=yes", 422, "/meta"],
  ])("with %s is refused by name", async (_what, line, status, path) => {
    const { get, calls } = await start(echo);
    const answer = await get(line.replace("GET ", ""));
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ code: "InvalidInput", issues: [{ path }] });
    expect(calls.filter(({ input }) => (input as { colour?: string }).colour)).toEqual([]);
  });

  test.each([
    ["an unknown field", { flight: "UA1", traveller: "Ada", card: "4111" }, 422, "InvalidInput", "/card"],
    ["a prototype field", '{"flight":"UA1","traveller":"Ada","__proto__":{"x":1}}', 422, "InvalidInput", "/__proto__"],
    ["a wrong type", { flight: 5, traveller: "Ada" }, 422, "InvalidInput", "/flight"],
    ["a missing field", { flight: "UA1" }, 422, "InvalidInput", "/traveller"],
    ["an array", [], 422, "InvalidInput", ""],
    ["broken JSON", '{"flight": ', 400, "MalformedBody", undefined],
    ["bytes that are not UTF-8", Buffer.from([0x22, 0xff, 0x22]), 400, "MalformedBody", undefined],
    ["JSON nested too deeply", "[".repeat(500) + "]".repeat(500), 400, "MalformedBody", undefined],
    ["nothing", "", 400, "MalformedBody", undefined],
  ])("whose body is or has %s is a problem, and nothing is done", async (_what, body, status, code, path) => {
    const { url, key, calls } = await start(answering({ ticket: "T" }));
    const authorization = `Bearer ${await key("me", "trips:book")}`;
    const bytes = typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const answer = await fetch(`${url}/trips`, {
      ...{ method: "POST", headers: { "content-type": "application/json", authorization } },
      body: typeof bytes === "string" ? bytes : new Uint8Array(bytes),
    });
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
    const problem = (await answer.json()) as { readonly issues?: readonly { readonly path: string }[] };
    expect(problem).toMatchObject({
      code,
      status,
      type: `urn:trilith:fault:${code}`,
      instance: expect.stringMatching(/^urn:/),
    });
    if (path !== undefined) expect(problem.issues?.map((issue) => issue.path)).toEqual([path]);
    expect(calls.length).toBe(code === "InvalidInput" && ["/flight", "/traveller", ""].includes(path ?? "-") ? 1 : 0);
  });

  test("of 10 MB is refused with 413, and its sender gets to read that", async () => {
    const { post, key, calls } = await start(answering({ ticket: "T" }));
    const authorization = `Bearer ${await key("me", "trips:book")}`;
    const answer = await post("/trips", { flight: "x".repeat(10_000_000), traveller: "Ada" }, { authorization });
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ code: "BodyTooLarge" });
    const chunked = await fetch(`${started?.url}/trips`, {
      ...{ method: "POST", headers: { "content-type": "application/json", authorization }, duplex: "half" },
      body: new Blob(["x".repeat(2_000_000)]).stream(),
    } as RequestInit);
    expect(chunked.status).toBe(413);
    expect(calls).toEqual([]);
  });

  test.each([
    ["text/plain", undefined],
    ["application/x-www-form-urlencoded", undefined],
    ["application/json; charset=latin1", undefined],
    ["application/json", "gzip"],
  ])("as %s (encoding %s) is a 415", async (type, encoding) => {
    const { post, key } = await start(answering({ ticket: "T" }));
    const authorization = `Bearer ${await key("me", "trips:book")}`;
    const coded = encoding === undefined ? {} : { "content-encoding": encoding };
    const answer = await post("/trips", { flight: "UA1" }, { "content-type": type, authorization, ...coded });
    expect(answer.status).toBe(415);
    expect(await answer.json()).toMatchObject({ code: "UnsupportedMediaType" });
  });

  test("of a verb without a body has none", async () => {
    const { url, calls } = await start(answering(undefined));
    const answer = await fetch(`${url}/trips/t1`, {
      method: "DELETE",
      body: '{"trip":"t2"}',
      headers: { "content-type": "application/json" },
    });
    expect(answer.status).toBe(400);
    expect(calls).toEqual([]);
  });
});

describe("an answer", () => {
  test("has the declared fields and no others", async () => {
    const { get } = await start(answering({ shelf: "a", count: 2, secret: "no" }));
    const answer = await get("/shelf");
    expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(await answer.json()).toEqual({ shelf: "a", count: 2 });
  });

  test.each([
    [
      { weather: "down", guide: "fresh", faa: "slow", old: "stale", none: "missing" },
      [],
      "weather;state=down, faa;state=slow",
    ],
    [{ guide: "fresh" }, [], null],
    [{ guide: "fresh" }, [{ path: "/sky", state: "invalid", sources: [] }], "*;state=invalid"],
  ])("says which sources it was made without: %o, %o is %s", async (states, degraded, header) => {
    const sources = Object.fromEntries(Object.entries(states).map(([name, state]) => [name, { state }]));
    const { get } = await start(answering({ input: 1 }, { meta: { fields: {}, sources, degraded } }));
    const answer = await get("/trips/t");
    expect(answer.headers.get("trilith-degraded")).toBe(header);
    expect(await answer.json()).toEqual({ input: 1 });
  });

  test("comes with its provenance where that is asked for", async () => {
    const { get, calls } = await start(answering({ input: 1 }, { meta: { fields: {} } }));
    expect(await (await get("/trips/t?meta=true")).json()).toEqual({ data: { input: 1 }, meta: { fields: {} } });
    expect(await (await get("/trips/t?meta=false")).json()).toEqual({ input: 1 });
    const preferred = await get("/shelf?meta=mine", { headers: { prefer: "meta" } });
    expect(preferred.headers.get("preference-applied")).toBe("meta");
    expect(calls.map(({ input, call }) => [input, call.wantsMeta ?? false])).toEqual([
      [{ trip: "t" }, true],
      [{ trip: "t" }, false],
      [{ meta: "mine" }, true],
    ]);
  });

  test("of a command that takes its time is 202 and the way to its run", async () => {
    const runs = { status: async () => undefined, signal: async () => "no such run" as const, async *follow() {} };
    const { post, key, calls } = await start(async () => ({ accepted: true, run: "r 1" }), { runs });
    const authorization = `Bearer ${await key("me", "trips:book")}`;
    const headers = { authorization, prefer: "wait=3, respond-async", "idempotency-key": "once" };
    const answer = await post("/trips", { flight: "UA1", traveller: "Ada" }, headers);
    expect(answer.status).toBe(202);
    expect(answer.headers.get("location")).toBe("/runs/r%201");
    expect(answer.headers.get("preference-applied")).toBe("wait=3");
    expect(await answer.json()).toMatchObject({ run: "r 1" });
    expect(calls[0]?.call).toMatchObject({ patienceMs: 3_000, key: "once", principal: { id: "key:me", kind: "key" } });
    expect(calls[0]?.call.deadline).toBeUndefined();
  });

  test("of a command that is done names its run too", async () => {
    const runs = { status: async () => undefined, signal: async () => "no such run" as const, async *follow() {} };
    const { post, key, calls } = await start(answering({ ticket: "T" }, { run: "r1" }), { runs });
    const headers = { authorization: `Bearer ${await key("me", "trips:book")}` };
    const answer = await post("/trips", { flight: "UA1", traveller: "Ada" }, headers);
    expect([answer.status, answer.headers.get("location")]).toEqual([200, "/runs/r1"]);
    expect(calls[0]?.call.patienceMs).toBe(10_000);
  });

  test("to HEAD has the headers alone, and OPTIONS lists the methods", async () => {
    const { get } = await start(answering({ shelf: "a", count: 2 }));
    const head = await get("/shelf", { method: "HEAD" });
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "23", ""]);
    const options = await get("/trips/t", { method: "OPTIONS" });
    expect([options.status, options.headers.get("allow")]).toEqual([204, "DELETE, GET, HEAD, OPTIONS, PUT"]);
  });

  test("is the same whatever media type is preferred, and always has its guards", async () => {
    const { get } = await start(answering({ shelf: "a", count: 2 }));
    const answer = await get("/shelf", { headers: { accept: "text/html", "x-request-id": "mine-1" } });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-request-id")).toBe("mine-1");
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(answer.headers.get("x-powered-by")).toBeNull();
  });
});

describe("a failure", () => {
  test("that the contract declares is its problem document", async () => {
    const declared = Trips.book.failures.SoldOut;
    const { post, key } = await start(failingWith(new Failed("seats.hold", "SoldOut", declared, { flight: "UA1" })));
    const headers = { authorization: `Bearer ${await key("me", "trips:book")}` };
    const answer = await post("/trips", { flight: "UA1", traveller: "Ada" }, headers);
    expect(answer.status).toBe(409);
    expect(await answer.json()).toMatchObject({
      ...{ type: "urn:trilith:failure:trips.book:SoldOut", title: "No seat is left.", status: 409, code: "SoldOut" },
      ...{ retry: "never", details: { flight: "UA1" }, trace: answer.headers.get("trace-id") },
    });
  });

  test.each([
    ["an error", new Error("the password is hunter2")],
    ["a failure of somebody else", new Failed("deep.inside", "Oops", failure(409, "hunter2"))],
    ["something that is no error", "hunter2"],
  ])("that nobody declared (%s) says nothing of itself, but the log does", async (_what, thrown) => {
    const { get, logged } = await start(failingWith(thrown));
    const answer = await get("/trips/t");
    const text = await answer.text();
    expect([answer.status, JSON.parse(text).code]).toEqual([500, "Internal"]);
    expect(text).not.toContain("hunter2");
    await expect.poll(() => JSON.stringify(logged)).toContain("hunter2");
    expect(logged.at(-1)).toMatchObject({ level: 50, trace: answer.headers.get("trace-id"), status: 500 });
  });

  test("that may pass says when to come again", async () => {
    const { get } = await start(failingWith(new Fault("Unavailable", "Not now.")));
    const answer = await get("/trips/t");
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
  });

  test.each([
    ["GET", "/nowhere", 404, "UnknownRoute", null],
    ["POST", "/nowhere", 404, "UnknownRoute", null],
    ["GET", "/trips/%ff", 404, "UnknownRoute", null],
    ["GET", "/hidden", 404, "UnknownRoute", null],
    ["POST", "/shelf", 405, "MethodNotAllowed", "GET, HEAD, OPTIONS"],
    ["GET", "/trips", 405, "MethodNotAllowed", "OPTIONS, POST"],
    ["PATCH", "/trips/t", 405, "MethodNotAllowed", "DELETE, GET, HEAD, OPTIONS, PUT"],
  ])("of %s %s is %i", async (method, path, status, code, allow) => {
    const { get } = await start(answering({}));
    const answer = await get(path, { method, ...(method === "POST" && { body: "x" }) });
    expect(answer.status).toBe(status);
    expect(answer.headers.get("allow")).toBe(allow);
    expect(await answer.json()).toMatchObject({ code, status, trace: expect.stringMatching(/^[\da-f]{32}$/) });
  });

  test.each([
    ["no HTTP at all", "hello\r\n\r\n", "400"],
    ["headers without end", `GET / HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(20_000)}\r\n\r\n`, "431"],
    ["a body that ends early", "POST /trips/t HTTP/1.1\r\nHost: x\r\nContent-Length: nine\r\n\r\n", "400"],
  ])("of %s is a problem document too", async (_what, bytes, status) => {
    const { url } = await start(answering({}));
    const answer = await raw(url, bytes);
    expect(answer.slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
    expect(answer).toContain("application/problem+json");
  });
});

describe("time", () => {
  test("of an operation runs out as a 504 and aborts a query", async () => {
    const { get, calls } = await start(() => new Promise(() => {}));
    const answer = await get("/trips/t", { headers: { "request-timeout-ms": "30" } });
    expect([answer.status, ((await answer.json()) as Problem).code]).toEqual([504, "DeadlineExceeded"]);
    const { deadline = 0 } = calls[0]?.call ?? {};
    expect(deadline).toBeLessThan(performance.now() + 1); // a timer counts whole milliseconds
  });

  test("that is asked for may shorten what the contract allows and not lengthen it", async () => {
    const { get, calls } = await start(answering({ input: 1 }));
    await get("/trips/t", { headers: { "request-timeout-ms": "600000" } });
    expect(calls[0]?.call.deadline).toBeLessThan(performance.now() + 1_001);
    expect((await get("/trips/t", { headers: { "request-timeout-ms": "soon" } })).status).toBe(422);
  });

  test("is not spent on a query whose caller went away, while a command goes on", async () => {
    const entered = Promise.withResolvers<void>();
    let waiting = 2;
    const { get, calls, logged } = await start(() => {
      waiting -= 1;
      if (waiting === 0) entered.resolve();
      return new Promise(() => {});
    });
    const leaving = new AbortController();
    const gone = [
      get("/trips/t", { signal: leaving.signal }),
      get("/trips/t", { method: "DELETE", signal: leaving.signal }),
    ];
    await entered.promise;
    leaving.abort();
    await Promise.allSettled(gone);
    await expect
      .poll(() => calls.filter(({ call }) => call.aborted.aborted).map(({ operation }) => operation))
      .toEqual(["trips.find"]);
    await expect.poll(() => logged.filter(({ status }) => status === 499).length).toBe(2);
  });
});

describe("a request", () => {
  test("is a root span with its route, its status and who asked", async () => {
    const { post, key, telemetry, logged } = await start(async (_operation, _input, call) => {
      await call.trace.span("operation", "trips.book", {}, async () => {});
      throw new Failed("trips.book", "SoldOut", Trips.book.failures.SoldOut, { flight: "UA1" });
    });
    const apiKey = await key("me", "trips:book");
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const answer = await post(
      "/trips",
      { flight: "UA1", traveller: "Ada Lovelace" },
      { "x-api-key": apiKey, traceparent },
    );
    expect(answer.headers.get("trace-id")).toBe("0af7651916cd43dd8448eb211c80319c");
    await expect.poll(() => telemetry.feed.recent().map(({ status }) => status)).toEqual(["failed", "ok"]);
    const [request, operation] = telemetry.feed.recent();
    expect(request).toMatchObject({
      ...{
        trace: "0af7651916cd43dd8448eb211c80319c",
        parent: "b7ad6b7169203331",
        kind: "request",
        name: "POST /trips",
      },
      attributes: {
        ...{ "http.request.method": "POST", "http.route": "/trips", "http.response.status_code": 409 },
        ...{ "trilith.principal": "key:me", "trilith.operation": "trips.book" },
      },
      problem: { code: "SoldOut" },
    });
    expect(operation).toMatchObject({ trace: request?.trace, parent: request?.span });
    expect(answer.headers.get("traceparent")).toBe(`00-${request?.trace}-${request?.span}-01`);

    const line = logged.find(({ route }) => route === "/trips");
    expect(line).toMatchObject({ status: 409, code: "SoldOut", principal: "key:me", trace: request?.trace });
    const everything = JSON.stringify([logged, telemetry.feed.recent()]);
    for (const secret of [apiKey, "Ada Lovelace"]) expect(everything).not.toContain(secret);
  });

  test("with a traceparent that is none begins a trace of its own", async () => {
    const { get } = await start(answering({ shelf: "a", count: 1 }));
    const answer = await get("/shelf", { headers: { traceparent: "00-zz-1-01" } });
    expect(answer.headers.get("trace-id")).toMatch(/^[\da-f]{32}$/);
  });
});

describe("the gateway", () => {
  test("says whether it is alive and whether it is ready", async () => {
    let ready = false;
    const health = async () => ({ ready, parts: { storage: { ready, detail: "The log is being read." } } });
    const { get, telemetry } = await start(answering({}), { health });
    expect((await get("/livez")).status).toBe(200);
    const answer = await get("/readyz");
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({
      code: "Unavailable",
      issues: [{ path: "/storage", message: "The log is being read." }],
    });
    ready = true;
    expect((await get("/readyz")).status).toBe(200);
    expect(telemetry.feed.recent()).toEqual([]);
  });

  test("finishes what it began when it closes, takes nothing new, and says so", async () => {
    const finish = Promise.withResolvers<void>();
    const { get, gateway, calls } = await start(async () => {
      await finish.promise;
      return { wire: { input: 1 }, value: {} };
    });
    const pending = get("/trips/t", { method: "DELETE" });
    await expect.poll(() => calls.length).toBe(1);
    const closing = gateway.close();
    expect(await (await get("/readyz")).json()).toMatchObject({
      code: "Unavailable",
      detail: expect.stringContaining("draining"),
    });
    expect((await get("/trips/t")).status).toBe(503);
    expect((await get("/livez")).status).toBe(200);
    expect(calls.length).toBe(1);
    finish.resolve();
    expect((await pending).status).toBe(200);
    await closing;
    await gateway.close();
    await expect(get("/livez")).rejects.toThrow();
  });

  test("cuts off what does not finish in its time", async () => {
    const { get, gateway, calls } = await start(() => new Promise(() => {}), { settings: { shutdownMs: 50 } });
    const pending = get("/trips/t", { method: "DELETE" });
    await expect.poll(() => calls.length).toBe(1);
    await gateway.close();
    await expect(pending).rejects.toThrow();
  });

  test("does not start on a busy port", async () => {
    const { url } = await start(answering({}));
    const port = Number(new URL(url).port);
    await expect(startGateway(answering({}), { settings: { port } })).rejects.toThrow(
      expect.objectContaining({ code: "EADDRINUSE" }),
    );
  });

  test("refuses routes that cannot live together", async () => {
    const { contract, query } = await import("../contracts/index.ts");
    const { z } = await import("zod");
    const input = z.object({ a: z.string() });
    const of = (http: "GET /x/{a}" | "GET /runs/{a}") =>
      contract("one", "1.0.0", { it: query({ input, output: z.string(), http, access: "public" }) });
    const twice = contract("two", "1.0.0", {
      same: query({ input, output: z.string(), http: "GET /x/{a}", access: "public" }),
    });
    const parts = { contracts: [of("GET /x/{a}"), twice] } as unknown as Parameters<typeof createGateway>[0]; // it throws before it needs more
    expect(() => createGateway(parts)).toThrow('two.same and one.it have the same route, "GET /x/{a}"');
    const reserved = { contracts: [of("GET /runs/{a}")] } as unknown as Parameters<typeof createGateway>[0]; // as above
    expect(() => createGateway(reserved)).toThrow("/runs belongs to the gateway");
  });
});

/** What a server answers to bytes, until it closes the connection or half a second passes without a word. */
function raw(url: string, bytes: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let text = "";
  const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(bytes));
  socket.setTimeout(500, () => socket.destroy());
  socket.on("data", (chunk) => {
    text += chunk;
  });
  socket.on("error", () => {});
  socket.on("close", () => resolve(text));
  return promise;
}
