/**
 * Values by a text, which come and go all the time. A `Map` links every table that it has outgrown to the one after it:
 * once the collector has kept one of those for old, it keeps all that come after it, with everything that was in them,
 * until it looks through the whole heap. Tables of an object are not linked.
 */
export class Register<T> {
  readonly #values: { [text: string]: T } = Object.create(null);

  get(text: string): T | undefined {
    return this.#values[text];
  }

  set(text: string, value: T): void {
    this.#values[text] = value;
  }

  delete(text: string): void {
    delete this.#values[text];
  }

  values(): readonly T[] {
    return Object.values(this.#values);
  }
}
