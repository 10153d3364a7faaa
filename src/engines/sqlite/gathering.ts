/** So many rows move at a time: fewer would share no page. */
export const stretch = 64;

interface Index<Row> {
  /** How many rows move as one generation. */
  readonly together: number;
  /** Nearly the order of the index: where the two differ, a page more is written. */
  readonly compare: (one: Row, other: Row) => number;
  /** Writes them into the index: a whole stretch, or fewer at the end of a generation. */
  readonly move: (rows: readonly Row[]) => void;
  /** All of a generation are there. They are told as they came. */
  readonly end: (rows: readonly Row[]) => void;
}

/**
 * Rows that come in another order than that of their index. Written at once, each of them changed a page that nothing else of
 * the same transaction had changed, and that cost more than the row. So they gather, and when enough have come together they
 * are sorted and move, and a page takes several; a stretch at a time, as new ones come, for all at once held up everybody
 * else's appends for milliseconds.
 */
export class Gathering<Row> {
  readonly #index: Index<Row>;
  /** Those that do not move yet, as they came. */
  #waiting: Row[];
  #moving: Generation<Row>;
  /** How many have come since some were moved. */
  #due = 0;
  /** `waiting` are left from before a restart, and some of them may be in the index already. */
  constructor(index: Index<Row>, waiting: Row[]) {
    this.#index = index;
    this.#waiting = waiting;
    this.#moving = new Generation([], index.compare);
  }

  add(row: Row): void {
    this.#waiting.push(row);
    this.#due++;
  }

  /** Once a transaction: as many move as have come; twice as many where a restart has left more than usual. */
  settle(): void {
    if (this.#due < stretch) return;
    const left = this.#waiting.length + this.#moving.left;
    for (
      let rows = left > 2 * this.#index.together ? 2 * this.#due : this.#due;
      rows >= stretch && this.#hasMore();
      rows -= stretch
    ) {
      this.#index.move(this.#moving.next());
      if (this.#moving.left === 0) this.#index.end(this.#moving.came);
    }
    this.#due %= stretch;
  }

  #hasMore(): boolean {
    const { together, compare } = this.#index;
    if (this.#moving.left === 0 && this.#waiting.length >= together)
      this.#moving = new Generation(this.#waiting.splice(0, together), compare);
    return this.#moving.left > 0;
  }
}

class Generation<Row> {
  readonly came: readonly Row[];
  readonly #sorted: readonly Row[];
  #moved = 0;
  constructor(came: readonly Row[], compare: (one: Row, other: Row) => number) {
    this.came = came;
    this.#sorted = came.toSorted(compare);
  }

  get left(): number {
    return this.#sorted.length - this.#moved;
  }

  next(): readonly Row[] {
    const rows = this.#sorted.slice(this.#moved, this.#moved + stretch);
    this.#moved += rows.length;
    return rows;
  }
}
