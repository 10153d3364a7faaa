import { describe, expect, it } from "vitest";
import { z } from "zod";
import { adapt, plainName } from "./adapt.ts";
import { contract } from "./contract.ts";
import { failure } from "./failure.ts";
import { command, query } from "./operation.ts";
import { toProblem } from "./problem.ts";

const Old = contract("seats", "1.0.0", {
  hold: command({ input: z.object({ seat: z.string() }), failures: { Taken: failure(409, "It is taken.") } }),
  look: query({ input: z.object({}), output: z.array(z.string()) }),
});
const Now = contract("seats", "2.0.0", {
  hold: command({
    input: z.object({ row: z.int(), letter: z.string() }),
    failures: { Sold: failure(409, "It is sold.", { details: z.object({ to: z.string() }) }) },
  }),
  map: query({ input: z.object({}), output: z.array(z.object({ row: z.int(), letter: z.string() })) }),
});
const since = { since: "2026-11-01" };
const up = ({ seat }: { seat: string }) => ({ row: Number.parseInt(seat, 10), letter: seat.slice(-1) });
const adapted = adapt(Old, Now, since, {
  hold: { up, failures: { Sold: ({ to }) => ({ code: to === "" ? "Taken" : "Taken" }) } },
  look: { to: "map", down: (map) => map.map(({ row, letter }) => `${row}${letter}`) },
});

describe("an older version that is adapted", () => {
  it("keeps its operations under names of its own, deprecated, each with its way to the present one", () => {
    const [hold, look] = adapted.ways;
    expect([hold?.older.id, hold?.present.id, look?.older.id, look?.present.id]).toEqual([
      "seats@1.hold",
      "seats.hold",
      "seats@1.look",
      "seats.map",
    ]);
    expect(hold?.older).toMatchObject({ deprecated: since, about: { name: "seats@1", version: "1.0.0" } });
    expect(hold?.up?.({ seat: "12C" })).toEqual({ row: 12, letter: "C" });
    expect(look?.down?.([{ row: 12, letter: "C" }])).toEqual(["12C"]);
  });

  it("tells failures by the types that its callers know, and has none for what is not mapped", () => {
    const failed = adapted.ways[0]?.failure("Sold", { to: "Ada" });
    expect(toProblem(failed)).toMatchObject({
      type: "urn:trilith:failure:seats.hold:Taken",
      code: "Taken",
      status: 409,
    });
    expect(adapted.ways[0]?.failure("Unheard", undefined)).toBeUndefined();
    expect([plainName("seats@1"), plainName("seats@1.hold"), plainName("seats.hold")]).toEqual([
      "seats",
      "seats.hold",
      "seats.hold",
    ]);
  });

  it("is refused where a way is missing, in types and when it is declared", () => {
    // @ts-expect-error hold takes another input now, and look is gone
    expect(() => adapt(Old, Now, since, {})).toThrow('"seats" 2.0.0 has no operation "look"');
    // @ts-expect-error Sold is a failure that the older version does not know
    adapt(Old, Now, since, { hold: { up }, look: { to: "map", down: () => [] } });
  });

  it("is an older major version of the same contract", () => {
    const Other = contract("rows", "2.0.0", {});
    const Minor = contract("seats", "1.2.0", {});
    // @ts-expect-error another name
    expect(() => adapt(contract("seats", "1.0.0", {}), Other, since, {})).toThrow("two contracts, not two versions");
    expect(() => adapt(contract("seats", "1.0.0", {}), Minor, since, {})).toThrow("adapted to a newer one");
  });
});
