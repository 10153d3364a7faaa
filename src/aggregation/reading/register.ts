/** After so many values its table is begun anew. */
const renewAfter = 64;

/**
 * Values by a text, which come and go all the time. A `Map` links every table that it has outgrown to the one after it:
 * once the collector has kept one of those for old, it keeps all that come after it, with everything that was in them,
 * until it looks through the whole heap. So it is replaced by a new one once in a while, which nothing links to.
 */
export class Register<T> {
  #values = new Map<string, T>();
  #written = 0;

  get(text: string): T | undefined {
    return this.#values.get(text);
  }

  set(text: string, value: T): void {
    this.#written += 1;
    if (this.#written > Math.max(renewAfter, this.#values.size)) {
      this.#written = 0;
      this.#values = new Map(this.#values);
    }
    this.#values.set(text, value);
  }

  delete(text: string): void {
    this.#values.delete(text);
  }

  values(): readonly T[] {
    return [...this.#values.values()];
  }
}
