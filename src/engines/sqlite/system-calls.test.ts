import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Act, afterPowerCut, toActs, traceOptions } from "../../../test/power-cut.ts";
import { straced, withoutStrace } from "../../../test/strace.ts";
import { openSqlite } from "./index.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "trilith-system-calls-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const idOf = (line: string): string => line.slice(0, 36);
const acknowledgedIn = (lines: readonly string[]): readonly string[] =>
  lines.filter((line) => line.endsWith(" acknowledged")).map(idOf);

const story = fileURLToPath(new URL("../../../test/sqlite-story.ts", import.meta.url));
const longStory = fileURLToPath(new URL("../../../test/sqlite-long-story.ts", import.meta.url));
const calls = "trace=pwrite64,fsync,fdatasync";
/** Three appends in two commits, with something in the way of a call. */
function tellWith(place: string, injected: string, more: readonly string[] = []): Promise<readonly string[]> {
  mkdirSync(place);
  const options = [...more, "-o", "/dev/null", "-e", calls, "-e", `inject=${injected}`];
  return straced(story, [place, "1", "2"], options);
}
/** With it strace stops only at the calls that it is told; but what it stops at so cannot be killed. */
const quick = ["--seccomp-bpf"];

/** Opens what a process has left; which of its appends are there. Throws where one is there by half. */
async function look(place: string): Promise<ReadonlySet<string>> {
  const engine = await openSqlite({ folder: place });
  try {
    await engine.define({ name: "counts", columns: [], indexes: [] });
    const events = await engine.read("main", { after: 0, limit: 1_000 });
    expect(events.map(({ position }) => position)).toEqual(events.map((_, index) => index + 1));
    const appends = Map.groupBy(events, ({ id }) => idOf(id));
    for (const [id, written] of appends) {
      expect([id, written.length]).toEqual([id, 2]);
      expect(await engine.receipt("main", id)).toMatchObject({ key: id });
    }
    const [counted] = await engine.find("counts", { key: "all", limit: 1 });
    expect((counted?.data as { n: number } | undefined)?.n ?? 0).toBe(appends.size);
    return new Set(appends.keys());
  } finally {
    await engine.close();
  }
}

/** The calls of a kind of the thread that has most of them: where one is to be met, strace counts by thread. */
const most = (acts: readonly Act[], kind: Act["kind"]): readonly Act[] => {
  const ofKind = acts.filter((act) => act.kind === kind);
  const byThread = [...Map.groupBy(ofKind, ({ thread }) => thread).values()];
  return byThread.reduce((a, b) => (b.length > a.length ? b : a));
};

/** Several at a time: most of what each does is to wait. */
async function each<T>(all: readonly T[], work: (one: T, index: number) => Promise<void>): Promise<void> {
  const rest = all.entries();
  await Promise.all(
    Array.from({ length: 3 }, async () => {
      for (const [index, one] of rest) await work(one, index);
    }),
  );
}

/** Tells a story once, with nothing in its way, and notes what it does. */
async function tell(
  [alone, together]: readonly [number, number],
  options: readonly string[] = [],
): Promise<{ lines: readonly string[]; acts: readonly Act[] }> {
  const trace = join(folder, "trace");
  const args = [join(folder, "told"), String(alone), String(together)];
  const lines = await straced(story, args, [...traceOptions, ...quick, ...options, "-o", trace]);
  return { lines, acts: toActs(readFileSync(trace, "utf8")) };
}

describe.skipIf(withoutStrace !== undefined)(`system calls${withoutStrace ? ` (${withoutStrace})` : ""}`, () => {
  test("killed at whichever of its writes and flushes, it has what it acknowledged, and nothing by half", async () => {
    const { lines, acts } = await tell([1, 2]);
    expect(acknowledgedIn(lines)).toHaveLength(3);
    // Of the many writes of a transaction the first and the last, and every seventh of those between: what has not come
    // as far as its last one counts for nothing, wherever it ended.
    const atAnEdge = (act: Act): boolean => {
      const at = acts.indexOf(act);
      return acts.slice(Math.max(0, at - 2), at + 3).some(({ kind }) => kind !== "write");
    };
    const cases = [
      ...most(acts, "sync").map((_, n) => `fsync,fdatasync:signal=KILL:when=${n + 1}`),
      ...most(acts, "write").flatMap((act, n) =>
        n % 7 === 0 || atAnEdge(act) ? [`pwrite64:signal=KILL:when=${n + 1}`] : [],
      ),
    ];
    expect(cases.length).toBeGreaterThan(30);
    let cut = 0;
    await each(cases, async (injected, index) => {
      const place = join(folder, String(index));
      const said = await tellWith(place, injected);
      if (!said.includes("closed")) cut++;
      const there = await look(place);
      expect([injected, acknowledgedIn(said).filter((id) => !there.has(id))]).toEqual([injected, []]);
    });
    expect(cut).toBeGreaterThan(cases.length - 4); // the last ones of a thread that has more of them elsewhere
  }, 240_000);

  test("a flush that fails is said, acknowledges nothing, and ends the writing", async () => {
    const { acts } = await tell([1, 2]);
    let failed = 0;
    await each(most(acts, "sync"), async (_, index) => {
      const place = join(folder, String(index));
      const injected = `fsync,fdatasync:error=EIO:when=${index + 1}`;
      const said = await tellWith(place, injected, quick);
      const there = await look(place);
      expect(acknowledgedIn(said).filter((id) => !there.has(id))).toEqual([]);
      const told = said.filter((line) => !/ acknowledged$|^(defined|closed)$/.test(line));
      if (told.length === 0) return; // it was a folder's, or the last of all
      failed++;
      expect(told[0]).toMatch(/The disk failed while it was (read or )?written\. \(/);
      const first = said.indexOf(told[0] ?? "");
      expect(acknowledgedIn(said.slice(first))).toEqual([]);
      const { length } = told.filter((line) => / Unavailable unknown /.test(line));
      expect(length).toBeLessThanOrEqual(3); // what came later was not tried
      for (const line of told.filter((one) => / Unavailable not done /.test(one)))
        expect(there.has(idOf(line))).toBe(false);
    });
    expect(failed).toBeGreaterThan(2);
  }, 120_000);

  test("a flush of the database file that fails beside the writer ends the writing, and nothing is lost", async () => {
    const place = join(folder, "long");
    const tell = (appends: number, options: readonly string[]) =>
      straced(longStory, [place, String(appends)], [...quick, "-o", "/dev/null", ...options]);
    expect((await tell(8, ["-e", "trace=fsync"]))[0]).toBe("8 acknowledged"); // the file is there
    const injected = ["-e", "trace=fsync", "-P", join(place, "trilith.db"), "-e", "inject=fsync:error=EIO:when=1"];
    const [said, why] = await tell(1_600, injected);
    const acknowledged = Number(said?.split(" ")[0]);
    expect(why).toContain("The disk failed while the log was copied into the database file.");
    expect(acknowledged).toBeGreaterThan(100);
    expect(acknowledged).toBeLessThan(1_592);
    const engine = await openSqlite({ folder: place });
    try {
      expect((await engine.head("main")).position).toBeGreaterThanOrEqual(8 + acknowledged);
      expect(await engine.check()).toEqual([]);
    } finally {
      await engine.close();
    }
  });

  /** Which acknowledged appends are gone where the power goes, over all moments of a story. */
  async function lost(acts: readonly Act[], kept: () => boolean): Promise<ReadonlySet<string>> {
    const gone = new Set<string>();
    const looks = new Map<string, Promise<ReadonlySet<string>>>(); // by what the disk has, which is often the same
    const moments = acts.flatMap((act, n) => (act.kind === "sync" || act.kind === "say" ? [n + 1] : []));
    await each(moments, async (moment, index) => {
      const before = acts.slice(0, moment);
      const place = join(folder, `cut-${index}`);
      afterPowerCut(before, place, kept);
      const disk = createHash("sha256");
      for (const name of readdirSync(place)) disk.update(`${name}\n`).update(readFileSync(join(place, name)));
      const state = disk.digest("hex");
      const looked = looks.get(state) ?? look(place);
      looks.set(state, looked);
      const there = await looked;
      const said = before.flatMap((act) => (act.kind === "say" ? act.text.trimEnd().split("\n") : []));
      for (const id of acknowledgedIn(said)) if (!there.has(id)) gone.add(id);
      rmSync(place, { recursive: true });
    });
    return gone;
  }

  test("when the power goes, what was acknowledged is there, whatever else was on its way to the disk", async () => {
    const { acts, lines } = await tell([4, 3]);
    expect(acknowledgedIn(lines)).toHaveLength(7);
    expect([...(await lost(acts, () => false))]).toEqual([]);
    expect(acts.slice(0, 5)).toContainEqual(expect.objectContaining({ kind: "sync", path: folder })); // in which the data folder was made
    expect([...(await lost(acts, () => Math.random() < 0.5))]).toEqual([]);
  }, 120_000);

  test("the check above can fail: where flushes do nothing, what was acknowledged is lost", async () => {
    const { acts, lines } = await tell([4, 3], ["-e", "inject=fsync,fdatasync:retval=0"]);
    expect(acknowledgedIn(lines)).toHaveLength(7);
    expect(acts.filter(({ kind }) => kind === "sync")).toEqual([]);
    expect((await lost(acts, () => false)).size).toBe(7);
  }, 120_000);
});
