/** A field without a value because its sources could not say, as a view's meta has it. */
export interface Degraded {
  /** A JSON pointer into the answer. */
  readonly path: string;
  readonly state: string;
  readonly sources: readonly { readonly source: string; readonly state: string; readonly problem?: string }[];
}
interface Told {
  readonly degraded?: readonly Degraded[];
  readonly sources?: { readonly [source: string]: { readonly state?: unknown } };
}

/** Those that an answer's meta names; none where it has no such meta. */
export const degradedIn = (meta: unknown): readonly Degraded[] => (meta as Told | undefined)?.degraded ?? none;

/**
 * Which sources an answer was made without, and how each of them stands: a list of structured fields (RFC 9651) like
 * `weather;state=down`. `*` is the answer itself, where all of them said something that could not be made use of. Nothing
 * where each of them could say.
 */
export function toDegradedHeader(meta: unknown): string | undefined {
  const sources = (meta as Told | undefined)?.sources;
  if (!sources) return undefined;
  let header: string | undefined;
  for (const source in sources) {
    const state = sources[source]?.state;
    if (state === "invalid" || state === "down" || state === "slow" || state === "shed")
      header = `${header === undefined ? "" : `${header}, `}${source};state=${state}`;
  }
  return header ?? (degradedIn(meta).length > 0 ? "*;state=invalid" : undefined);
}

const none: readonly Degraded[] = [];
