import type { lookup } from "node:dns";
import { once } from "node:events";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer } from "node:net";
import type { Duplex } from "node:stream";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { provideViews } from "../../aggregation/host.ts";
import {
  type AnySource,
  csv,
  json,
  ndjson,
  prefer,
  type Resilience,
  source,
  type ViewMeta,
  view,
  xml,
} from "../../aggregation/index.ts";
import { contract, query } from "../../contracts/index.ts";
import { type Certificate, selfSigned } from "./certificate.test-d.ts";
import { createHttp } from "./client.ts";
import { countingClock, eventually, nobody, serve, toCall } from "./test-kit.test-d.ts";
import { toUpstream } from "./upstream.ts";

const Names = contract("names", "1.0.0", {
  get: query({ input: z.object({ iata: z.string() }), output: z.object({ name: z.string().optional() }) }),
});
const Row = z.object({ iata: z.string(), name: z.string() });
const formats = {
  json: (resilience: Resilience) =>
    source("hostile", { get: json("https://hostile.test/{iata}", z.looseObject({ name: z.string() })), ...resilience }),
  ndjson: (resilience: Resilience) =>
    source("hostile", { batch: ndjson("https://hostile.test/{iata}", Row), match: "iata", ...resilience }),
  csv: (resilience: Resilience) =>
    source("hostile", { batch: csv("https://hostile.test/{iata}", Row), match: "iata", ...resilience }),
  "optional csv": (resilience: Resilience) =>
    source("hostile", { batch: csv("https://hostile.test/{iata}", Row.partial()), match: "iata", ...resilience }),
  xml: (resilience: Resilience) =>
    source("hostile", {
      batch: xml("https://hostile.test/{iata}", "airports/airport", Row),
      match: "iata",
      ...resilience,
    }),
};
interface Options extends Resilience {
  readonly format?: keyof typeof formats;
  readonly budget?: "300ms" | "5s";
}

/** Asks one hostile source over real sockets, and sees to it that nothing is left behind. */
async function ask(answer: RequestListener, { format = "json", budget = "300ms", ...resilience }: Options = {}) {
  await using server = await serve(answer);
  const clock = countingClock();
  const http = createHttp();
  const hostile = formats[format]({ attempts: 1, ...resilience }) as ReturnType<typeof formats.json>; // each has a name
  const views = provideViews([view(Names.get, { budget, fields: { name: prefer(hostile) } })], {
    upstream: toUpstream(http),
    dispatch: nobody,
    clock,
    random: () => 0,
    origins: { hostile: server.url },
  });
  const began = performance.now();
  const reply = await views.providers[0]?.handle({ iata: "DAL" }, toCall(), { iata: "DAL" });
  const ms = performance.now() - began;
  const { output, meta } = reply as { readonly output: { readonly name?: string }; readonly meta: ViewMeta };
  const { state, problem } = meta.sources.hostile ?? {};
  expect(clock.timers()).toBe(0);
  // What was given up is released at once; a good connection stays for the next question until the client closes.
  if (state === "slow" || answer === endless) await eventually(() => server.asked.size === 0, 1_000);
  await http.close();
  await eventually(() => server.sockets.size === 0);
  return { name: output.name, state, problem, ms, connections: server.connections() };
}

const good = '{"name":"Dallas"}';
const send =
  (body: string | Uint8Array, headers: { readonly [name: string]: string } = {}, status = 200): RequestListener =>
  (_, response) => {
    response.writeHead(status, {
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(body)),
      ...headers,
    });
    response.end(body);
  };
const endless: RequestListener = (_, response) => {
  response.writeHead(200, { "content-type": "application/json" });
  const chunk = Buffer.alloc(256 * 1024, " ");
  const more = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on("drain", more);
  more();
};
const drip = (response: ServerResponse, chunk: string | Uint8Array, everyMs: number): void => {
  const timer = setInterval(() => response.write(chunk), everyMs);
  response.on("close", () => clearInterval(timer));
};

describe("a hostile upstream costs its fields, in time, and leaves nothing behind", () => {
  const csvType = { "content-type": "text/csv" };
  const xmlType = { "content-type": "application/xml" };
  const lol = `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">${Array.from({ length: 9 }, (_, at) => `<!ENTITY l${at} "${`&l${at - 1 < 0 ? "ol" : at - 1};`.repeat(10)}">`).join("")}]><airports><airport><iata>DAL</iata><name>&l8;</name></airport></airports>`;
  const outside =
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><airports><airport><iata>DAL</iata><name>&x;</name></airport></airports>';
  const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;

  test.each<[string, RequestListener, string, Options?]>([
    ["hangs before it says anything", () => {}, "slow"],
    [
      "hangs after the headers",
      (_, response) => void response.writeHead(200, { "content-type": "application/json" }).flushHeaders(),
      "slow",
    ],
    ["drips beyond the budget", (_, response) => drip(response.writeHead(200), " ", 20), "slow"],
    ["hangs beyond its own timeout", () => {}, "slow", { timeout: "50ms", budget: "5s" }],
    ["resets before the answer", (request) => void request.socket.resetAndDestroy(), "down"],
    [
      "resets in mid-body",
      (request, response) => {
        response.writeHead(200, { "content-length": "1000" }).write('{"name":"Dal');
        setTimeout(() => request.socket.resetAndDestroy(), 20);
      },
      "down",
    ],
    [
      "promises more than it sends",
      (request, response) => {
        response.writeHead(200, { "content-length": "1000" }).write(good);
        setTimeout(() => request.socket.end(), 20);
      },
      "down",
    ],
    [
      "says 200 with an HTML error page",
      send("<!doctype html><h1>Error</h1>", { "content-type": "text/html" }),
      "invalid",
    ],
    ["says 200 with an error page that calls itself JSON", send("<!doctype html><h1>Error</h1>"), "invalid"],
    ["sends truncated gzip", send(gzipSync(good).subarray(0, 20), { "content-encoding": "gzip" }), "invalid"],
    ["sends gzip that is none", send(good, { "content-encoding": "gzip" }), "invalid"],
    ["sends an encoding nobody offered", send(good, { "content-encoding": "snappy" }), "invalid"],
    [
      "sends a gzip bomb",
      send(gzipSync(Buffer.alloc(200 * 2 ** 20)), { "content-encoding": "gzip" }),
      "invalid",
      { budget: "5s" },
    ],
    [
      "sends a brotli bomb",
      send(brotliCompressSync(Buffer.alloc(50 * 2 ** 20)), { "content-encoding": "br" }),
      "invalid",
      { budget: "5s" },
    ],
    ["never ends", endless, "invalid", { budget: "5s" }],
    ["sends more than it may", send(JSON.stringify({ name: "x".repeat(2_000) })), "invalid", { maxBytes: 1_000 }],
    [
      "redirects to an inner address",
      send("", { location: "http://169.254.169.254/latest/meta-data" }, 302),
      "invalid",
    ],
    ["sends __proto__", send('{"name":"Dallas","__proto__":{"admin":true}}'), "invalid"],
    ["says a field twice", send('{"name":"Dallas","name":"Houston"}'), "invalid"],
    [
      "sends a charset that nobody knows",
      send(good, { "content-type": "application/json; charset=klingon" }),
      "invalid",
    ],
    [
      "sends Latin 1 and calls it UTF-8",
      send(Buffer.from('{"name":"Z\u00fcrich"}', "latin1"), { "content-type": "application/json; charset=utf-8" }),
      "invalid",
    ],
    [
      "sends more than it promises",
      (request) => void request.socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n${good}`),
      "invalid",
    ],
    [
      "promises two lengths",
      (request) => void request.socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 17\r\n\r\n${good}`),
      "down",
    ],
    [
      "breaks off between chunks",
      (request) => void request.socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"nam\r\n'),
      "down",
    ],
    [
      "sends headers without end",
      (request) => void request.socket.write(`HTTP/1.1 200 OK\r\nx: ${"x".repeat(100_000)}`),
      "down",
    ],
    ["sends __proto__ in disguise", send('{"name":"Dallas","x":[{"\\u005f_proto__":{"admin":true}}]}'), "invalid"],
    ["nests without end", send(`{"name":"Dallas","x":${deep}}`), "invalid", { budget: "5s" }],
    ["sends bytes that are not UTF-8", send(Buffer.from([0x7b, 0xff, 0xfe, 0x7d])), "invalid"],
    ["sends CSV with broken quotes", send('iata,name\nDAL,"Dallas\n', csvType), "invalid", { format: "csv" }],
    [
      "sends an error page as plain text where every column may be absent",
      send("Service temporarily unavailable\n", { "content-type": "text/plain" }),
      "invalid",
      { format: "optional csv" },
    ],
    ["sends CSV without a column", send("iata\nDAL\n", csvType), "invalid", { format: "csv" }],
    ["sends CSV records that are too long", send("iata,name\nDAL,Dallas,x\n", csvType), "invalid", { format: "csv" }],
    ["sends one broken line", send('{"iata":"HOU","name":"Hobby"}\n{"iata":"DAL",\n'), "invalid", { format: "ndjson" }],
    ["sends XML that expands without end", send(lol, xmlType), "invalid", { format: "xml" }],
    ["sends XML that points outside", send(outside, xmlType), "invalid", { format: "xml" }],
    ["sends XML that is cut short", send("<airports><airport><iata>DAL</iata>", xmlType), "invalid", { format: "xml" }],
    [
      "sends XML nested without end",
      send(`<airports>${"<a>".repeat(50_000)}${"</a>".repeat(50_000)}</airports>`, xmlType),
      "invalid",
      { format: "xml", budget: "5s" },
    ],
    ["sends another document", send("<html><body/></html>", xmlType), "invalid", { format: "xml" }],
    [
      "sends reserved names in XML",
      send("<airports><__proto__><x>1</x></__proto__></airports>", xmlType),
      "invalid",
      { format: "xml" },
    ],
    ["says that there is nothing", send("", {}, 404), "missing"],
    ["says that there are no airports", send("<airports/>", xmlType), "missing", { format: "xml" }],
    ["is overloaded", send("", {}, 503), "down"],
  ])("one that %s", async (_, answer, state, options) => {
    const result = await ask(answer, options);
    expect(result).toMatchObject({ name: undefined, state });
    expect(result.problem).toMatch(/^The source "hostile" .+\.$/);
    expect(result.problem).not.toMatch(/127\.0\.0\.1|http:/);
    expect(result.ms).toBeLessThan(options?.budget === "5s" ? 5_000 : 3_000);
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
  });

  test.each<[string, RequestListener, Options?]>([
    ["plain", send(good)],
    ["gzip", send(gzipSync(good), { "content-encoding": "gzip" })],
    [
      "brotli, in chunks",
      (_, response) =>
        void response
          .writeHead(200, { "content-encoding": "br", "content-type": "application/json" })
          .end(brotliCompressSync(good)),
    ],
    [
      "Latin 1, as it says",
      send(Buffer.from('{"name":"Dallas"}', "latin1"), { "content-type": 'application/json; charset="ISO-8859-1"' }),
    ],
    ["with a byte order mark", send(`\ufeff${good}`)],
    [
      "CSV in UTF-16",
      send(Buffer.from("\ufeffiata,name\r\nDAL,Dallas\r\n", "utf16le"), {
        "content-type": "text/csv; charset=utf-16le",
      }),
      { format: "csv" },
    ],
    [
      "XML in its own charset",
      send(
        Buffer.from(
          '<?xml version="1.0" encoding="ISO-8859-1"?><airports><airport><iata>DAL</iata><name><![CDATA[Dallas]]></name></airport></airports>',
          "latin1",
        ),
        { "content-type": "application/xml" },
      ),
      { format: "xml" },
    ],
    [
      "XML with characters by number",
      send("<airports><airport><iata>&#68;AL</iata><name>&#x44;allas</name></airport></airports>", {
        "content-type": "application/xml",
      }),
      { format: "xml" },
    ],
    [
      "NDJSON",
      send('{"iata":"HOU","name":"Hobby"}\n\n{"iata":"DAL","name":"Dallas"}\n', {
        "content-type": "application/x-ndjson",
      }),
      { format: "ndjson" },
    ],
  ])("an honest one is read: %s", async (_, answer, options) => {
    expect(await ask(answer, options)).toMatchObject({ name: "Dallas", state: "fresh" });
  });
});

describe("what goes out", () => {
  test("carries credentials, the remaining time and the accepted format, and the problem never tells them", async () => {
    const seen: IncomingMessage["headers"][] = [];
    await using server = await serve((request, response) => {
      seen.push({ ...request.headers, path: request.url });
      send("nonsense")(request, response as never); // the same response, which the listener's type narrows
    });
    const http = createHttp();
    const hostile = formats.json({ attempts: 1 });
    const views = provideViews([view(Names.get, { budget: "300ms", fields: { name: prefer(hostile) } })], {
      upstream: toUpstream(http),
      dispatch: nobody,
      clock: countingClock(),
      random: () => 0,
      origins: { hostile: `${server.url}/mirror` },
      credentials: { hostile: "Bearer s3cret" },
    });
    const traceparent = "00-11111111111111111111111111111111-2222222222222222-01";
    const span = { ...toCall().trace, traceparent, set: () => {}, event: () => {} };
    const trace = {
      ...span,
      span: (_: unknown, __: unknown, ___: unknown, work: (inside: any) => Promise<any>) =>
        work({ ...span, span: trace.span }),
    } as any; // a place in a trace that stays where it is
    const reply = await views.providers[0]?.handle({ iata: "D/L" }, toCall({ trace }), {});
    expect(seen[0]).toMatchObject({
      authorization: "Bearer s3cret",
      accept: "application/json",
      traceparent,
      path: "/mirror/D%2FL",
    });
    const remaining = Number(seen[0]?.["request-timeout-ms"]);
    expect(remaining).toBeGreaterThan(200);
    expect(remaining).toBeLessThanOrEqual(300);
    expect(JSON.stringify([reply, views.sources()])).not.toContain("s3cret");
    await http.close();
  });

  test("a name that leads inside is refused unless the settings name it, and no connection is made", async () => {
    await using server = await serve(send(good));
    const { port } = new URL(server.url);
    const http = createHttp();
    const inner = "http://metadata.localhost";
    const request = { method: "GET", headers: {}, aborted: new AbortController().signal, maxBytes: 1_000 } as const;
    for (const host of ["localhost", "127.0.0.1", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"])
      await expect(
        http.send({ ...request, url: new URL(`http://${host}:${port}/`), named: false }),
      ).rejects.toMatchObject({ kind: "forbidden" });
    expect(server.connections()).toBe(0);
    const answer = await http
      .send({ ...request, url: new URL(`http://localhost:${port}/`), named: true })
      .catch((error: unknown) => error);
    // Where localhost is ::1 first, the family is chosen by trying.
    expect(answer).toMatchObject({ status: 200 });
    await expect(http.send({ ...request, url: new URL(inner), named: false })).rejects.toBeTruthy();
    await http.close();
  });

  test("a connection that was opened for a named address is not lent to others", async () => {
    await using server = await serve(send(good));
    const { port } = new URL(server.url);
    const http = createHttp();
    const request = {
      method: "GET",
      headers: {},
      aborted: new AbortController().signal,
      maxBytes: 1_000,
      url: new URL(`http://localhost:${port}/`),
    } as const;
    await http.send({ ...request, named: true });
    await expect(http.send({ ...request, named: false })).rejects.toMatchObject({ kind: "forbidden" });
    await http.close();
  });

  test("many answers share few connections, and closing ends them all", async () => {
    await using server = await serve(send(good));
    const http = createHttp({ connections: 4 });
    const request = {
      method: "GET",
      headers: {},
      aborted: new AbortController().signal,
      maxBytes: 1_000,
      url: new URL(server.url),
      named: true,
    } as const;
    await Promise.all(Array.from({ length: 100 }, () => http.send(request)));
    expect(server.connections()).toBeLessThanOrEqual(4);
    await http.close();
    await eventually(() => server.sockets.size === 0);
  });

  test("a server that speaks no HTTP is down, and one that nobody runs too", async () => {
    const gibberish = createServer(
      (socket) =>
        void socket
          .on("error", () => {})
          .resume()
          .end("220 smtp.test ESMTP\r\n"),
    );
    gibberish.listen(0, "127.0.0.1");
    await once(gibberish, "listening");
    const { port } = gibberish.address() as { port: number };
    const http = createHttp();
    const request = {
      method: "GET",
      headers: {},
      aborted: new AbortController().signal,
      maxBytes: 1_000,
      url: new URL(`http://127.0.0.1:${port}`),
      named: true,
    } as const;
    await expect(http.send(request)).rejects.toMatchObject({ kind: "interrupted" });
    gibberish.close();
    await once(gibberish, "close");
    await expect(http.send(request)).rejects.toMatchObject({
      kind: "not connected",
      message: "cannot be reached (ECONNREFUSED)",
    });
    await http.close();
  });
});

describe("an upstream that is not who it says", () => {
  const asTls = async (certificate: Certificate, host: string, trusted?: string) => {
    const server = createTlsServer(certificate, send(good));
    const sockets = new Set<Duplex>();
    server.on("connection", (socket) => {
      sockets.add(socket.on("error", () => {}));
      socket.on("close", () => sockets.delete(socket));
    });
    server.on("tlsClientError", () => {});
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const http = createHttp(trusted === undefined ? {} : { ca: trusted });
    const clock = countingClock();
    const hostile = formats.json({ attempts: 1 });
    const views = provideViews([view(Names.get, { budget: "5s", fields: { name: prefer(hostile) } })], {
      upstream: toUpstream(http),
      dispatch: nobody,
      clock,
      random: () => 0,
      origins: { hostile: `https://${host}:${port}` },
      credentials: { hostile: "Bearer s3cret" },
    });
    const reply = (await views.providers[0]?.handle({ iata: "DAL" }, toCall(), {})) as { meta: ViewMeta };
    await http.close();
    await eventually(() => sockets.size === 0);
    expect(clock.timers()).toBe(0);
    server.close();
    await once(server, "close");
    return reply.meta.sources.hostile;
  };

  test("with a certificate that nobody vouches for is down, and one that somebody does is not", async () => {
    const own = selfSigned("localhost");
    expect(await asTls(own, "localhost")).toMatchObject({
      state: "down",
      problem: expect.stringMatching(/cannot be reached \(\w*SELF_SIGNED\w*\)/),
    });
    expect(await asTls(own, "localhost", own.cert)).toMatchObject({ state: "fresh" });
  });

  test("with another's certificate, or one whose time is over, is down", async () => {
    const others = selfSigned("other.test");
    expect(await asTls(others, "localhost", others.cert)).toMatchObject({
      state: "down",
      problem: 'The source "hostile" cannot be reached (ERR_TLS_CERT_ALTNAME_INVALID).',
    });
    const old = selfSigned("localhost", Date.now() - 60_000);
    expect(await asTls(old, "localhost", old.cert)).toMatchObject({
      state: "down",
      problem: 'The source "hostile" cannot be reached (CERT_HAS_EXPIRED).',
    });
  });
});

describe("an address that changes after it was looked at", () => {
  const request = { method: "GET", headers: {}, aborted: new AbortController().signal, maxBytes: 1_000 } as const;

  test("is not connected to: each connection looks once, and goes where it looked", async () => {
    await using server = await serve(send(good));
    const { port } = new URL(server.url);
    let looks = 0;
    // First an address of a range that is not given out, then this machine.
    const rebinding = ((_: string, __: object, done: (error: null, addresses: object[]) => void) => {
      looks += 1;
      done(null, [looks === 1 ? { address: "4000::1", family: 6 } : { address: "127.0.0.1", family: 4 }]);
    }) as typeof lookup; // as much of it as the client uses
    const http = createHttp({ resolve: rebinding, connectTimeoutMs: 200 });
    const ask = () => http.send({ ...request, url: new URL(`http://rebind.test:${port}/`), named: false });
    await expect(ask()).rejects.toMatchObject({ kind: "not connected" });
    expect(looks).toBe(1);
    await expect(ask()).rejects.toMatchObject({ kind: "forbidden" });
    expect(server.connections()).toBe(0);
    await http.close();
  });

  test("is refused where only one of its addresses is an inner one", async () => {
    await using server = await serve(send(good));
    const both = ((_: string, __: object, done: (error: null, addresses: object[]) => void) =>
      done(null, [
        { address: "4000::1", family: 6 },
        { address: "127.0.0.1", family: 4 },
      ])) as typeof lookup; // as above
    const http = createHttp({ resolve: both });
    const url = new URL(`http://both.test:${new URL(server.url).port}/`);
    await expect(http.send({ ...request, url, named: false })).rejects.toMatchObject({ kind: "forbidden" });
    expect(server.connections()).toBe(0);
    await http.close();
  });
});

describe("redirects", () => {
  const asked = async (to: string, redirects: number, location = (url: string) => url) => {
    const seen: IncomingMessage["headers"][] = [];
    await using target = await serve((request, response) => {
      seen.push(request.headers);
      send(good)(request, response as never); // the same response, which the listener's type narrows
    });
    await using server = await serve((request, response) => {
      if (request.url === "/end") send(good)(request, response as never);
      else response.writeHead(302, { location: to === "target" ? location(target.url) : to }).end();
    });
    const http = createHttp();
    const upstream = toUpstream(http);
    const answer = await upstream
      .fetch({
        source: "s",
        url: new URL(server.url),
        headers: { authorization: "Bearer s3cret" },
        aborted: new AbortController().signal,
        maxBytes: 1_000,
        remainingMs: 1_000,
        traceparent: "",
        redirects,
        named: true,
      })
      .catch((error: unknown) => error);
    await http.close();
    return { answer, seen, connections: target.connections() };
  };

  test("are answers unless they are allowed, and then followed as far as they are", async () => {
    expect((await asked("/end", 0)).answer).toMatchObject({ status: 302 });
    expect((await asked("/end", 1)).answer).toMatchObject({ status: 200 });
    expect((await asked("/again", 3)).answer).toMatchObject({ status: 302 });
  });

  test("to an inner address are refused, though the first address was named", async () => {
    for (const to of ["target", "http://169.254.169.254/latest", "http://localhost:1/", "http://[::1]/"]) {
      const { answer, connections } = await asked(to, 5);
      expect(answer).toMatchObject({ kind: "forbidden" });
      expect(connections).toBe(0);
    }
  });

  test("to something else than HTTP are not followed", async () => {
    for (const to of ["file:///etc/passwd", "gopher://localhost/", "http://["])
      expect((await asked(to, 5)).answer).toMatchObject({ kind: "unreadable" });
  });
});

test("a hundred answers over a hanging source leave no socket and no timer", async () => {
  await using server = await serve(() => {});
  const clock = countingClock();
  const http = createHttp();
  const hostile: AnySource = formats.json({ attempts: 2 });
  const views = provideViews([view(Names.get, { budget: "300ms", fields: { name: prefer(hostile) } } as any)], {
    // any source will do
    upstream: toUpstream(http),
    dispatch: nobody,
    clock,
    random: () => 0,
    origins: { hostile: server.url },
  });
  const replies = await Promise.all(
    Array.from({ length: 100 }, (_, at) => views.providers[0]?.handle({ iata: String(at) }, toCall(), {})),
  );
  const states = replies.map((reply) => (reply as { meta: ViewMeta }).meta.sources.hostile?.state);
  // 64 are under way; when they give up the breaker opens, and those that wait for a place are told at once.
  expect(states.filter((state) => state === "slow").length).toBeGreaterThanOrEqual(64);
  expect(new Set(states)).toEqual(new Set(["slow", "down"]));
  expect(clock.timers()).toBe(0);
  await eventually(() => server.asked.size === 0);
  // In place of each connection that was given up undici opens a spare one, and ends it when it was idle for 4 s.
  expect(server.sockets.size).toBeLessThanOrEqual(64);
  await eventually(() => server.sockets.size === 0, 8_000);
  expect(views.sources()[0]).toMatchObject({ breaker: { opened: 1 }, underWay: 0, queued: 0 });
  await http.close();
});

test("what the process holds after a hundred hostile answers is what it held before", {
  timeout: 120_000,
}, async () => {
  const answers: readonly RequestListener[] = [
    send(good),
    send("<!doctype html>", { "content-type": "text/html" }),
    send(gzipSync(good).subarray(0, 20), { "content-encoding": "gzip" }),
    (request) => void request.socket.resetAndDestroy(),
    (_, response) => void response.writeHead(200, { "content-length": "1000" }).write(good),
    () => {},
  ];
  const held = () =>
    process.getActiveResourcesInfo().filter((kind) => /TCP|Timeout|Immediate|TLS|DNS|FSReq/.test(kind)).length;
  const before = held();
  {
    let count = 0;
    await using server = await serve((request, response) => answers[count++ % answers.length]?.(request, response));
    const http = createHttp();
    const hostile = formats.json({ attempts: 2, breaker: false, timeout: "2s", concurrency: 32 });
    const views = provideViews([view(Names.get, { budget: "30s", fields: { name: prefer(hostile) } })], {
      upstream: toUpstream(http),
      dispatch: nobody,
      clock: countingClock(),
      random: () => 0,
      origins: { hostile: server.url },
    });
    await Promise.all(
      Array.from({ length: 96 }, (_, at) => views.providers[0]?.handle({ iata: String(at) }, toCall(), {})),
    );
    const [health] = views.sources();
    expect(health).toMatchObject({ underWay: 0, queued: 0 });
    expect(health?.samples).toHaveLength(5);
    expect(Object.keys(health?.errors ?? {})).toEqual(expect.arrayContaining(["interrupted", "timeout", "unreadable"]));
    await views.close();
    await http.close();
  }
  await eventually(() => held() <= before, 5_000);
});
