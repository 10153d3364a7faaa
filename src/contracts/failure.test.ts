import { describe, expect, it } from "vitest";
import { z } from "zod";
import { Failed, failure, toFail } from "./failure.ts";

describe("failure", () => {
  it("is plain, frozen data; a retry never helps unless it says so", () => {
    const SoldOut = failure(409, "No seat is left.");
    expect(SoldOut).toEqual({ kind: "failure", status: 409, message: "No seat is left.", retry: "never" });
    expect(Object.isFrozen(SoldOut)).toBe(true);
  });

  it("carries the schema of what is told with it", () => {
    const details = z.object({ most: z.number() });
    expect(failure(422, "Too heavy.", { retry: "later", details })).toMatchObject({ retry: "later", details });
  });

  it.each([200, 302, 399, 600, 404.5, Number.NaN])("refuses the status %d", (status) => {
    expect(() => failure(status, "x")).toThrow(`A failure has an HTTP status from 400 to 599; ${status} is not one.`);
  });

  it.each([400, 599])("takes the status %d", (status) => expect(failure(status, "x").status).toBe(status));
});

describe("toFail", () => {
  const fail = toFail("bags.check", {
    TooHeavy: failure(422, "Too heavy.", { retry: "now", details: z.object({ most: z.number() }) }),
    SoldOut: failure(409, "No seat is left."),
  });

  it("gives one function for each declared failure", () => expect(Object.keys(fail)).toEqual(["TooHeavy", "SoldOut"]));

  it("throws the failure with its operation, code, status, retry and details", () => {
    const thrown = thrownBy(() => fail.TooHeavy({ most: 32 }));
    expect(thrown).toBeInstanceOf(Failed);
    expect(thrown).toMatchObject({
      name: "Failed",
      operation: "bags.check",
      code: "TooHeavy",
      status: 422,
      retry: "now",
      message: "Too heavy.",
      details: { most: 32 },
    });
  });

  it("tells nothing more where nothing more was said", () => {
    expect(thrownBy(() => fail.SoldOut())).toMatchObject({ code: "SoldOut", details: undefined });
  });
});

function thrownBy(work: () => unknown): unknown {
  try {
    return expect.unreachable(String(work()));
  } catch (error) {
    return error;
  }
}
