import { describe, expect, it } from "vitest";
import { Fault, faultCodes } from "./fault.ts";

describe("a fault", () => {
  it.each(faultCodes)("%s has a status, a title and an advice of its own", (code) => {
    const fault = new Fault(code, "What happened.");
    expect(fault).toMatchObject({ name: "Fault", code, message: "What happened.", issues: [] });
    expect(fault.status).toBeGreaterThanOrEqual(400);
    expect(fault.status).toBeLessThanOrEqual(599);
    expect(fault.title).toMatch(/^[A-Z].*\.$/);
    expect(["never", "later", "now"]).toContain(fault.retry);
  });

  it("promises that nothing was done only where the caller was refused, or where it is said", () => {
    for (const code of faultCodes) {
      const { status, outcome } = new Fault(code, "x");
      expect(outcome).toBe(status < 500 ? "not done" : "unknown");
    }
    expect(new Fault("Unavailable", "The queue is full.", { outcome: "not done" }).outcome).toBe("not done");
  });

  it("carries its issues, its cause and another advice on retrying where it is given one", () => {
    const cause = new Error("ECONNRESET");
    const issues = [{ path: "/a", message: "Too short." }];
    const fault = new Fault("Unavailable", "x", { cause, issues, retry: "now" });
    expect(fault).toMatchObject({ cause, issues, retry: "now" });
    expect("cause" in new Fault("Unavailable", "x")).toBe(false);
  });

  it("has codes that cannot be added to", () => expect(Object.isFrozen(faultCodes)).toBe(true));
});
