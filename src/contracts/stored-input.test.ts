import { describe, expect, it } from "vitest";
import { z } from "zod";
import { upcast } from "./event.ts";
import { command } from "./operation.ts";
import { validateStored } from "./stored-input.ts";

const hold = command({
  input: z.object({ seat: z.string(), row: z.int(), name: z.string() }),
  earlier: [
    upcast(z.object({ place: z.string() }), ({ place }) => ({ seat: place, row: 1 })),
    upcast(z.object({ seat: z.string(), row: z.int() }), (old) => ({ ...old, name: "nobody" })),
  ],
});

describe("an input that was stored", () => {
  it("is read as it is now where it fits", async () => {
    const stored = { seat: "A", row: 2, name: "Ann" };
    expect(await validateStored(hold, stored)).toEqual({ ok: true, value: stored });
  });

  it("is led through every step from the shape that it has", async () => {
    expect(await validateStored(hold, { place: "A" })).toEqual({
      ok: true,
      value: { seat: "A", row: 1, name: "nobody" },
    });
    expect(await validateStored(hold, { seat: "B", row: 3 })).toEqual({
      ok: true,
      value: { seat: "B", row: 3, name: "nobody" },
    });
  });

  it("is refused with what the present shape says where it fits none", async () => {
    const read = await validateStored(hold, { desk: 1 });
    expect(read.ok || read.issues.map(({ path }) => path)).toEqual(["/seat", "/row", "/name"]);
  });

  it("is refused where a way leads to what is not its present shape", async () => {
    const lost = command({
      input: z.object({ row: z.int() }),
      earlier: [upcast(z.object({ row: z.string() }), ({ row }) => ({ row }))],
    });
    expect((await validateStored(lost, { row: "2" })).ok).toBe(false);
  });
});

describe("a deprecation", () => {
  it("has dates that are dates", () => {
    const input = z.object({});
    expect(command({ input, deprecated: { since: "2026-01-31" } }).deprecated).toEqual({ since: "2026-01-31" });
    for (const since of ["2026-02-30", "soon", "2026-1-1"])
      expect(() => command({ input, deprecated: { since } })).toThrow(/is no date/);
  });
});
