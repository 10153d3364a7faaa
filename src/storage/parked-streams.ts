/** The positions that are parked, by stream: what follows in the stream waits behind them. */
export class ParkedStreams {
  readonly #streams = new Map<string, Set<number>>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  has(stream: string, position: number): boolean {
    return this.#streams.get(stream)?.has(position) ?? false;
  }

  /** The first that is parked of a stream. */
  first(stream: string): number | undefined {
    const [first] = this.#streams.get(stream) ?? [];
    return first;
  }

  /** In the order of the log, so that the first of a stream stays its first. */
  add(stream: string, position: number): void {
    const positions = this.#streams.get(stream) ?? new Set();
    if (!positions.has(position)) this.#count++;
    this.#streams.set(stream, positions.add(position));
  }

  remove(stream: string, position: number): void {
    const positions = this.#streams.get(stream);
    if (positions?.delete(position)) this.#count--;
    if (positions?.size === 0) this.#streams.delete(stream);
  }

  streamOf(position: number): string | undefined {
    for (const [stream, positions] of this.#streams) if (positions.has(position)) return stream;
    return undefined;
  }
}
