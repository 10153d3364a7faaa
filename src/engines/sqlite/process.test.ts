import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Found, prepareFolder } from "../../../test/sqlite-writer.ts";
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

/** How often a writer is shot: CRASH_ROUNDS says otherwise. */
const rounds = Number(process.env.CRASH_ROUNDS ?? 100);

interface Writer {
  readonly child: ChildProcess;
  /** Lets it open the folder; what it found there after a position. */
  go(after: number): Promise<Found>;
  /** Kills it; what it had acknowledged. */
  kill(): Promise<readonly string[]>;
}
/** A process that has loaded its code and waits: opening is all that is left to do when its turn comes. */
function prepare(...options: string[]): Writer {
  const file = fileURLToPath(new URL("../../../test/sqlite-writer.ts", import.meta.url));
  const child = spawn(process.execPath, ["--conditions=trilith-source", file, folder, ...options], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  children.push(child);
  child.stdin.on("error", () => {}); // it may have been killed before it was asked
  const found = Promise.withResolvers<Found>();
  const acknowledged: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line.startsWith("{")) found.resolve(JSON.parse(line) as Found);
    else if (line.length === 36) acknowledged.push(line);
    else if (line.startsWith("refused")) found.reject(new Error(line));
  });
  const closed = once(child, "close");
  return {
    child,
    go: (after) => {
      child.stdin.write(`${after}\n`);
      return found.promise;
    },
    kill: async () => {
      child.kill("SIGKILL");
      await closed;
      return acknowledged;
    },
  };
}

/** What has been read of a log that is written by one process after the other. */
class Reader {
  position = 0;
  readonly #appends = new Set<string>();
  readonly #revisions = new Map<string, number>();

  /** Throws where something is there by half. */
  take({ position, epoch, counted, events, withoutReceipt }: Found): void {
    const sizes = new Map<string, number>();
    for (const { append, stream, revision } of events) {
      expect(revision).toBe((this.#revisions.get(stream) ?? -1) + 1);
      this.#revisions.set(stream, revision);
      sizes.set(append, (sizes.get(append) ?? 0) + 1);
    }
    for (const [append, size] of sizes) {
      expect([append, size]).toEqual([append, 4]);
      this.#appends.add(append);
    }
    this.position += events.length;
    expect({ counted, withoutReceipt }).toEqual({ counted: this.#appends.size, withoutReceipt: [] });
    expect({ epoch, position }).toEqual({ epoch: 1, position: this.position });
  }

  missing(acknowledged: readonly string[]): readonly string[] {
    return acknowledged.filter((id) => !this.#appends.has(id));
  }
}

test(
  `after kill -9 at any moment, ${rounds} times, what was acknowledged is there and nothing is there by half`,
  async () => {
    await prepareFolder(folder);
    const reader = new Reader();
    let acknowledged: readonly string[] = [];
    let all = 0;
    let next = prepare();
    for (let round = 0; round <= rounds; round++) {
      const writer = next;
      const opened = writer.go(reader.position);
      next = prepare();
      // One in ten is shot while it opens.
      if (round % 10 !== 9) {
        reader.take(await opened);
        expect(reader.missing(acknowledged)).toEqual([]);
        acknowledged = [];
      } else opened.catch(() => {});
      await pause(Math.random() * 60);
      const said = await writer.kill();
      acknowledged = [...acknowledged, ...said];
      all += said.length;
    }
    reader.take(await next.go(reader.position));
    expect(reader.missing(acknowledged)).toEqual([]);
    expect(all).toBeGreaterThan(rounds);
    await next.kill();
    const engine = await openSqlite({ folder });
    expect(await engine.check()).toEqual([]);
    await engine.close();
    // Entries of old streams moved on the way.
    const file = new DatabaseSync(join(folder, "trilith.db"), { readOnly: true });
    expect(Number(file.prepare("select count(*) n from event_1_entry").get()?.n)).toBeGreaterThan(100);
    file.close();
  },
  30_000 + 3_000 * rounds,
);

test("the check above can fail: an acknowledgement before the commit is caught by it", async () => {
  const reader = new Reader();
  let missing: readonly string[] = [];
  for (let round = 0; round < 20 && missing.length === 0; round++) {
    const writer = prepare("early");
    await writer.go(reader.position).then((found) => reader.take(found));
    await pause(Math.random() * 60);
    const said = await writer.kill();
    const after = prepare();
    reader.take(await after.go(reader.position));
    missing = reader.missing(said);
    await after.kill(); // what it wrote itself is read by the next
  }
  expect(missing.length).toBeGreaterThan(0);
}, 120_000);

test("a folder that another process holds is refused with its pid, and is free once that was killed", async () => {
  const first = prepare();
  await first.go(0);
  await expect(openSqlite({ folder })).rejects.toThrow(`is in use by process ${first.child.pid}.`);
  await first.kill();
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
