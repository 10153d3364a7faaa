import type { Clock } from "../../contracts/index.ts";
import type { Aborted } from "../port.ts";
import { Ending } from "./ending.ts";
import { settles, type Tried } from "./tried.ts";

export interface AttemptLimits {
  readonly timeoutMs?: number;
  readonly hedgeAfterMs?: number;
  /** Whether a second question may be asked now; asked at the moment when it would be. */
  readonly mayHedge: () => boolean;
}

/**
 * One attempt: a question, and a second one where the first takes long. The first answer that settles it counts, and
 * whatever is still under way is aborted. Never rejects, and leaves no timer and no listener.
 */
export function attempt<T>(
  ask: (aborted: Aborted, hedge: boolean) => Promise<Tried<T>>,
  limits: AttemptLimits,
  clock: Clock,
  aborted: Aborted,
): Promise<Tried<T>> {
  return new Promise((resolve) => {
    const { timeoutMs, hedgeAfterMs, mayHedge } = limits;
    const abort = new Ending();
    const timers: (() => void)[] = [];
    let underWay = 0;
    let ended = false;

    const end = (tried: Tried<T>): void => {
      if (ended) return;
      ended = true;
      for (const cancel of timers) cancel();
      aborted.removeEventListener("abort", leave);
      if (underWay > 0) abort.abort(); // an abort that ends nothing costs as much as one that does
      resolve(tried);
    };
    const leave = (): void =>
      end({ state: "slow", kind: "budget", problem: "has not answered in time", repeat: false });
    const begin = (hedge: boolean): void => {
      underWay += 1;
      void ask(abort, hedge).then((tried) => {
        underWay -= 1;
        if (settles(tried) || underWay === 0) end(tried);
      });
    };

    if (aborted.aborted) return leave();
    aborted.addEventListener("abort", leave, { once: true });
    if (timeoutMs !== undefined) {
      const problem = `has not answered within ${timeoutMs} ms`;
      timers.push(clock.after(timeoutMs, () => end({ state: "slow", kind: "timeout", problem, repeat: true })));
    }
    if (hedgeAfterMs !== undefined && (timeoutMs === undefined || hedgeAfterMs < timeoutMs))
      timers.push(clock.after(hedgeAfterMs, () => !ended && mayHedge() && begin(true)));
    begin(false);
  });
}
