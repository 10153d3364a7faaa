/** Positions are begun in their order and end in any; up to the mark all of them have ended. */
export class Watermark {
  readonly #begun: number[] = [];
  readonly #ended = new Set<number>();
  #first = 0;
  #seen: number;
  /** Begins after a position. */
  constructor(after: number) {
    this.#seen = after;
  }

  begin(position: number): void {
    this.#begun.push(position);
    this.#seen = position;
  }

  /** Nothing has to be done between the last position and this one. */
  pass(position: number): void {
    this.#seen = Math.max(this.#seen, position);
  }

  end(position: number): void {
    this.#ended.add(position);
    for (let first = this.#begun[this.#first]; first !== undefined && this.#ended.delete(first); ) {
      this.#first++;
      first = this.#begun[this.#first];
    }
    if (this.#first > 1_000) this.#begun.splice(0, this.#first);
    if (this.#first > 1_000) this.#first = 0;
  }

  /** How far it was read. */
  get seen(): number {
    return this.#seen;
  }

  get mark(): number {
    const first = this.#begun[this.#first];
    return first === undefined ? this.#seen : first - 1;
  }

  /** How many have begun and not ended. */
  get open(): number {
    return this.#begun.length - this.#first - this.#ended.size;
  }
}
