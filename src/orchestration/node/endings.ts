import type { Verdict } from "../replay/verdict.ts";
import { Roster } from "./roster.ts";

/** Who waits for the end of which run. A waiter outlives the run's activations: a suspended run is waited for all the same. */
export class Endings {
  readonly #waiters = new Roster<Waiter[]>();

  expect(run: string): { readonly verdict: Promise<Verdict>; forget(): void } {
    const waiter = Promise.withResolvers<Verdict>();
    const waiters = this.#waiters.get(run) ?? [];
    if (waiters.push(waiter) === 1) this.#waiters.set(run, waiters);
    const forget = (): void => {
      const at = waiters.indexOf(waiter);
      if (at >= 0) waiters.splice(at, 1);
      if (waiters.length === 0 && this.#waiters.get(run) === waiters) this.#waiters.delete(run);
    };
    return { verdict: waiter.promise, forget };
  }

  isAwaited(run: string): boolean {
    return this.#waiters.has(run);
  }

  /** Tells everybody who waits for a run that is not excepted. */
  announceAll(verdict: Verdict, excepted: (run: string) => boolean): void {
    for (const [run] of this.#waiters.entries()) if (!excepted(run)) this.announce(run, verdict);
  }

  announce(run: string, verdict: Verdict): void {
    const waiters = this.#waiters.get(run) ?? [];
    this.#waiters.delete(run);
    for (const waiter of waiters) waiter.resolve(verdict);
  }
}

type Waiter = PromiseWithResolvers<Verdict>;
