import { expect, it } from "vitest";
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
