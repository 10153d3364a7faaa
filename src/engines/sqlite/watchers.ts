interface Watcher {
  readonly after: number;
  readonly wake: () => void;
  readonly end: (why: unknown) => void;
}

/** Those who wait for a log to grow. Everything is written through this process, so its own answers say when. */
export class Watchers {
  readonly #logs = new Map<string, Set<Watcher>>();

  /** Resolves once `grown` was told of a position beyond `after`. */
  wait(log: string, after: number, aborted: AbortSignal): Promise<void> {
    aborted.throwIfAborted();
    const watchers = this.#logs.get(log) ?? new Set();
    this.#logs.set(log, watchers);
    return new Promise<void>((resolve, reject) => {
      const abort = (): void => watcher.end(aborted.reason);
      const leave = (): void => {
        watchers.delete(watcher);
        aborted.removeEventListener("abort", abort);
      };
      const watcher: Watcher = {
        after,
        wake: () => {
          leave();
          resolve();
        },
        end: (why) => {
          leave();
          reject(why);
        },
      };
      watchers.add(watcher);
      aborted.addEventListener("abort", abort, { once: true });
    });
  }

  grown(log: string, position: number): void {
    for (const { after, wake } of this.#logs.get(log) ?? []) if (after < position) wake();
  }

  end(why: unknown): void {
    for (const watchers of this.#logs.values()) for (const { end } of watchers) end(why);
  }
}
