import type * as FastCheck from "fast-check";
import { type AnySchema, type JsonSchema, toJsonSchema, validate } from "../../contracts/index.ts";
import { toArbitrary } from "./arbitrary.ts";

/** fast-check is an optional peer: it is loaded where values are drawn, and missed in a sentence. */
export async function loadFastCheck(): Promise<typeof FastCheck> {
  try {
    return await import("fast-check");
  } catch (cause) {
    throw new Error("Values are drawn with fast-check, which is not installed. Install it: npm install -D fast-check", {
      cause,
    });
  }
}

/** Values that a schema takes, the same ones for the same seed. */
export class Values {
  readonly #fc: typeof FastCheck;
  readonly #arbitraries = new WeakMap<AnySchema, FastCheck.Arbitrary<unknown>>();
  constructor(fc: typeof FastCheck) {
    this.#fc = fc;
  }

  arbitrary(schema: AnySchema): FastCheck.Arbitrary<unknown> {
    let found = this.#arbitraries.get(schema);
    if (!found) {
      found = toArbitrary(this.#fc, toJsonSchema(schema));
      this.#arbitraries.set(schema, found);
    }
    return found;
  }

  /** One value. Throws a sentence where none of 300 draws is taken: the schema asks for what its JSON Schema does not say, or for more at once than is met by chance. */
  async one(schema: AnySchema, seed: number, what: string): Promise<unknown> {
    const examples = (toJsonSchema(schema) as JsonSchema & { readonly examples?: readonly unknown[] }).examples ?? [];
    const drawn = this.#fc.sample(this.arbitrary(schema), { seed, numRuns: 300 });
    for (const value of [...examples, ...drawn]) if ((await validate(schema, value)).ok) return value;
    throw new Error(
      `No value for ${what} was found: of 300 that were drawn, its schema takes none. It asks for more than its JSON Schema says, or for patterns and lengths that are not met together by chance. Give the operation an example.`,
    );
  }
}

/** A number that is the same for the same text, and another for another: FNV-1a. */
export function seedOf(text: string, seed: number): number {
  let hash = (2_166_136_261 ^ seed) >>> 0;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 16_777_619) >>> 0;
  return hash | 0;
}
