import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { tripsUnderFire } from "./trips-under-fire.ts";

describe("trips under fire", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "trilith-crash-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("are each ticketed or undone, and the payment service's books agree to the cent, after 20 kills of the process", {
    timeout: 240_000,
  }, async () => {
    const aftermath = await tripsUnderFire({ folder, rounds: 20, clients: 200, seed: 1 });
    console.info(JSON.stringify(aftermath));
    expect(aftermath.violations).toEqual([]);
    expect(aftermath.struck).toBeGreaterThan(20 * 100);
    expect(aftermath.ticketed).toBeGreaterThan(0);
    expect(aftermath.undone).toBeGreaterThan(0);
  });

  it("are not, where the payment is no journaled step: this test can fail", { timeout: 120_000 }, async () => {
    const aftermath = await tripsUnderFire({
      file: "./unjournaled-backend.ts",
      folder,
      rounds: 4,
      clients: 50,
      seed: 2,
    });
    expect(aftermath.violations.join("\n")).toMatch(/belongs to no trip/);
  });
});
