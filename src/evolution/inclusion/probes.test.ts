import { expect, it } from "vitest";
import { Comparison } from "./inclusion.ts";
import { found, none } from "./outcome.ts";
import { probesOf } from "./probes.ts";

it("tries the bounds and constants of each place in a value, through references and lists", () => {
  const schema = {
    properties: {
      price: { type: "number", multipleOf: 0.01, maximum: 0.29 },
      seats: { items: { $ref: "#/$defs/seat" } },
      gone: { $ref: "#/$defs/nowhere" },
    },
    $defs: { seat: { enum: ["a", "b"] } },
  };
  const probes = probesOf(schema, { price: 0.1 });
  expect(probes[0]).toEqual({ price: 0.1 });
  expect(probes).toContainEqual({ price: 0.29 });
  expect(probes).toContainEqual({ price: 0.1, seats: ["b"] });
});

it("stays small where a schema is endless", () => {
  const tree = { type: "object", properties: { a: { $ref: "#" }, b: { $ref: "#" }, c: { type: "string" } } };
  expect(probesOf(tree, {}).length).toBeLessThanOrEqual(100);
});

it("turns a wrong yes into a no with its witness", () => {
  // Finds a first value, and never one that tells two schemas apart.
  const blind = { ask: (literals: readonly unknown[]) => (literals.length === 1 ? found({ price: 0.1 }) : none) };
  const prices = (maximum: number) => ({
    type: "object",
    properties: { price: { type: "number", multipleOf: 0.01, minimum: 0, maximum } },
  });
  const compared = new Comparison(blind);
  expect(compared.isIncluded(prices(0.29), prices(0.28))).toEqual({
    kind: "not included",
    witness: { price: 0.29 },
  });
  expect(compared.isIncluded(prices(0.28), prices(0.29))).toEqual({ kind: "included" });
});
