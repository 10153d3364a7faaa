// What a backend holds does not grow with what its upstreams do to it.
import { mkdtemp, rm } from "node:fs/promises";
import type { Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { hostileSettings, startHostileUpstream, ways } from "./hostile-upstream.ts";
import type { Held } from "./measuring.ts";
import { type Program, startProgram, until } from "./program.ts";

let folder: string;
let upstream: Server;
let program: Program;
let url: string;
let pid: number;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trilith-hostile-rounds-"));
  const hostile = await startHostileUpstream();
  upstream = hostile.server;
  const flags = "--expose-gc --conditions=trilith-source --import ./measuring.ts";
  program = await startProgram(`echo "pid $$"; exec "${process.execPath}" ${flags} hostile-backend.ts`, {
    folder: import.meta.dirname,
    environment: { ...hostileSettings(hostile.url), TRILITH_DATA: folder, TRILITH_LOG: "silent", PORT: "0" },
    until: /^up at (\S+)$/m,
  });
  url = program.ready[1] ?? "";
  pid = Number(/^pid (\d+)$/m.exec(program.text())?.[1]);
}, 120_000);
afterAll(async () => {
  await program?.[Symbol.asyncDispose]();
  upstream?.closeAllConnections();
  upstream?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Each way once, all at the same time; those that take their time only where it is asked for. */
async function round(withSlow: boolean): Promise<void> {
  const now = Object.keys(ways).filter((way) => withSlow || way !== "hangs");
  const paths = now.flatMap((way) => [`/asked/${way}?meta=true`, `/needed/${way}`]);
  const statuses = await Promise.all(
    paths.map(async (path) => {
      const answer = await fetch(url + path);
      await answer.arrayBuffer();
      return answer.status;
    }),
  );
  expect(new Set(statuses)).toEqual(new Set([200, 503]));
}

async function rounds(count: number): Promise<Held> {
  for (let at = 1; at <= count; at++) await round(at % 10 === 0);
  return held();
}

/** Once what is idle has been let go of. */
async function held(): Promise<Held> {
  let latest: Held = await measured();
  for (let looks = 0; looks < 60 && Object.keys(latest.handles).some((kind) => passing.test(kind)); looks++) {
    await sleep(250); // undici and this test's own client keep a connection for some seconds, and a name is looked up
    latest = await measured();
  }
  return latest;
}
const passing = /TCPSocket|TLS|GetAddrInfo|Timeout|Immediate/;

async function measured(): Promise<Held> {
  const said = (): readonly string[] => program.text().split("\nholds ").slice(1);
  const before = said().length;
  process.kill(pid, "SIGUSR2");
  await until(() => said().length > before && program.text().endsWith("\n"), "It does not say what it holds.");
  return JSON.parse(said().at(-1) ?? "") as Held;
}

it("a backend holds after many rounds of hostile answers what it held before", { timeout: 120_000 }, async () => {
  const before = await rounds(20); // what is bounded is full by now
  const after = await rounds(30);
  expect(after.handles).toEqual(before.handles);
  // On a busy machine some of it is let go of later; what is kept is kept however often one looks.
  const growth = async (): Promise<number> => (await measured()).heapBytes - before.heapBytes;
  await expect.poll(growth, { interval: 1_000 }).toBeLessThan(1_000_000);
});
