import { describe, expect, it } from "vitest";
import { z } from "zod";
import { command, contract, event, upcast } from "../contracts/index.ts";
import { tryUpcasters, withTrials } from "./upcaster-trials.ts";

const Before = z.object({ seat: z.string(), row: z.int().optional() });
const Now = z.object({ seat: z.string(), row: z.int() });
type Up = (old: z.output<typeof Before>) => z.input<typeof Now>;
const held = (up: Up) => contract("seats", "1.0.0", { Held: event(Now, { version: 2, from: [upcast(Before, up)] }) });
const forgetful = held(((old: z.output<typeof Before>) => old) as Up); // the compiler would see it

describe("an upcaster on trial", () => {
  it("passes where every shape of the old becomes one of the new", async () => {
    expect(await tryUpcasters([held(({ seat, row = 1 }) => ({ seat, row }))])).toEqual([]);
  });

  it("fails with the value where it forgets what may be missing", async () => {
    const [finding, ...others] = await tryUpcasters([forgetful]);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      rule: "event.upcaster-fails",
      subject: "seats.Held",
      counterexample: { value: { seat: "x" } },
    });
  });

  it("fails where it throws, only on what is there", async () => {
    const up = ({ seat, row }: z.output<typeof Before>) => {
      if (row !== undefined) throw new Error("no rows yet");
      return { seat, row: 1 };
    };
    const [finding] = await tryUpcasters([held(up)]);
    expect(finding?.sentence).toContain("it throws (no rows yet)");
  });

  it("is not blamed for values that its own schema refuses and JSON Schema cannot", async () => {
    const Odd = z.object({ row: z.int().refine((row) => row % 2 === 1) });
    const odd = contract("seats", "1.0.0", {
      hold: command({ input: z.object({ n: z.int() }), earlier: [upcast(Odd, ({ row }) => ({ n: (row - 1) / 2 }))] }),
    });
    expect(await tryUpcasters([odd])).toEqual([]);
  });

  it("is not tried on a shape that JSON Schema has no words for", async () => {
    const dated = upcast(z.object({ at: z.date() }), ({ at }) => ({ seat: at.toISOString(), row: 1 }));
    const odd = contract("seats", "1.0.0", { Held: event(Now, { version: 2, from: [dated] }) });
    expect(await tryUpcasters([odd])).toEqual([]);
  });

  it("leads down to what the version below reads, or nowhere", async () => {
    const withDown = (down: (now: z.output<typeof Now>) => unknown) =>
      contract("seats", "1.0.0", {
        Held: event(Now, {
          version: 2,
          from: [upcast(Before, ({ seat, row = 1 }) => ({ seat, row }), down as () => z.input<typeof Before>)],
        }),
      });
    expect(await tryUpcasters([withDown((now) => now)])).toEqual([]);
    expect(await tryUpcasters([withDown(() => undefined)])).toEqual([]);
    const [finding, ...others] = await tryUpcasters([withDown(({ row }) => ({ seat: row }))]);
    expect(others).toEqual([]);
    expect(finding?.sentence).toMatch(
      /^The way down of seats\.Held does not lead from version 2 to version 1: what comes/,
    );
    const [thrown] = await tryUpcasters([withDown(() => JSON.parse(""))]);
    expect(thrown?.sentence).toContain("it throws (");
  });

  it("keeps its contract from being published", async () => {
    const trials = await tryUpcasters([forgetful]);
    const fine = {
      contract: "seats",
      version: "1.0.0",
      change: "none",
      announced: "none",
      findings: [],
      missing: [],
    } as const;
    expect(withTrials([fine, { ...fine, contract: "trips" }], trials).map(({ missing }) => missing.length)).toEqual([
      1, 0,
    ]);
  });
});
