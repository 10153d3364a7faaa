import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { chaos } from "./chaos.ts";

const seconds = Number(process.env.CHAOS_SECONDS ?? 15);
const runs = Number(process.env.CHAOS_RUNS ?? 300);
const seed = Number(process.env.CHAOS_SEED ?? 1);

describe("three nodes on one PostgreSQL", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "trilith-chaos-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it(`lose no run and do nothing twice, while they are killed and held and PostgreSQL is restarted for ${seconds} s`, {
    timeout: (seconds + 120) * 1_000,
  }, async () => {
    const leaseMs = 2_000;
    const aftermath = await chaos({ folder, seconds, runs, seed, leaseMs });
    console.info(JSON.stringify(aftermath));
    expect(aftermath.violations).toEqual([]);
    expect(aftermath.done).toBeGreaterThan(0);
    expect(aftermath.undone).toBeGreaterThan(0);
    expect(aftermath.kills + aftermath.freezes).toBeGreaterThan(2);
    expect(aftermath.adoptionMs.count).toBeGreaterThan(0);
  });
});
