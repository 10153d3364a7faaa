import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { contract, event, upcast } from "../contracts/index.ts";
import { leadDown, leadUp } from "./lead.ts";

const First = z.object({ grams: z.int() });
const Second = z.object({ kilos: z.number() });
const Third = z.object({ kilos: z.number(), fragile: z.boolean().default(false) });
const toThird = upcast(
  Second,
  (old) => old,
  ({ kilos, fragile }: z.output<typeof Third>) => (fragile ? undefined : { kilos }),
);
const { Weighed, Told } = contract("parcels", "1.0.0", {
  Weighed: event(Third, {
    version: 3,
    from: [
      upcast(
        First,
        ({ grams }) => ({ kilos: grams / 1_000 }),
        ({ kilos }) => ({ grams: Math.round(kilos * 1_000) }),
      ),
      toThird,
    ],
  }),
  Told: event(Third, { version: 3, from: [upcast(First, ({ grams }) => ({ kilos: grams / 1_000 })), toThird] }),
});

describe("a stored payload", () => {
  it("is led up from every version, through schemas and steps, as a reader does it", async () => {
    expect(await leadUp(Weighed, 1, { grams: 500, left: "over" })).toEqual({ kilos: 0.5, fragile: false });
    expect(await leadUp(Weighed, 2, { kilos: 0.5 })).toEqual({ kilos: 0.5, fragile: false });
    expect(await leadUp(Weighed, 3, { kilos: 0.5, fragile: true })).toEqual({ kilos: 0.5, fragile: true });
    await expect(leadUp(Weighed, 1, { kilos: 1 })).rejects.toThrow("does not fit the schema of its version 1");
  });

  it("is led down as a writer does it, or is nothing where it cannot be said", async () => {
    expect(await leadDown(Weighed, 2, { kilos: 0.5 })).toEqual({ kilos: 0.5 });
    expect(await leadDown(Weighed, 1, { kilos: 0.5 })).toEqual({ grams: 500 });
    expect(await leadDown(Weighed, 1, { kilos: 0.5, fragile: true })).toBeUndefined();
    await expect(leadDown(Weighed, 1, { kilos: "x" as never })).rejects.toThrow("does not fit its schema");
  });

  it("comes back as it was where both ways say so", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1e9 }), async (grams) => {
        const now = await leadUp(Weighed, 1, { grams });
        expect(await leadDown(Weighed, 1, now)).toEqual({ grams });
      }),
    );
  });

  it("has to have a version that there is, and a way down in each step", async () => {
    await expect(leadUp(Weighed, 4, {})).rejects.toThrow("parcels.Weighed has no version 4. Its versions are 1 to 3.");
    await expect(leadDown(Weighed, 0, { kilos: 1 })).rejects.toThrow("has no version 0");
    expect(await leadDown(Told, 2, { kilos: 1 })).toEqual({ kilos: 1 });
    await expect(leadDown(Told, 1, { kilos: 1 })).rejects.toThrow(
      "parcels.Told does not lead down from version 3 to version 1. Give each step between them a third argument",
    );
  });
});
