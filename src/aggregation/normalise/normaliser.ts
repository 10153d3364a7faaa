import { Unusable } from "./unusable.ts";

/**
 * Brings a value into the one form that values of its kind are compared and shown in. Pure and idempotent: what it gave
 * it leaves alone. What is absent (`null`, `undefined`, blank text) stays absent; what cannot be brought into that form
 * becomes `Unusable`, which costs the source that field and says why. Never throws.
 */
export type Normaliser<Out> = (value: unknown) => Out | Unusable | undefined;

/** Makes a normaliser of a function that gives nothing, or throws, where it is not `what`. */
export function toNormaliser<Out>(what: string, read: (value: unknown) => Out | Unusable | undefined): Normaliser<Out> {
  const not = new Unusable(`is no ${what}`);
  return (value) => {
    if (value === undefined || value === null || (typeof value === "string" && value.trim() === "")) return undefined;
    if (value instanceof Unusable) return value;
    try {
      return read(value) ?? not;
    } catch {
      return not; // the libraries underneath throw for what they cannot read
    }
  };
}

/** One normaliser after the other: what the first gives is what the second takes. */
export function inTurn<Out>(first: Normaliser<unknown>, second: Normaliser<Out>): Normaliser<Out> {
  return (value) => second(first(value));
}
