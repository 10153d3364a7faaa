/** The way to an upstream, in the words of this layer: one question, one answer, nothing decided in between. */
export interface Upstream {
  /** Resolves with whatever the upstream answered, any status. Rejects with `UpstreamProblem` alone. */
  fetch(request: UpstreamRequest): Promise<UpstreamAnswer>;
}

/** As much of an `AbortSignal` as the way to an upstream needs; each of those is one. It aborts at most once. */
export interface Aborted {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: "abort", listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

export interface UpstreamRequest {
  /** The source's name, for pools and for sentences. */
  readonly source: string;
  readonly url: URL;
  /** `GET` unless said otherwise. */
  readonly method?: "GET" | "POST";
  readonly body?: string;
  /** Lower-case names. May hold credentials, as the address may, so nobody logs them. */
  readonly headers: { readonly [name: string]: string };
  /** Aborts when nobody waits any more: whatever the request holds is released at once. */
  readonly aborted: Aborted;
  /** The most that the body may measure, before and after decompression. */
  readonly maxBytes: number;
  /** How long the answer is waited for, in ms; travels to the upstream. */
  readonly remainingMs: number;
  /** W3C Trace Context; travels to the upstream. */
  readonly traceparent: string;
  /** How many redirects may be followed; each is checked like a first address, and carries credentials to no other origin. */
  readonly redirects: number;
  /** Whether it may be an inner address: somebody wrote this very one down, or said that the name may lead to one. */
  readonly named: boolean;
}

export interface UpstreamAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: { readonly [name: string]: string | undefined };
  /** Decompressed. */
  readonly body: Uint8Array;
}

/**
 * Where last good answers outlive the process. Best effort: what it forgets is asked for again, and what it cannot keep
 * costs nobody an answer. It holds no secrets and nothing that a schema marks as personal.
 */
export interface LastGood {
  load(source: string, key: string): Promise<LastGoodRecord | undefined>;
  /** Each replaces what was there under its source and key. */
  save(records: readonly LastGoodRecord[]): Promise<void>;
  /** The upstream has said that there is nothing any more: whatever is kept from then or before is taken away. */
  remove(gone: readonly LastGoodGone[]): Promise<void>;
}
export interface LastGoodGone {
  readonly source: string;
  readonly key: string;
  /** When it said so, in ms since 1970. */
  readonly at: number;
}
export interface LastGoodRecord {
  readonly source: string;
  readonly key: string;
  /** JSON text: what the upstream said, before it was checked and shaped, so that it is checked again with the code of today. */
  readonly said: string;
  /** When it came, in ms since 1970. */
  readonly at: number;
  /** When it is of no use any more, in ms since 1970. */
  readonly expires: number;
}

/**
 * Why there is no answer:
 * - `unreachable`: no connection came about
 * - `interrupted`: the connection ended before the answer did, or nobody waited any more
 * - `forbidden`: the address is an inner one and nobody named it
 * - `too large`: the body measures more than was allowed
 * - `unreadable`: the body cannot be decompressed
 */
export type UpstreamProblemKind = "unreachable" | "interrupted" | "forbidden" | "too large" | "unreadable";

/** The message completes the sentence "The source … ". It holds no address and no credentials. */
export class UpstreamProblem extends Error {
  override readonly name = "UpstreamProblem";
  readonly kind: UpstreamProblemKind;
  constructor(kind: UpstreamProblemKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
  }
}
