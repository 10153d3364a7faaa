import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openPostgres } from "trilith/postgres";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Running } from "../src/runtime/index.ts";
import { openDatabase, type TestDatabase } from "./shared-postgres.ts";
import { type SkippingClock, skippingClock } from "./skipping-clock.ts";
import { Notes, starting, Works } from "./starting-backend.ts";

let postgres: TestDatabase;
beforeAll(async () => {
  postgres = await openDatabase();
}, 120_000);
afterAll(() => postgres.remove());

const hour = 3_600_000;
const patiently = { timeout: 60_000, interval: 20 };

describe.each(["sqlite", "postgres"])("on %s", (engine) => {
  let data: string;
  let schema: string;
  let clock: SkippingClock;
  let running: Running;
  const others: Running[] = [];
  const start = async () =>
    starting.start({
      environment: { PORT: "0", TRILITH_DATA: data, TRILITH_LOG: "fatal" },
      clock,
      ...(engine === "postgres" && { engine: await openPostgres({ url: postgres.url, schema }) }),
    });
  const restart = async (): Promise<void> => {
    await running.stop();
    running = await start();
  };
  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), "trilith-starting-"));
    schema = postgres.freshSchema();
    clock = skippingClock(1);
    clock.skip(2 * hour - (clock.now() % hour) - hour / 2); // half past some hour
    running = await start();
  });
  afterEach(async () => {
    for (const one of [running, ...others.splice(0)]) await one.stop();
    await rm(data, { recursive: true, force: true });
  });

  const notes = (): Promise<readonly string[]> => running.client(Notes).list({});
  const reports = async () => (await notes()).filter((note) => note.startsWith("report"));
  const post = (path: string, body: unknown, headers: { readonly [name: string]: string } = {}) =>
    fetch(`${running.url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
  const get = async (path: string) => (await (await fetch(`${running.url}${path}`)).json()) as { [field: string]: any };

  it("a run that is asked for later is a row until then, over restarts, and its own time begins with it", async () => {
    const due = new Date(clock.now() + 10 * hour);
    const { run } = await running.begin(Works.copy, { note: "x" }, { startAt: due, key: "k" });
    expect((await running.history(run)).entries).toMatchObject([{ type: "Started", at: due.getTime() }]);
    await restart();
    expect(await running.begin(Works.copy, { note: "x" }, { startAt: due, key: "k" })).toEqual({ run });
    expect(await notes()).toEqual([]);
    clock.skip(10 * hour);
    await expect.poll(notes, patiently).toContain(`copy of x, ${due.toISOString().slice(0, 16)}`);
  });

  it("a header says when a run begins, and the answer comes at once; a signal does not hurry it", async () => {
    const answer = await post("/copies", { note: "x" }, { "start-after-ms": String(3 * hour) });
    expect(answer.status).toBe(202);
    const { location } = (await answer.json()) as { location: string };
    const asked = { "idempotency-key": "k", "start-at": new Date(clock.now() + hour).toISOString() };
    expect((await post("/copies", { note: "y" }, asked)).status).toBe(202);
    expect((await post(`${location}/signals/hurry`, { note: "now" })).status).toBe(202);
    clock.skip(2 * hour);
    await expect.poll(async () => (await notes()).some((note) => note.startsWith("copy of y")), patiently).toBe(true);
    expect((await notes()).some((note) => note.startsWith("copy of x"))).toBe(false);
    clock.skip(hour);
    await expect.poll(async () => (await notes()).some((note) => note.startsWith("copy of x")), patiently).toBe(true);
  });

  it("a time that is none, and a command that is done at once, are refused", async () => {
    const refused = async (path: string, headers: { readonly [name: string]: string }) => {
      const answer = await post(path, { note: "x" }, headers);
      return [answer.status, ((await answer.json()) as { detail: string }).detail];
    };
    expect(await refused("/copies", { "start-at": "tomorrow" })).toEqual([
      422,
      expect.stringContaining("2026-05-01T06:00:00Z"),
    ]);
    expect(await refused("/copies", { "start-after-ms": "-1" })).toEqual([422, expect.stringContaining("60000")]);
    expect(await refused("/copies", { "start-after-ms": "1", "start-at": "2026-05-01T06:00:00Z" })).toEqual([
      422,
      expect.stringContaining("not both"),
    ]);
    expect(await refused("/notes", { "start-after-ms": "1000" })).toEqual([
      422,
      expect.stringContaining("done at once"),
    ]);
  });

  it("a run with limits that is asked for later takes its place in line when its time has come", async () => {
    await running.begin(Works.narrow, { note: "later" }, { delay: "1 hour" });
    const { run } = await running.begin(Works.narrow, { note: "now" });
    await expect.poll(notes, patiently).toContain("in now");
    await expect.poll(async () => (await running.runs.status(run))?.state, patiently).toBe("waiting");
    clock.skip(2 * 60_000);
    await expect.poll(notes, patiently).toContain("out now");
    await running.begin(Works.narrow, { note: "before" }, { delay: "57 minutes" });
    clock.skip(58 * 60_000);
    await expect.poll(async () => (await notes()).filter((note) => note.startsWith("in ")).length, patiently).toBe(2);
    const skipping = async (what: string): Promise<number> => {
      clock.skip(2_000); // again and again, and never by a lease: the node would lose its runs
      return (await notes()).filter((note) => note.startsWith(what)).length;
    };
    const slowly = { ...patiently, interval: 75 }; // so that a busy machine renews its lease between them
    await expect.poll(() => skipping("in "), slowly).toBe(3);
    await expect.poll(() => skipping("out "), slowly).toBe(3);
    const order = (await notes()).filter((note) => !note.startsWith("report") && !note.startsWith("copy"));
    for (let at = 0; at < order.length; at += 2) expect(order[at + 1]).toBe(order[at]?.replace("in ", "out "));
  });

  it("an event begins one run, and events of one key begin one", async () => {
    await running.client(Notes).write({ note: "a" });
    await running.client(Notes).write({ note: "a" });
    const copies = async () => (await notes()).filter((note) => note.startsWith("copy of a"));
    await expect.poll(copies, patiently).toHaveLength(1);
    await restart();
    await running.client(Notes).write({ note: "b" });
    await expect.poll(async () => (await notes()).some((note) => note.startsWith("copy of b")), patiently).toBe(true);
    expect(await copies()).toHaveLength(1);
  });

  it("an event that is handed over while the backend stops begins its run after the restart", async () => {
    for (const note of ["c", "d", "e"]) {
      await running.client(Notes).write({ note });
      await restart();
    }
    const copied = async () => (await notes()).map((note) => /^copy of (.), /.exec(note)?.[1]).filter((note) => note);
    await expect.poll(async () => new Set(await copied()), patiently).toEqual(new Set(["c", "d", "e"]));
    expect(await copied()).toHaveLength(3);
  });

  it("a schedule begins a run an hour, over restarts and nodes, makes up for what was missed, and can be paused", async () => {
    if (engine === "postgres") others.push(await start(), await start());
    clock.skip(hour);
    await expect.poll(reports, patiently).toHaveLength(1);
    for (const one of others.splice(0)) await one.stop();
    await running.stop();
    clock.skip(3 * hour);
    running = await start();
    await expect.poll(reports, patiently).toHaveLength(4);
    expect(new Set(await reports()).size).toBe(4);
    expect(await running.schedules()).toMatchObject([{ name: "works.report", paused: false, waiting: 0 }]);
    await running.pauseSchedule("works.report");
    await restart();
    clock.skip(2 * hour);
    expect(await running.schedules()).toMatchObject([{ paused: true, next: undefined }]);
    await running.resumeSchedule("works.report");
    clock.skip(hour);
    await expect.poll(reports, patiently).toHaveLength(5);
  });

  it("a machine lives over restarts and stretches of its journal, and shows where it is", async () => {
    const { run } = (await (await post("/doors", { note: "door" }, { prefer: "wait=0" })).json()) as { run: string };
    const progress = async () => (await get(`/runs/${run}`)).progress;
    for (let opened = 1; opened <= 3; opened++) {
      await expect.poll(progress, patiently).toEqual({ state: "shut", opened: opened - 1 });
      await post(`/runs/${run}/signals/push`, {});
      await expect.poll(progress, patiently).toEqual({ state: "open", opened });
      await restart();
      clock.skip(hour + 1_000);
    }
    await post(`/runs/${run}/signals/lock`, {});
    await expect.poll(async () => (await get(`/runs/${run}`)).output, patiently).toEqual({ opened: 3 });
    expect((await notes()).filter((note) => note.startsWith("door"))).toEqual([
      "door opened 1",
      "door opened 2",
      "door opened 3",
    ]);
    const entries = (await running.history(run)).entries;
    expect(entries.filter(({ type }) => type === "Continued").length).toBeGreaterThanOrEqual(2);
  });
});

it("an event whose run has begun when the process is killed, before that is noted, begins no other run", async () => {
  const folder = await mkdtemp(join(tmpdir(), "trilith-starting-"));
  const file = fileURLToPath(new URL("starting-backend.ts", import.meta.url));
  const child = spawn(process.execPath, ["--conditions=trilith-source", file, folder], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const [, signal] = (await once(child, "close")) as [number | null, string | null];
  expect(signal).toBe("SIGKILL");
  const running = await starting.start({ environment: { PORT: "0", TRILITH_DATA: folder, TRILITH_LOG: "fatal" } });
  const list = () => running.client(Notes).list({});
  await running.client(Notes).write({ note: "b" });
  await expect.poll(async () => (await list()).some((note) => note.startsWith("copy of b")), patiently).toBe(true);
  expect((await list()).filter((note) => note.startsWith("copy of a"))).toHaveLength(1);
  await running.stop();
  await rm(folder, { recursive: true, force: true });
});
