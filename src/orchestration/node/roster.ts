/** After so many values its map is begun anew. */
const renewAfter = 64;

/**
 * Values by a name, which come and go all the time. A `Map` links each table that it has outgrown to the one after it: once
 * the collector has kept one of those for old, it keeps all that come after it, with everything that was in them, until it
 * looks through the whole heap. So the map has numbers alone, and what they stand for lies in places that are emptied; and for
 * the names it is begun anew once in a while.
 */
export class Roster<T extends object> {
  #places = new Map<string, number>();
  #written = 0;
  readonly #values: (T | undefined)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#places.size;
  }

  get(name: string): T | undefined {
    const place = this.#places.get(name);
    return place === undefined ? undefined : this.#values[place];
  }

  has(name: string): boolean {
    return this.#places.has(name);
  }

  set(name: string, value: T): void {
    if (++this.#written > Math.max(renewAfter, this.#places.size)) {
      this.#written = 0;
      this.#places = new Map(this.#places);
    }
    const place = this.#places.get(name) ?? this.#free.pop() ?? this.#values.length;
    this.#places.set(name, place);
    this.#values[place] = value;
  }

  delete(name: string): void {
    const place = this.#places.get(name);
    if (place === undefined) return;
    this.#places.delete(name);
    this.#values[place] = undefined;
    this.#free.push(place);
  }

  /** As they are now, in no order, whatever comes or goes meanwhile. */
  entries(): readonly (readonly [string, T])[] {
    return [...this.#places].map(([name, place]) => [name, this.#values[place] as T]); // each name has a place with a value
  }
}
