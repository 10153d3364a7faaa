// What sources are asked with stays between them and their upstreams, however those fail and whatever they repeat.
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Program, startProgram } from "./program.ts";

const names = ["bearer", "header", "queried", "batched", "list", "needed"] as const;
/** Each with what an address has to write otherwise. */
const secretOf = (name: string): string => `s3cr=t/+&${name}~x`;
const encodings: readonly ((text: string) => string)[] = [
  (text) => text,
  encodeURIComponent,
  (text) => encodeURIComponent(text).toLowerCase(),
  (text) => new URLSearchParams({ t: text }).toString().slice(2),
  (text) => JSON.stringify(text).slice(1, -1),
  (text) => text.replaceAll("&", "&amp;"),
  (text) => text.replaceAll("&", "\\u0026"),
  (text) => Buffer.from(text).toString("base64"),
  (text) => Buffer.from(text).toString("base64url"),
];
const written = names.flatMap((name) => encodings.map((write) => [name, write(secretOf(name))] as const));
/** Whose secret a text has, in whatever writing. */
const leaksIn = (text: string): readonly string[] => [
  ...new Set(written.filter(([, secret]) => text.includes(secret)).map(([name]) => name)),
];

type Way = (response: ServerResponse, echo: Echo, request: IncomingMessage) => void;
/** All that the upstream was told, in one line. */
interface Echo {
  readonly url: string;
  readonly secret: string;
  readonly all: string;
}
const say = (response: ServerResponse, status: number, type: string, body: string | Uint8Array): void =>
  void response.writeHead(status, { "content-type": type }).end(body);
/** How an upstream fails, each time repeating to its caller what that has told it. */
const ways: { readonly [way: string]: Way } = {
  refuses: (response, { all }) =>
    say(response, 401, "application/problem+json", JSON.stringify({ title: all, detail: all })),
  forbids: (response, { url }) => say(response, 403, "text/plain", `You may not ask for ${url}`),
  "is-gone": (response, { all }) => say(response, 404, "application/json", JSON.stringify({ error: all })),
  breaks: (response, { all }) => say(response, 500, "text/html", `<h1>Error</h1><pre>${all}</pre>`),
  "is-busy": (response, { secret }) =>
    void response.writeHead(503, { "retry-after": secret, "www-authenticate": `Bearer realm="${secret}"` }).end(secret),
  reasons: (response, { secret }) => void response.writeHead(502, `Bad ${secret}`).end(),
  "answers-in-part": (response, { all }) => say(response, 206, "application/json", JSON.stringify({ said: all })),
  "lies-in-html": (response, { all }) => say(response, 200, "text/html", `<title>${all}</title>`),
  "breaks-its-contract": (response, { all, secret }) =>
    say(response, 200, "application/json", JSON.stringify({ said: [all], [secret]: secret, nested: { note: all } })),
  "is-no-json": (response, { all }) => say(response, 200, "application/json", `{"said": ${all}`),
  "says-it-twice": (response, { secret }) =>
    say(response, 200, "application/json", `{"${secret}":1,"${secret}":2,"said":"x"}`),
  "knows-no-charset": (response, { secret }) =>
    say(response, 200, `application/json; charset="${secret}"`, '{"said":"x"}'),
  "is-packed-wrongly": (response, { all }) =>
    void response
      .writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" })
      .end(gzipSync(all).subarray(0, 20)),
  "packs-otherwise": (response, { secret }) =>
    void response.writeHead(200, { "content-type": "application/json", "content-encoding": secret }).end("x"),
  "breaks-off": (response, { all }) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": "5000" }).write(all);
    setTimeout(() => response.socket?.resetAndDestroy(), 20);
  },
  resets: (response) => void response.socket?.resetAndDestroy(),
  "speaks-no-http": (response, { secret }) =>
    void response.socket?.end(`NOPE ${secret}\r\n${secret}: ${secret}\r\n\r\n`),
  hangs: () => {},
  "sends-away": (response, { url }) => void response.writeHead(302, { location: `/again${url}` }).end(),
  "sends-inside": (response, { secret }) =>
    void response.writeHead(302, { location: `http://169.254.169.254/${encodeURIComponent(secret)}` }).end(),
  "sends-nowhere": (response, { secret }) =>
    void response.writeHead(302, { location: `http://[${secret}]/?${secret}` }).end(),
  "sends-to-nobody": (response, { secret }) =>
    void response.writeHead(307, { location: `https://nobody.invalid/?k=${encodeURIComponent(secret)}` }).end(),
};

let upstream: Server;
let collector: Server;
let folder: string;
let program: Program;
let url: string;
/** Whose secret the upstream was really told. */
const told = new Set<string>();
const traces: string[] = [];
const listen = async (server: Server): Promise<string> => {
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trilith-source-secrets-"));
  upstream = createServer((request, response) => {
    const asked = new URL(request.url ?? "/", "http://upstream.test");
    const name = names.find((one) => asked.pathname.includes(`/${one}/`)) ?? "";
    const secret = secretOf(name);
    const { authorization, "x-api-key": key } = request.headers;
    if ([authorization, String(key), asked.searchParams.get("api_key")].some((one) => one?.endsWith(secret)))
      told.add(name);
    const way = ways[asked.searchParams.get("way") ?? asked.pathname.split("/").at(-1) ?? ""];
    const all = `${request.url} ${JSON.stringify(request.headers)} ${encodings.map((write) => write(secret)).join(" ")}`;
    response.on("error", () => {});
    if (way) way(response, { url: request.url ?? "", secret, all }, request);
    else say(response, 500, "text/plain", all);
  });
  collector = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    traces.push(Buffer.concat(chunks).toString());
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  const [origin, otlp] = await Promise.all([listen(upstream), listen(collector)]);
  const settings = names.flatMap((name) => {
    const place = `TRILITH_SOURCE_${name.toUpperCase()}`;
    return [
      [`${place}_URL`, origin],
      [`${place}_TOKEN`, secretOf(name)],
    ];
  });
  program = await startProgram(`exec "${process.execPath}" --conditions=trilith-source secret-sources.ts`, {
    folder: import.meta.dirname,
    environment: {
      ...Object.fromEntries(settings),
      TRILITH_DATA: folder,
      TRILITH_LOG: "debug",
      TRILITH_OTLP_URL: otlp,
      PORT: "0",
    },
    until: /^up at (\S+)$/m,
  });
  url = program.ready[1] ?? "";
}, 60_000);
afterAll(async () => {
  await program?.[Symbol.asyncDispose]();
  upstream?.closeAllConnections();
  upstream?.close();
  collector?.close();
  await rm(folder, { recursive: true, force: true });
});

const read = async (path: string, init?: RequestInit): Promise<{ readonly status: number; readonly text: string }> => {
  const answer = await fetch(url + path, init);
  return { status: answer.status, text: `${JSON.stringify([...answer.headers])}\n${await answer.text()}` };
};

it("a leak would be found, in whatever writing", () => {
  for (const write of encodings) expect(leaksIn(`before ${write(secretOf("bearer"))} after`)).toContain("bearer");
});

it.each(Object.keys(ways))("an upstream that %s repeats no secret to a caller", { timeout: 30_000 }, async (way) => {
  const answers = {
    page: await read(`/asked/${way}`),
    meta: await read(`/asked/${way}?meta=true`),
    growing: await read(`/asked/${way}?meta=true`, { headers: { accept: "text/event-stream" } }),
    needed: await read(`/needed/${way}`),
    "needed, with meta": await read(`/needed/${way}?meta=true`),
    graphql: await read("/graphql", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query: `{ asked { page(way: "${way}") { bearer header queried batched } } }` }),
    }),
  };
  expect([answers.page.status, answers.needed.status >= 400]).toEqual([200, true]);
  expect(answers.meta.text).toContain('"queried"');
  for (const [what, { text }] of Object.entries(answers)) expect([what, leaksIn(text)]).toEqual([what, []]);
});

it("and none of it stands in the console, the metrics, the documents, the log, the traces or on disk", {
  timeout: 60_000,
}, async () => {
  expect([...told].sort()).toEqual([...names].sort());
  for (const path of [
    "/console/sources",
    "/console/catalog",
    "/console/storage",
    "/metrics",
    "/readyz",
    "/openapi.json",
    "/asyncapi.json",
    "/.well-known/trilith.json",
  ]) {
    const { status, text } = await read(path);
    expect([path, status, leaksIn(text)]).toEqual([path, 200, []]);
    if (path === "/console/sources") expect(text).toContain("[secret]");
  }
  const watching = await fetch(`${url}/console/feed`);
  const spans = await readUntil(watching, /"name":"needed"/);
  expect(leaksIn(spans)).toEqual([]);

  const code = await program.interrupt();
  expect(code).toBe(0);
  expect(traces.join("")).toContain('"needed"');
  expect(leaksIn(traces.join("\n"))).toEqual([]);
  const said = program.text();
  expect(said.includes('its source \\"needed\\", which is down')).toBe(true);
  expect(leaksIn(said)).toEqual([]);
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  expect(files.length).toBeGreaterThan(0);
  for (const { parentPath, name } of files)
    expect([name, leaksIn((await readFile(join(parentPath, name))).toString("latin1"))]).toEqual([name, []]);
});

/** A stream that does not end, as far as what is waited for. */
async function readUntil(answer: Response, wanted: RegExp): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of answer.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (wanted.test(text)) break;
  }
  return text;
}
