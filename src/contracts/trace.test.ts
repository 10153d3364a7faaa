import { expect, it } from "vitest";
import { silent, silentTracing } from "./trace.ts";

it("a silent trace does the work, hands it a span, and gives back what it gave or threw", async () => {
  expect(silentTracing.begin()).toBe(silent);
  expect(silentTracing.continue("00-1-2-01")).toBe(silent);
  const inside = await silent.span("step", "x", {}, async (span) => {
    span.set({ a: 1 });
    span.event("b");
    return span.traceparent;
  });
  expect(inside).toMatch(/^00-0{32}-0{16}-00$/);
  await expect(silent.span("step", "x", {}, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
});
