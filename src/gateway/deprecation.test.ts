import { expect, it } from "vitest";
import { toDeprecationHeaders } from "./deprecation.ts";

it("tells when a deprecation began as a structured date, and the last day as an HTTP date", () => {
  expect(toDeprecationHeaders({ since: "2026-01-31", sunset: "2026-12-31" })).toEqual({
    deprecation: "@1769817600",
    sunset: "Thu, 31 Dec 2026 23:59:59 GMT",
  });
});

it("tells nothing of an operation that stays, and no last day where there is none", () => {
  expect(toDeprecationHeaders(undefined)).toEqual({});
  expect(toDeprecationHeaders({ since: "2026-01-31" })).toEqual({ deprecation: "@1769817600" });
});
