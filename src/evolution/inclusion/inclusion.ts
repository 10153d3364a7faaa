import { toCanonicalJson } from "../../contracts/index.ts";
import { breakIt, type Literal, meet } from "./literal.ts";
import { probesOf } from "./probes.ts";
import { Solver } from "./solver.ts";
import { Validator } from "./validator.ts";

/** Whether every value of one schema is a value of another; where not, one that is not, verified by Ajv on both sides. */
export type Inclusion =
  | { readonly kind: "included" }
  | { readonly kind: "not included"; readonly witness: unknown }
  | { readonly kind: "cannot tell"; readonly why: string };

/** One round of questions. What was found out about parts of schemas is kept for the next question. */
export class Comparison {
  readonly #solver: Pick<Solver, "ask">;
  readonly validator: Validator = new Validator();

  constructor(solver: Pick<Solver, "ask"> = new Solver()) {
    this.#solver = solver;
  }

  /** A value of a schema; undefined where none was found. */
  sampleOf(schema: unknown): unknown {
    const outcome = this.#solver.ask([meet(schema)]);
    return outcome.kind === "found" && this.validator.isValid(schema, outcome.value) ? outcome.value : undefined;
  }

  /** Whether `inner` ⊆ `outer`. The witness also meets `beside`, schemas that narrow down where to look. */
  isIncluded(inner: unknown, outer: unknown, beside: readonly unknown[] = []): Inclusion {
    const outcome = this.#solver.ask([meet(inner), ...beside.map((schema): Literal => meet(schema)), breakIt(outer)]);
    if (outcome.kind === "none") return beside.length === 0 ? this.#tried(inner, outer) : { kind: "included" };
    if (outcome.kind === "unknown") return { kind: "cannot tell", why: outcome.why };
    const witness = outcome.value;
    try {
      const { validator } = this;
      if (validator.isValid(inner, witness) && !validator.isValid(outer, witness))
        return { kind: "not included", witness };
      return {
        kind: "cannot tell",
        why: `the value ${JSON.stringify(witness)} was found, and Ajv does not agree that it tells them apart`,
      };
    } catch (error) {
      return {
        kind: "cannot tell",
        why: `Ajv cannot compile a schema: ${error instanceof Error ? error.message : String(error)}`,
      };
    }
  }

  /** A yes is wrong in silence, so a few values are put to Ajv before it is said. */
  #tried(inner: unknown, outer: unknown): Inclusion {
    if (toCanonicalJson(inner) === toCanonicalJson(outer)) return { kind: "included" };
    const sample = this.sampleOf(inner);
    if (sample === undefined) return { kind: "included" };
    try {
      for (const value of probesOf(inner, sample))
        if (this.validator.isValid(inner, value) && !this.validator.isValid(outer, value))
          return { kind: "not included", witness: value };
    } catch {
      // A schema that Ajv cannot compile is judged without it.
    }
    return { kind: "included" };
  }
}
