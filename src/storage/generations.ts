/**
 * A bounded memory of what was used last. Two maps take turns: what is not asked for while one fills up goes with the
 * other. (One map that drops its oldest key each time walks over all the keys that it dropped before.)
 */
export class Generations<T> {
  readonly #size: number;
  #young = new Map<string, T>();
  #old = new Map<string, T>();
  /** It holds `size` entries at most, and the last half of that many for certain. */
  constructor(size: number) {
    this.#size = size / 2;
  }

  get(key: string): T | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, value: T): void {
    if (this.#young.size >= this.#size && !this.#young.has(key)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  delete(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }
}
