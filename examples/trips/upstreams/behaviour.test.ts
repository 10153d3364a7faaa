import { describe, expect, test } from "vitest";
import { type Behaviour, behaviourOf } from "./behaviour.ts";
import { commandLine } from "./command-line.ts";
import { seeded } from "./random.ts";
import { everyTwentyFourSeconds, sliceAt } from "./schedule.ts";
import { readSettings, type Settings, wellBehaved } from "./settings.ts";

const behaving = (settings: Partial<Settings>, now?: () => number): Behaviour =>
  behaviourOf({ ...wellBehaved, ...settings }, seeded(7), now);

const verdicts = (behaviour: Behaviour, count: number) => Array.from({ length: count }, () => behaviour.next());

describe("behaviour", () => {
  test("the same seed meets the same latencies and failures", () => {
    const settings = { errors: 0.3, latency: "5..30" };
    expect(verdicts(behaving(settings), 100)).toEqual(verdicts(behaving(settings), 100));
  });

  test("a change of settings does not shift what comes after it", () => {
    const plain = behaving({ errors: 0.3, latency: "5..30" });
    const switched = behaving({ errors: 0.3, latency: "5..30" });
    verdicts(plain, 10);
    switched.change({ mode: "down", errors: 1 });
    verdicts(switched, 10);
    switched.change({ mode: "up", errors: 0.3 });
    expect(verdicts(switched, 50)).toEqual(verdicts(plain, 50));
  });

  test("latency stays in its range and is mostly short", () => {
    const latencies = verdicts(behaving({ latency: "10..110" }), 1_000).map(({ latencyMs }) => latencyMs);
    expect(Math.min(...latencies)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...latencies)).toBeLessThanOrEqual(110);
    expect(latencies.filter((latency) => latency < 35).length).toBeGreaterThan(500);
  });

  test("about as many requests fail as the error rate says", () => {
    const failed = verdicts(behaving({ errors: 0.1 }), 2_000).filter(({ fault }) => fault === "unavailable");
    expect(failed.length).toBeGreaterThan(150);
    expect(failed.length).toBeLessThan(250);
  });

  test("a fault asked for next comes exactly once, whatever the mode", () => {
    const behaviour = behaving({ mode: "down", next: ["reset-after-work", "slow"] });
    expect(verdicts(behaviour, 3).map(({ fault }) => fault)).toEqual(["reset-after-work", "slow", "down"]);
  });

  test("a flaky service is well, then garbled, well again, then unavailable, and begins anew", () => {
    const at = (seconds: number) => sliceAt(everyTwentyFourSeconds, seconds * 1_000);
    expect([0, 13, 14, 16, 18, 23, 24, 38].map(at)).toEqual([
      "up",
      "up",
      "garbage",
      "up",
      "unavailable",
      "unavailable",
      "up",
      "garbage",
    ]);
  });

  test("the schedule's clock begins when the service is made flaky", () => {
    let nowMs = 20_000;
    const behaviour = behaving({}, () => nowMs);
    nowMs = 40_000;
    behaviour.change({ mode: "flaky" });
    expect(behaviour.slice()).toBe("up");
    nowMs += 19_000;
    expect(behaviour.next().fault).toBe("unavailable");
  });
});

describe("settings", () => {
  test.each([
    [{ mood: "up" }, /"mood" is not a setting\. There are: mode, errors/],
    [{ mode: "off" }, /"mode" must be one of up, down, slow, garbage, flaky, and not "off"/],
    [{ errors: 2 }, /"errors" must be a number from 0 to 1/],
    [{ latency: "fast" }, /"latency" must be a range of milliseconds like 5\.\.30/],
    [{ next: ["explode"] }, /"next" must be a list of down, unavailable/],
    [{ schedule: { periodMs: 10 } }, /"schedule" must be like/],
    [null, /Settings are a JSON object/],
  ])("%j is refused with a sentence", (settings, sentence) => {
    expect(() => readSettings(settings)).toThrow(sentence);
  });

  test("a flag wins over the environment, and both over the defaults", () => {
    const env = { UPSTREAM_SEED: "3", UPSTREAM_LATENCY: "1..2", UPSTREAM_DATA: "/ledger" };
    const line = commandLine(["--latency", "5..30", "--errors", "0.05"], env);
    expect(line).toEqual({ port: 0, seed: 3, data: "/ledger", settings: { latency: "5..30", errors: 0.05 } });
  });
});
