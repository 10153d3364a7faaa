import type { Aggregate, Pane, Panes } from "./windowed.ts";
import type { Windows } from "./windows.ts";

type Column<A> = Map<string, Pane<A>>;

/** Windows of one size, by their start: the instant decides which, and a key is looked up once a record and window. */
export class SlidingPanes<T, A> implements Panes<T, A> {
  readonly #size: number;
  readonly #every: number;
  readonly #offset: number;
  readonly #aggregate: Aggregate<T, A, unknown>;
  readonly #columns = new Map<number, Column<A>>();
  // Most records fall into the window of the one before.
  #start = Number.NaN;
  #column: Column<A> | undefined;
  constructor(windows: Windows & { readonly kind: "sliding" }, aggregate: Aggregate<T, A, unknown>) {
    this.#size = windows.sizeMs;
    this.#every = windows.everyMs;
    this.#offset = windows.offsetMs;
    this.#aggregate = aggregate;
  }

  add(key: string, at: number, record: T, closed: number): boolean {
    let taken = false;
    let start = Math.floor((at - this.#offset) / this.#every) * this.#every + this.#offset;
    for (; start > at - this.#size; start -= this.#every) {
      if (start + this.#size <= closed) break;
      this.#put(start, key, record);
      taken = true;
    }
    return taken;
  }

  due(watermark: number): Pane<A>[] {
    const due: Pane<A>[] = [];
    for (const [start, column] of this.#columns) {
      if (start + this.#size > watermark) continue;
      for (const pane of column.values()) if (pane.changed) due.push(pane);
    }
    return due;
  }

  drop(closed: number): void {
    for (const start of this.#columns.keys()) if (start + this.#size <= closed) this.#columns.delete(start);
    this.#start = Number.NaN;
  }

  *all(): Iterable<Pane<A>> {
    for (const column of this.#columns.values()) yield* column.values();
  }

  load(panes: readonly Pane<A>[]): void {
    for (const pane of panes) this.#at(pane.start).set(pane.key, { ...pane });
  }

  #put(start: number, key: string, record: T): void {
    const column = this.#at(start);
    const pane = column.get(key);
    if (pane) {
      pane.accumulator = this.#aggregate.add(pane.accumulator, record);
      pane.changed = true;
      return;
    }
    const accumulator = this.#aggregate.add(this.#aggregate.initial(), record);
    column.set(key, { key, start, end: start + this.#size, accumulator, fired: 0, changed: true });
  }

  #at(start: number): Column<A> {
    if (start === this.#start && this.#column) return this.#column;
    let column = this.#columns.get(start);
    if (!column) {
      column = new Map();
      this.#columns.set(start, column);
    }
    this.#start = start;
    this.#column = column;
    return column;
  }
}
