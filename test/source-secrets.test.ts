// What sources are asked with stays between them and their upstreams, however those fail and whatever they repeat.
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { encodings, hostileSettings, listen, names, secretOf, startHostileUpstream, ways } from "./hostile-upstream.ts";
import { type Program, startProgram } from "./program.ts";

const written = names.flatMap((name) => encodings.map((write) => [name, write(secretOf(name))] as const));
/** Whose secret a text has, in whatever writing. */
const leaksIn = (text: string): readonly string[] => [
  ...new Set(written.filter(([, secret]) => text.includes(secret)).map(([name]) => name)),
];

let upstream: Server;
let collector: Server;
let folder: string;
let program: Program;
let url: string;
/** Whose secret the upstream was really told. */
const told = new Set<string>();
const traces: string[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trilith-source-secrets-"));
  const hostile = await startHostileUpstream((name) => told.add(name));
  upstream = hostile.server;
  collector = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    traces.push(Buffer.concat(chunks).toString());
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  const otlp = await listen(collector);
  program = await startProgram(`exec "${process.execPath}" --conditions=trilith-source hostile-backend.ts`, {
    folder: import.meta.dirname,
    environment: {
      ...hostileSettings(hostile.url),
      TRILITH_DATA: folder,
      TRILITH_LOG: "debug",
      TRILITH_OTLP_URL: otlp,
      PORT: "0",
    },
    until: /^up at (\S+)$/m,
  });
  url = program.ready[1] ?? "";
}, 120_000);
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

it.each(Object.keys(ways))("an upstream that %s repeats no secret to a caller", { timeout: 120_000 }, async (way) => {
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
  timeout: 120_000,
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
