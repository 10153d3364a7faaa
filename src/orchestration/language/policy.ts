import { type Duration, toMs } from "../../contracts/index.ts";

/** How long a step may take, and how often it is tried. */
export interface StepPolicy {
  /** For each attempt; by default the operation's own timeout, else 30 seconds. */
  readonly timeout?: Duration;
  /** For all attempts and the pauses between them, counted from the first; by default as long as the attempts take. */
  readonly deadline?: Duration;
  /** Attempts in all, the first one included; by default 5. `Infinity` is allowed. Undo tries 20 times and then pauses the run. */
  readonly attempts?: number;
  /** The pauses between attempts. */
  readonly retry?: RetryPolicy;
  /** The name in the journal, where the operation's own does not say enough. */
  readonly name?: string;
}
export interface RetryPolicy {
  /** The longest first pause; by default 100 ms. */
  readonly backoff?: Duration;
  /** By what each pause is longer than the one before; by default 2. */
  readonly factor?: number;
  /** No pause is longer; by default 10 seconds. */
  readonly max?: Duration;
  /** Whether a pause is drawn from nothing to its whole length, so that many runs do not come back together; by default it is. */
  readonly jitter?: boolean;
}

/** A policy in numbers. */
export interface Policy {
  readonly timeoutMs: number;
  readonly deadlineMs: number | undefined;
  readonly attempts: number | undefined;
  readonly pauses: Pauses;
}
export interface Pauses {
  readonly firstMs: number;
  readonly factor: number;
  readonly mostMs: number;
  readonly jitter: boolean;
}

export const usualPauses: Pauses = Object.freeze({ firstMs: 100, factor: 2, mostMs: 10_000, jitter: true });
const defaultTimeoutMs = 30_000;

/** Throws a sentence for what no step can be tried by. */
export function toPolicy(name: string, policy: StepPolicy, ownTimeoutMs: number = defaultTimeoutMs): Policy {
  const { timeout, deadline, attempts, retry = {} } = policy;
  if (attempts !== undefined && attempts !== Number.POSITIVE_INFINITY && !(Number.isInteger(attempts) && attempts > 0))
    throw new TypeError(`The step "${name}" has ${attempts} attempts; there are 1, 2, 3, … or Infinity.`);
  const { factor = usualPauses.factor, jitter = usualPauses.jitter } = retry;
  if (!(factor >= 1)) throw new TypeError(`The pauses of the step "${name}" grow by ${factor}; a factor is 1 or more.`);
  return {
    timeoutMs: timeout === undefined ? ownTimeoutMs : toMs(timeout),
    deadlineMs: deadline === undefined ? undefined : toMs(deadline),
    attempts,
    pauses: {
      firstMs: retry.backoff === undefined ? usualPauses.firstMs : toMs(retry.backoff),
      factor,
      mostMs: retry.max === undefined ? usualPauses.mostMs : toMs(retry.max),
      jitter,
    },
  };
}

/** Of a step that says nothing. */
export const usualPolicy: Policy = Object.freeze(toPolicy("", {}));

/**
 * The pause before the next attempt, in ms: exponential with full jitter, so that many runs that failed together do
 * not come back together (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 */
export function pauseMs(failedAttempts: number, { firstMs, factor, mostMs, jitter }: Pauses, random: number): number {
  const whole = Math.min(mostMs, firstMs * factor ** Math.min(failedAttempts - 1, 60));
  return Math.round(jitter ? random * whole : whole);
}
