/** What was opened, to be closed in reverse. Node 22 has no AsyncDisposableStack yet. */
export class Opened {
  readonly #closers: (() => void | Promise<void>)[] = [];

  defer(close: () => void | Promise<void>): void {
    this.#closers.push(close);
  }

  /** Closes everything, also after one did not close; the first failure is thrown when all are through. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let close = this.#closers.pop(); close; close = this.#closers.pop()) {
      try {
        await close();
      } catch (failure) {
        failures.push(failure);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
