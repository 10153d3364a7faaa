import type { Verdict } from "../replay/verdict.ts";

/** Who waits for the end of which run. A waiter outlives the run's activations: a suspended run is waited for all the same. */
export class Endings {
  readonly #waiters = new Map<string, Set<PromiseWithResolvers<Verdict>>>();

  expect(run: string): { readonly verdict: Promise<Verdict>; forget(): void } {
    const waiter = Promise.withResolvers<Verdict>();
    const waiters = this.#waiters.get(run) ?? new Set();
    this.#waiters.set(run, waiters.add(waiter));
    const forget = (): void => {
      if (waiters.delete(waiter) && waiters.size === 0 && this.#waiters.get(run) === waiters) this.#waiters.delete(run);
    };
    return { verdict: waiter.promise, forget };
  }

  isAwaited(run: string): boolean {
    return this.#waiters.has(run);
  }

  /** Tells everybody who waits for a run that is not excepted. */
  announceAll(verdict: Verdict, excepted: (run: string) => boolean): void {
    for (const run of [...this.#waiters.keys()]) if (!excepted(run)) this.announce(run, verdict);
  }

  announce(run: string, verdict: Verdict): void {
    const waiters = this.#waiters.get(run) ?? [];
    this.#waiters.delete(run);
    for (const waiter of waiters) waiter.resolve(verdict);
  }
}
