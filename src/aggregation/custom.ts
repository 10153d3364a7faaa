import type { AnySchema, Out } from "../contracts/index.ts";
import type { Fetch } from "./fetch.ts";

/** What an adapter of one's own is told beside the view's input. */
export interface CustomContext {
  /** Of a batch: the keys, as text; otherwise the first parameter alone. */
  readonly keys: readonly string[];
  /** Aborts when nobody waits any more. Whatever is held then must be let go of. */
  readonly aborted: AbortSignal;
  /** How long the answer is waited for, in ms. */
  readonly remainingMs: number;
  /** W3C Trace Context, to hand on. */
  readonly traceparent: string;
  /** From `TRILITH_SOURCE_<NAME>_URL`. */
  readonly origin?: string;
  /** From `TRILITH_SOURCE_<NAME>_TOKEN`, as an `authorization` header has it. Belongs in no message and no log. */
  readonly credentials?: string;
}
/**
 * Asks whatever it knows how to ask, once, and resolves with what came back, unchecked: `undefined` or `null` where
 * there is nothing. Throws `UpstreamProblem` to say what is wrong; whatever else it throws makes the source `down`.
 * Retries, limits, caching and the check against the schema are not its business.
 */
export type Ask<P extends string> = (input: { readonly [K in P]: unknown }, context: CustomContext) => Promise<unknown>;

export interface CustomPlan {
  readonly via: "custom";
  readonly params: readonly string[];
  readonly schema: AnySchema;
  readonly ask: Ask<any>; // its parameters are the plan's, checked where it is declared
}

/**
 * An upstream that speaks something else: a function that asks it, and the schema of what must come back. `given`
 * names the fields of the view's input that it needs; two questions that agree in them are one.
 *
 * @example
 * const tides = source("tides", {
 *   get: custom(["harbour"], z.object({ high: z.string() }), ({ harbour }, { aborted }) => readTide(harbour, aborted)),
 * });
 */
export function custom<const P extends string, S extends AnySchema>(
  given: readonly P[],
  answer: S,
  ask: Ask<P>,
): Fetch<P, Out<S>> {
  const plan: CustomPlan = { via: "custom", params: Object.freeze([...given]), schema: answer, ask };
  return Object.freeze({ kind: "fetch", plan: Object.freeze(plan) });
}
