import { type Clock, Fault } from "../../contracts/index.ts";
import { NotConnected, sentenceOf, troubleOf } from "./trouble.ts";

export interface Patience {
  readonly clock: Clock;
  /** How long one waits for a server that is away. */
  readonly patienceMs: number;
  /** Ends every waiting. */
  readonly ended: AbortSignal;
}

const shortestPauseMs = 25;
const longestPauseMs = 1_000;
const mostMeetings = 20;

/**
 * Tries until there is an answer, while the server is away or somebody else is in the way. `again` says that an earlier
 * try may have been done; the attempt finds that out by its id. When patience ends, or a later try fails for good, a
 * `Fault` says whether it was. Everything else that is not for waiting is thrown as it came.
 */
export async function rideOut<T>(
  { clock, patienceMs, ended }: Patience,
  attempt: (again: boolean) => Promise<T>,
): Promise<T> {
  const until = clock.monotonic() + patienceMs;
  let pauseMs = shortestPauseMs;
  let meetings = 0;
  let again = false;
  for (;;) {
    try {
      return await attempt(again);
    } catch (error) {
      const trouble = troubleOf(error);
      if (trouble === "met" && ++meetings > mostMeetings) throw unavailable(error, again);
      if (trouble === "failed" && again) throw unavailable(error, again); // that try failed, and one before it may not have
      if (trouble !== "met" && trouble !== "away") throw error;
      if (trouble === "away" && !(error instanceof NotConnected)) again = true;
      if (ended.aborted || clock.monotonic() + pauseMs > until) throw unavailable(error, again);
    }
    await pause(clock, pauseMs, ended);
    pauseMs = Math.min(2 * pauseMs, longestPauseMs);
  }
}

/** What is told to a caller whose question the server refused for a reason of its own: nothing was done. */
export const toFault = (error: unknown): Fault =>
  error instanceof Fault
    ? error
    : new Fault("Unavailable", `PostgreSQL could not do it. ${sentenceOf(error)}`, {
        outcome: "not done",
        cause: error,
      });

function unavailable(error: unknown, mayBeDone: boolean): Fault {
  return new Fault("Unavailable", `PostgreSQL does not answer. ${sentenceOf(error)} Try again later.`, {
    outcome: mayBeDone ? "unknown" : "not done",
    cause: error,
  });
}

function pause(clock: Clock, ms: number, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      cancel();
      ended.removeEventListener("abort", end);
      resolve();
    };
    const cancel = clock.after(ms, end);
    ended.addEventListener("abort", end, { once: true });
  });
}
