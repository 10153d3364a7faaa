import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Duration, toMs } from "./duration.ts";

describe("toMs", () => {
  it.each([
    ["250ms", 250],
    ["2s", 2_000],
    ["1.5m", 90_000],
    ["10m", 600_000],
    ["12h", 43_200_000],
    ["1d", 86_400_000],
    ["1 second", 1_000],
    ["2 minutes", 120_000],
    ["2 hours", 7_200_000],
    ["2 days", 172_800_000],
    ["1 week", 604_800_000],
    ["0ms", 0],
  ] as const)("reads %s", (text, ms) => expect(toMs(text)).toBe(ms));

  it.each([
    "",
    "5",
    "ms",
    "2 fortnights",
    "-5s",
    "1e3ms",
    "1,5s",
    "5S",
    " 5s",
    "5s ",
    "5  days",
    "NaNs",
    "Infinityd",
    "5 daysx",
    ".5s",
  ])("refuses %j with a sentence that quotes it", (text) =>
    expect(() => toMs(text as Duration)).toThrow(
      `"${text}" is not a duration. Write it like "250ms", "2s" or "3 days".`,
    ),
  );

  it("reads short and long names of a unit alike", () => {
    const units = { second: "s", minute: "m", hour: "h", day: "d" } as const;
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom("second", "minute", "hour", "day"), (amount, long) => {
        const short = units[long];
        expect(toMs(`${amount} ${long}s`)).toBe(toMs(`${amount}${short}`));
        expect(toMs(`${amount} ${long}`)).toBe(toMs(`${amount}${short}`));
      }),
    );
  });
});
