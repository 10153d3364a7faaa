/**
 * Tells when a workflow's code has come to rest: no promise that it awaits can still settle by itself. Node runs what is
 * given to `process.nextTick` in a microtask once no microtask is left, so that is soon enough, and a turn of the event
 * loop is taken only now and then, for whoever else is there. One for each runner.
 */
export class Rests {
  #inARow = 0;
  #coming: Promise<void> | undefined;

  /**
   * Has to be asked from a microtask, as after any await: otherwise it may be told too early. All runs that come to rest
   * in one turn are told together.
   */
  next(): Promise<void> {
    this.#inARow++;
    this.#coming ??= new Promise((resolve) => {
      const tell = (): void => {
        this.#coming = undefined;
        resolve();
      };
      if (this.#inARow < mostInARow) process.nextTick(tell);
      else {
        this.#inARow = 0;
        setImmediate(tell);
      }
    });
    return this.#coming;
  }
}

/** Some milliseconds of replay. */
const mostInARow = 500;
