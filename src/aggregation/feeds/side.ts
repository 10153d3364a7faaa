import type { Late, OnLate } from "./slice.ts";

/** The late records of a stage: how many there were in all, and those of the slice that it is at. */
export class Side<T> {
  #count = 0;
  #open: Late<T>[] | undefined;
  readonly #onLate: OnLate<T> | undefined;
  constructor(onLate: OnLate<T> | undefined) {
    this.#onLate = onLate;
  }

  get count(): number {
    return this.#count;
  }

  add(record: T, at: number, watermark: number): void {
    const late = { record, at, watermark };
    this.#count += 1;
    this.#open ??= [];
    this.#open.push(late);
    this.#onLate?.(late);
  }

  /** Those since it was last asked. */
  drain(): readonly Late<T>[] | undefined {
    const late = this.#open;
    this.#open = undefined;
    return late;
  }

  restore(count: number): void {
    this.#count = count;
  }
}
