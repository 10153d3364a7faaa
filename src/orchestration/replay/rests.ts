/**
 * Tells when a workflow's code has come to rest: no promise that it awaits can still settle by itself. Node runs what is
 * given to `process.nextTick` in a microtask once no microtask is left, so that is soon enough, and a turn of the event
 * loop is taken only now and then, for whoever else is there. One for each runner.
 */
export class Rests {
  #inARow = 0;

  /** Has to be asked from a microtask, as after any await: otherwise it may be told too early. */
  next(): Promise<void> {
    if (++this.#inARow < mostInARow) return new Promise((resolve) => process.nextTick(resolve));
    this.#inARow = 0;
    return new Promise((resolve) => setImmediate(resolve));
  }
}

/** Some milliseconds of replay. */
const mostInARow = 500;
