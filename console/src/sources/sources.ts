/** What `/console/sources` tells. Counts are since the process started; instants in ms since 1970. */
export interface Told {
  /** The node that tells it. */
  readonly node?: string;
  readonly sources: readonly Source[];
  readonly views: readonly ViewTold[];
  readonly feeds?: readonly FeedTold[];
}

/** The states of an answer, the good ones first. */
export const states = ["fresh", "stale", "missing", "invalid", "slow", "down", "shed"] as const;
export type State = (typeof states)[number];

export interface Source {
  readonly source: string;
  readonly answers: { readonly [S in State]: number };
  readonly perSecond: number;
  readonly requests: number;
  readonly hedges: number;
  readonly saved: number;
  readonly errors: { readonly [kind: string]: number };
  readonly cache: { readonly hits: number; readonly misses: number };
  readonly duplicates: number;
  readonly incomplete: number;
  readonly breaker: { readonly state: "closed" | "half-open" | "open"; readonly opened: number };
  readonly underWay: number;
  readonly queued: number;
  readonly p50Ms?: number;
  readonly p95Ms?: number;
  readonly p99Ms?: number;
  readonly lastProblem?: { readonly state: string; readonly problem: string; readonly at: number };
  readonly samples: readonly Sample[];
}
/** An answer that broke its contract, masked. */
export interface Sample {
  readonly at: number;
  readonly problem: string;
  readonly said: string;
}

export interface ViewTold {
  readonly view: string;
  readonly sources: readonly string[];
  readonly answers: number;
  readonly conflicts: { readonly [field: string]: number };
  readonly unusable: { readonly [field: string]: number };
  readonly review: number;
}

export interface FeedTold {
  readonly feed: string;
  readonly state: "elsewhere" | "running" | "stuck" | "over";
  readonly node?: string;
  readonly watermark: number | null;
  readonly inputs: readonly {
    readonly input: string;
    readonly state: "active" | "idle" | "over";
    readonly records: number;
    readonly watermark: number | null;
    readonly outOfOrderMs: number;
  }[];
  readonly allowedLatenessMs?: number;
  readonly late: number;
  readonly handedOver: number;
  readonly owed: number;
  readonly stuck?: {
    readonly since: number;
    readonly attempts: number;
    readonly code: string;
    readonly reason: string;
  };
}

/** Asks how sources, views and feeds do. Throws a sentence where it is not told. */
export async function fetchSources(signal: AbortSignal): Promise<Told> {
  const answer = await fetch("/console/sources", { signal, cache: "no-store" });
  if (answer.ok) return (await answer.json()) as Told;
  const said = (await answer.json().catch(() => ({}))) as { readonly title?: string; readonly detail?: string }; // a problem document
  throw new Error(said.detail ?? said.title ?? `How the sources do is not told (${answer.status}).`);
}
