/** What a search for a value came to. `unknown` says why in words that follow "cannot tell: ". */
export type Outcome =
  | { readonly kind: "found"; readonly value: unknown }
  | { readonly kind: "none" }
  | { readonly kind: "unknown"; readonly why: string };

export const found = (value: unknown): Outcome => ({ kind: "found", value });
export const none: Outcome = { kind: "none" };
export const unknown = (why: string): Outcome => ({ kind: "unknown", why });

/** The first that is found; where none is, whether nobody knows. */
export function firstOf(tries: Iterable<() => Outcome>): Outcome {
  let doubt: Outcome | undefined;
  for (const attempt of tries) {
    const outcome = attempt();
    if (outcome.kind === "found") return outcome;
    if (outcome.kind === "unknown") doubt ??= outcome;
  }
  return doubt ?? none;
}
