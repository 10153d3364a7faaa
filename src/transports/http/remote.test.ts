import { once } from "node:events";
import type { IncomingMessage, RequestListener } from "node:http";
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type Call, command, contract, Failed, failure, query } from "../../contracts/index.ts";
import { createHttp } from "./client.ts";
import { type RemoteOptions, toRemoteProviders } from "./remote.ts";
import { countingClock, eventually, serve, toCall } from "./test-kit.test-d.ts";

const Payments = contract("payments", "1.0.0", {
  charge: command({
    input: z.object({ payment: z.string(), amount: z.number() }),
    failures: {
      PaymentVoided: failure(409, "It was voided."),
      PaymentDiffers: failure(409, "It differs."),
      TooMuch: failure(422, "Too much.", { details: z.object({ most: z.number() }) }),
      Busy: failure(503, "Busy."),
    },
  }),
  quote: query({ input: z.object({ flight: z.string() }), output: z.number(), timeout: "200ms" }),
  get: query({
    input: z.object({ payment: z.string(), lines: z.array(z.int()).optional(), since: z.string().optional() }),
    output: z.object({ amount: z.number() }),
    failures: { NotFound: failure(404, "No such payment.") },
    http: "GET /payments/{payment}",
    access: "public",
  }),
  change: command({
    input: z.object({ payment: z.string(), amount: z.number() }),
    http: "PUT /payments/{payment}/amount",
    access: "public",
  }),
});
const input = { payment: "p-1", amount: 12 };

async function remote(answer: RequestListener, options: Partial<RemoteOptions> = {}) {
  const server = await serve(answer);
  const clock = countingClock();
  const http = createHttp({ connectTimeoutMs: 500 });
  const providers = toRemoteProviders(Payments, { url: server.url, http, clock, ...options });
  return {
    server,
    clock,
    /** As the dispatcher calls it: with the checked input and with the same as JSON. */
    call: async (operation: keyof typeof Payments, given: unknown, call: Partial<Call> = {}) => {
      const provider = providers.find((one) => one.operation === `payments.${operation}`);
      return provider?.handle(given, toCall(call), given);
    },
    async [Symbol.asyncDispose]() {
      await http.close();
      await eventually(() => server.sockets.size === 0);
      expect(clock.timers()).toBe(0);
      await server[Symbol.asyncDispose]();
    },
  };
}

const send =
  (status: number, body: unknown = "", type = "application/json"): RequestListener =>
  (_, response) => {
    response.writeHead(status, { "content-type": type });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
const problem = (status: number, more: object): RequestListener =>
  send(status, { status, ...more }, "application/problem+json");

async function refusal(
  answer: RequestListener,
  operation: keyof typeof Payments = "charge",
  given: unknown = input,
): Promise<unknown> {
  await using service = await remote(answer);
  return await service.call(operation, given).then(
    (reply) => ({ reply }),
    (error: unknown) => error,
  );
}

describe("how a call travels", () => {
  async function seen(operation: keyof typeof Payments, given: object, answer: unknown, call: Partial<Call> = {}) {
    let request: Partial<IncomingMessage> = {};
    let body = "";
    await using service = await remote(
      (incoming, response) => {
        request = incoming;
        incoming.on("data", (chunk) => {
          body += chunk;
        });
        incoming.on("end", () =>
          answer === undefined ? response.writeHead(204).end() : send(200, answer)(incoming, response as never),
        ); // the same response
      },
      { token: "s3cret" },
    );
    const reply = await service.call(operation, given, call);
    return { request, body: body && JSON.parse(body), reply };
  }

  test("an operation without a route is a POST to its name, with its key, its time and its trace", async () => {
    const { request, body, reply } = await seen("charge", input, undefined, { key: "k-1" });
    expect(reply).toEqual({ output: undefined });
    expect(request).toMatchObject({ method: "POST", url: "/charge" });
    expect(body).toEqual(input);
    expect(request.headers).toMatchObject({
      "content-type": "application/json",
      "idempotency-key": "k-1",
      authorization: "Bearer s3cret",
      "request-timeout-ms": "10000",
    });
    expect(request.headers?.traceparent).toBeUndefined();
  });

  test("an operation with a route is called there: path, and query or body", async () => {
    const get = await seen("get", { payment: "a/b c", lines: [1, 2], since: undefined }, { amount: 3 });
    expect(get.request).toMatchObject({ method: "GET", url: "/payments/a%2Fb%20c?lines=1&lines=2" });
    expect(get.reply).toEqual({ output: { amount: 3 } });
    const put = await seen("change", input, undefined);
    expect(put.request).toMatchObject({ method: "PUT", url: "/payments/p-1/amount" });
    expect(put.body).toEqual({ amount: 12 });
  });

  test("what would climb out of the path is refused before anything is sent", async () => {
    expect(await refusal(send(200), "get", { payment: ".." })).toMatchObject({
      code: "InvalidInput",
      outcome: "not done",
    });
  });
});

describe("what an answer means", () => {
  test.each<[string, RequestListener, object]>([
    ["its code", problem(409, { code: "PaymentDiffers" }), { code: "PaymentDiffers", status: 409 }],
    ["the end of its type", problem(409, { type: "/problems/payment-voided" }), { code: "PaymentVoided" }],
    [
      "our own type",
      problem(409, { type: "urn:trilith:failure:payments.charge:PaymentVoided" }),
      { code: "PaymentVoided" },
    ],
    [
      "its code, with details",
      problem(422, { code: "TooMuch", details: { most: 5 } }),
      { code: "TooMuch", details: { most: 5 } },
    ],
    ["its code, though it is a 503", problem(503, { code: "Busy" }), { code: "Busy" }],
  ])("a problem is a declared failure by %s", async (_, answer, expected) => {
    const failed = await refusal(answer);
    expect(failed).toBeInstanceOf(Failed);
    expect(failed).toMatchObject({ operation: "payments.charge", ...expected });
  });

  test("a problem is a declared failure by its status, where exactly one has it", async () => {
    expect(await refusal(problem(404, { title: "?" }), "get")).toMatchObject({ name: "Failed", code: "NotFound" });
  });

  const never = { name: "Fault", code: "Unavailable", outcome: "not done", retry: "never" };
  const later = { name: "Fault", outcome: "not done", retry: "later" };
  const unknown = { name: "Fault", outcome: "unknown", retry: "later" };
  test.each<[string, RequestListener, object]>([
    ["a 409 that two failures have", problem(409, { title: "?" }), never],
    ["a 400", send(400), never],
    ["a 401, which is about us and not about our caller", send(401), never],
    ["a redirect", send(307), never],
    ["a failure whose details break its contract", problem(422, { code: "TooMuch", details: { most: "5" } }), never],
    ["a 408", send(408), later],
    ["a 425", send(425), later],
    ["a 429", send(429), { ...later, code: "TooManyRequests" }],
    ["a 500", send(500), { ...unknown, code: "Unavailable" }],
    ["a 503 that nobody named", problem(503, { title: "Service unavailable" }), { ...unknown, code: "Unavailable" }],
    ["a 504", send(504), { ...unknown, code: "DeadlineExceeded" }],
    ["a 202", send(202), { ...unknown, code: "Unavailable" }],
    ["an HTML page that says 200", send(200, "<!doctype html>", "text/html"), { ...unknown, code: "InvalidOutput" }],
    [
      "a reset before the answer",
      (request) => void request.socket.resetAndDestroy(),
      { ...unknown, code: "Unavailable" },
    ],
    [
      "a reset in mid-body",
      (request, response) => {
        response.writeHead(200, { "content-length": "100" }).write("{");
        setTimeout(() => request.socket.resetAndDestroy(), 20);
      },
      { ...unknown, code: "Unavailable" },
    ],
  ])("%s", async (_, answer, expected) => {
    expect(await refusal(answer)).toMatchObject(expected);
  });

  test.each<[string, RequestListener]>([
    ["the wrong type", send(200, '"twelve"')],
    ["nothing where something was promised", send(204)],
    ["a body that is cut short", send(200, "12e")],
  ])("an answer with %s is invalid, and its outcome unknown", async (_, answer) => {
    expect(await refusal(answer, "quote", { flight: "X" })).toMatchObject({
      code: "InvalidOutput",
      outcome: "unknown",
      retry: "later",
    });
  });

  test("a 404 of something else in the way is not the declared one", async () => {
    expect(await refusal(send(404, "not here", "text/html"), "get")).toMatchObject(never);
  });

  test("nobody listens: not done", async () => {
    const free = createServer().listen(0, "127.0.0.1");
    await once(free, "listening");
    const { port } = free.address() as { port: number };
    free.close();
    await once(free, "close");
    await using service = await remote(send(200), { url: `http://127.0.0.1:${port}` });
    await expect(service.call("charge", input)).rejects.toMatchObject({ ...later, code: "Unavailable" });
  });
});

describe("time", () => {
  test("the operation's own timeout counts: outcome unknown, connection released", async () => {
    await using service = await remote(() => {});
    const began = performance.now();
    await expect(service.call("quote", { flight: "X" })).rejects.toMatchObject({
      code: "DeadlineExceeded",
      outcome: "unknown",
    });
    expect(performance.now() - began).toBeLessThan(10_000);
    await eventually(() => service.server.asked.size === 0);
  });

  test("the caller's deadline counts where it is nearer", async () => {
    await using service = await remote(() => {});
    const deadline = service.clock.monotonic() + 50;
    const refused = { code: "DeadlineExceeded", outcome: "unknown" };
    await expect(service.call("charge", input, { deadline })).rejects.toMatchObject(refused);
    await eventually(() => service.server.asked.size === 0);
  });

  test("a caller that goes away ends the call", async () => {
    await using service = await remote(() => {});
    const gone = new AbortController();
    setTimeout(() => gone.abort(), 20);
    const refused = { code: "DeadlineExceeded", outcome: "unknown" };
    await expect(service.call("charge", input, { aborted: gone.signal })).rejects.toMatchObject(refused);
    await eventually(() => service.server.asked.size === 0);
  });

  test("what had no time left was not called", async () => {
    await using service = await remote(send(200));
    const deadline = service.clock.monotonic() - 1;
    await expect(service.call("charge", input, { deadline })).rejects.toMatchObject({
      code: "DeadlineExceeded",
      outcome: "not done",
    });
    expect(service.server.connections()).toBe(0);
  });
});

test("no provider claims that it could void a key, and an address that is none is refused", () => {
  const providers = toRemoteProviders(Payments, { url: "https://p.test", http: createHttp(), clock: countingClock() });
  expect(providers.map(({ operation }) => operation)).toEqual([
    "payments.charge",
    "payments.quote",
    "payments.get",
    "payments.change",
  ]);
  expect(providers.every((provider) => provider.void === undefined)).toBe(true);
  expect(() => toRemoteProviders(Payments, { url: "p.test", http: createHttp(), clock: countingClock() })).toThrow(
    "must be like",
  );
});
