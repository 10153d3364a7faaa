import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSqlite } from "./index.ts";

let folder: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "trilith-crash-"));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

/** Appends from many clients, and prints each append's id and stream once it is acknowledged, or (`early`) before. */
const program = `
  const { openSqlite } = await import(process.argv[1]);
  const folder = process.argv[2], early = process.argv[3] === "early";
  const engine = await openSqlite({ folder }).catch((error) => { console.log("refused " + error.message); process.exit(1); });
  console.log("open");
  await engine.define({ name: "counts", columns: [], indexes: [] });
  let next = Date.now() * 100;
  await Promise.all(Array.from({ length: 32 }, async (_, client) => {
    for (;;) {
      const id = "00000000-0000-7000-8000-" + (next++).toString(16).padStart(12, "0");
      const streams = ["client/" + client, "shared/" + (client % 3)];
      const writing = engine.append("main", [{
        id, expect: [], receipt: { key: id, digest: "d" },
        events: [...streams, ...streams].map((stream) => ({ stream, type: "t.Said", version: 1, data: "1" })),
        documents: [{ collection: "counts", increment: "all", by: { appends: 1 }, initial: { appends: 0 } }],
        readers: ["r"],
      }]);
      if (early) { process.stdout.write(id + "\\n"); }
      await writing;
      if (!early) process.stdout.write(id + "\\n");
    }
  }));
`;

function start(...options: string[]): { readonly child: ChildProcess; readonly lines: AsyncIterable<string> } {
  const engine = new URL("./index.ts", import.meta.url).href;
  const child = spawn(
    process.execPath,
    ["--conditions=trilith-source", "--input-type=module", "-e", program, engine, folder, ...options],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  children.push(child);
  return { child, lines: createInterface({ input: child.stdout }) };
}

/** What was acknowledged until the process was killed, `after` so many acknowledgements. */
async function shoot(after: number, ...options: string[]): Promise<string[]> {
  const { child, lines } = start(...options);
  const acknowledged: string[] = [];
  for await (const line of lines) {
    if (line === "open") continue;
    acknowledged.push(line);
    if (acknowledged.length === after) child.kill("SIGKILL");
  }
  return acknowledged.filter((id) => id.length === 36);
}

/** Which acknowledged appends are not there; throws where one is there by half. */
async function missing(acknowledged: readonly string[]): Promise<string[]> {
  const engine = await openSqlite({ folder });
  try {
    await engine.define({ name: "counts", columns: [], indexes: [] });
    const events = new Map<string, number>();
    let position = 0;
    for (;;) {
      const page = await engine.read("main", { after: position, limit: 1_000 });
      if (page.length === 0) break;
      for (const event of page) {
        expect(event.position).toBe(++position);
        const id = event.id.slice(0, 36);
        events.set(id, (events.get(id) ?? 0) + 1);
      }
    }
    for (const [id, count] of events) {
      expect(count).toBe(4);
      expect(await engine.receipt("main", id)).toBeDefined();
    }
    const [counted] = await engine.find("counts", { key: "all", limit: 1 });
    expect((counted?.data as { appends: number } | undefined)?.appends ?? 0).toBe(events.size);
    expect(await engine.checkpoint("main", "r")).toEqual({ epoch: 1, position });
    return acknowledged.filter((id) => !events.has(id));
  } finally {
    await engine.close();
  }
}

test("after kill -9 at any moment, what was acknowledged is there and nothing is there by half", async () => {
  const acknowledged: string[] = [];
  for (let round = 0; round < 6; round++) {
    acknowledged.push(...(await shoot(1 + Math.floor(Math.random() * 800))));
    expect(await missing(acknowledged)).toEqual([]);
  }
  expect(acknowledged.length).toBeGreaterThan(6);
}, 60_000);

test("the check above can fail: an acknowledgement before the commit is caught by it", async () => {
  const acknowledged: string[] = [];
  let lost: string[] = [];
  for (let round = 0; round < 10 && lost.length === 0; round++) {
    acknowledged.push(...(await shoot(1 + Math.floor(Math.random() * 800), "early")));
    lost = await missing(acknowledged);
  }
  expect(lost.length).toBeGreaterThan(0);
}, 60_000);

test("a folder that another process holds is refused with its pid, and is free once that was killed", async () => {
  const { child, lines } = start();
  let seen = "";
  for await (const line of lines) {
    seen ||= line;
    if (line !== "open") continue;
    await expect(openSqlite({ folder })).rejects.toThrow(`is in use by process ${child.pid}.`);
    child.kill("SIGKILL");
  }
  expect(seen).toBe("open");
  const engine = await openSqlite({ folder });
  await engine.close();
});

test("a folder that may not be written is refused with a sentence", async () => {
  const closed = join(folder, "closed");
  mkdirSync(closed);
  chmodSync(closed, 0o555);
  chmodSync(folder, 0o755);
  // The permissions of files do not bind root, so the process gives them up first.
  const code = `
    const { openSqlite } = await import(process.argv[1]);
    if (process.getuid() === 0) { process.setgid(65534); process.setuid(65534); }
    await openSqlite({ folder: process.argv[2] }).then(() => console.log("open"), (error) => console.log(error.message));
    process.exit();
  `;
  const engine = new URL("./index.ts", import.meta.url).href;
  const child = spawn(
    process.execPath,
    ["--conditions=trilith-source", "--input-type=module", "-e", code, engine, closed],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  children.push(child);
  let told = "";
  for await (const line of createInterface({ input: child.stdout })) told += line;
  expect(told).toContain(`The data folder ${closed} cannot be used.`);
  expect(told).toContain("Check that");
});
