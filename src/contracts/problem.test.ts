import { describe, expect, it } from "vitest";
import { z } from "zod";
import { Failed, failure } from "./failure.ts";
import { Fault, faultCodes } from "./fault.ts";
import { failureType, faultType, toProblem } from "./problem.ts";

const TooHeavy = failure(422, "Too heavy.", { retry: "later", details: z.object({ most: z.number() }) });

describe("a problem document", () => {
  it("of a declared failure says which one, in a type that is stable", () => {
    expect(toProblem(new Failed("bags.check", "TooHeavy", TooHeavy, { most: 32 }))).toEqual({
      type: "urn:trilith:failure:bags.check:TooHeavy",
      title: "Too heavy.",
      status: 422,
      code: "TooHeavy",
      retry: "later",
      details: { most: 32 },
    });
  });

  it("has no empty details and no empty list of issues", () => {
    expect(toProblem(new Failed("a.b", "X", failure(409, "x")))).not.toHaveProperty("details");
    expect(toProblem(new Fault("Forbidden", "x"))).not.toHaveProperty("issues");
  });

  it("of a fault tells its title, and what happened as the detail", () => {
    const issues = [{ path: "/kilos", message: "Expected a number." }];
    expect(toProblem(new Fault("InvalidInput", "The input of bags.check is not right.", { issues }))).toEqual({
      type: "urn:trilith:fault:InvalidInput",
      title: "The input breaks the contract.",
      status: 422,
      detail: "The input of bags.check is not right.",
      code: "InvalidInput",
      retry: "never",
      issues,
    });
  });

  const secret = "password=hunter2";
  it.each([
    ["an error", new Error(secret)],
    ["a fault called Internal", new Fault("Internal", secret, { issues: [{ path: secret, message: secret }] })],
    ["a string", secret],
    ["an object that looks like a fault", { code: "Forbidden", status: 403, message: secret, issues: [] }],
    ["nothing", undefined],
  ])("of %s that nobody declared tells nothing about itself", (_what, thrown) => {
    const problem = toProblem(thrown);
    expect(problem).toMatchObject({ type: "urn:trilith:fault:Internal", status: 500, code: "Internal" });
    expect(JSON.stringify(problem)).not.toContain("hunter2");
  });

  it("has a type for every fault and failure that tells it from every other", () => {
    const types = [...faultCodes.map(faultType), failureType("a.b", "Internal"), failureType("a.c", "Internal")];
    expect(new Set(types).size).toBe(types.length);
    for (const type of types) expect(type).toMatch(/^urn:trilith:(fault|failure):\S+$/);
  });
});
