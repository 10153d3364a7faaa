/** What one question to an upstream came to. */
export type Tried<T> = Brought<T> | Trouble;
export interface Brought<T> {
  readonly state: "fresh";
  readonly value: T;
  readonly status?: number;
}
/** Why there is nothing. `repeat` says whether asking again may help. */
export interface Trouble {
  readonly state: "missing" | "invalid" | "down" | "slow" | "shed";
  readonly kind: TroubleKind;
  /** Completes the sentence "The source … ". */
  readonly problem: string;
  readonly repeat: boolean;
  /** The upstream's own wish, in ms. */
  readonly notBeforeMs?: number;
  readonly status?: number;
  /** Of an answer that cannot be used: what it was, for a person. Not masked yet. */
  readonly sample?: Sample;
}
export interface Sample {
  /** As parsed, where it could be. */
  readonly said?: unknown;
  /** Otherwise the beginning of its text. */
  readonly text?: string;
}

/**
 * What went wrong, in as many words as a graph has lines:
 * - `nothing`: the upstream says that there is nothing
 * - `unreachable`, `interrupted`, `forbidden`: no connection, a broken one, an inner address
 * - `refused`, `failing`: it answered 4xx or that it cannot; `unexpected`: with a status that was not asked for
 * - `unreadable`, `broken`: its answer cannot be read, or breaks its contract
 * - `timeout`, `budget`: no answer within its timeout, or as long as somebody waited
 * - `breaker`, `queue`, `late`: it was not asked: left alone, too many waiting, or too late
 */
export type TroubleKind =
  | "nothing"
  | "unreachable"
  | "interrupted"
  | "forbidden"
  | "refused"
  | "failing"
  | "unexpected"
  | "unreadable"
  | "broken"
  | "timeout"
  | "budget"
  | "breaker"
  | "queue"
  | "late";

/** Whether it settles the question: a failure that may pass does not. */
export const settles = (tried: Tried<unknown>): boolean => tried.state === "fresh" || !tried.repeat;

/** What a question came to in the end, after so many attempts. */
export interface Landed<T> {
  readonly tried: Tried<T>;
  readonly attempts: number;
  /** On the monotonic clock. */
  readonly at: number;
}
