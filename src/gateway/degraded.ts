/** A field without a value because its sources could not say, as a view's meta has it. */
export interface Degraded {
  /** A JSON pointer into the answer. */
  readonly path: string;
  readonly state: string;
  readonly sources: readonly { readonly source: string; readonly state: string; readonly problem?: string }[];
}

/** Those that an answer's meta names; none where it has no such meta. */
export const degradedIn = (meta: unknown): readonly Degraded[] =>
  (meta as { readonly degraded?: readonly Degraded[] } | undefined)?.degraded ?? none;

/**
 * Says of an answer without its meta that something is missing, and for whose sake: a list of structured fields (RFC 9651)
 * like `weather;state=down`, each source once. Nothing where everybody could say.
 */
export function toDegradedHeader(meta: unknown): string | undefined {
  const degraded = degradedIn(meta);
  if (degraded.length === 0) return undefined;
  const states = new Map(degraded.flatMap(({ sources }) => sources.map(({ source, state }) => [source, state])));
  return [...states].map(([source, state]) => `${source};state=${state}`).join(", ");
}

const none: readonly Degraded[] = [];
