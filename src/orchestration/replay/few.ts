/**
 * What is found by a name, in the order in which it came: a list as long as it is short, and else a map. A map that goes from
 * one entry to none makes itself a new table each time, and the old table points to the new one. So once a table is so old
 * that the collector looks at it seldom, it keeps all that came after it, with everything in them.
 */
export class Few<T> {
  readonly #names: string[] = [];
  readonly #values: T[] = [];
  #many: Map<string, T> | undefined;

  get size(): number {
    return this.#many?.size ?? this.#names.length;
  }

  get(name: string): T | undefined {
    if (this.#many) return this.#many.get(name);
    const at = this.#names.indexOf(name);
    return at < 0 ? undefined : this.#values[at];
  }

  has(name: string): boolean {
    return this.#many ? this.#many.has(name) : this.#names.includes(name);
  }

  set(name: string, value: T): void {
    if (this.#many) {
      this.#many.set(name, value);
      return;
    }
    const at = this.#names.indexOf(name);
    if (at >= 0) this.#values[at] = value;
    else if (this.#names.length < few) {
      this.#names.push(name);
      this.#values.push(value);
    } else {
      this.#many = new Map(this.#names.map((name, at) => [name, this.#values[at] as T])); // as many as names
      this.#many.set(name, value);
    }
  }

  delete(name: string): boolean {
    if (this.#many) {
      const was = this.#many.delete(name);
      if (this.#many.size === 0) this.#empty();
      return was;
    }
    const at = this.#names.indexOf(name);
    if (at < 0) return false;
    if (at === this.#names.length - 1) {
      this.#names.pop();
      this.#values.pop();
    } else {
      this.#names.splice(at, 1);
      this.#values.splice(at, 1);
    }
    return true;
  }

  /** As they are now, whatever is deleted meanwhile. */
  values(): readonly T[] {
    return this.#many ? [...this.#many.values()] : this.#values.slice();
  }

  #empty(): void {
    this.#many = undefined;
    this.#names.length = 0;
    this.#values.length = 0;
  }
}

const few = 8;
