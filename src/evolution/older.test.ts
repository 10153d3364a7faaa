import { expect, it, describe as suite } from "vitest";
import { z } from "zod";
import { command, contract } from "../contracts/index.ts";
import { describe } from "./description.ts";
import { diff } from "./diff.ts";
import { emptyLock, publishedIn, withPublished } from "./lock.ts";
import { withOlder } from "./older.ts";

const toOld = (version: "1.0.0" | "1.1.0", seat = z.string()) =>
  contract("seats", version, { hold: command({ input: z.object({ seat }) }) });
const Now = contract(
  "seats",
  { version: "2.0.0", migration: "Say the row." },
  { hold: command({ input: z.object({ seat: z.string(), row: z.int() }) }) },
);
const published = publishedIn(withPublished(emptyLock, [describe(toOld("1.0.0"))]));
const missingWith = (older: ReturnType<typeof toOld>): readonly string[] =>
  withOlder(diff([describe(Now)], published), [older], published).flatMap(({ missing }) => missing);

suite("an older version that is served", () => {
  it("is what was published", () => {
    expect(missingWith(toOld("1.0.0"))).toEqual([]);
  });

  it("is refused where it was changed since, or never published", () => {
    expect(missingWith(toOld("1.0.0", z.string().max(3)))).toEqual([
      expect.stringContaining("is not what was published"),
    ]);
    expect(missingWith(toOld("1.1.0"))).toEqual([expect.stringContaining("was never published")]);
  });
});
