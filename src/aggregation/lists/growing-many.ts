import type { Part } from "../../contracts/index.ts";
import { Telling } from "../telling.ts";
import type { Keyed } from "./many.ts";

type Item = Keyed<unknown, unknown>;
/** Brings items into the form of the contract; `undefined` where they break it. */
type Check = (items: readonly Item[]) => Promise<unknown>;

/**
 * Tells of an answer for many keys while some of them are still asked for: the keys of which something is known, in the
 * order in which they were asked for. What is known of a key may still grow itself.
 */
export class GrowingMany {
  readonly #keys: readonly string[];
  readonly #sources: readonly string[];
  readonly #check: Check;
  readonly #telling: Telling;
  readonly #items = new Map<string, Item>();
  /** By key that is not done: the sources that it waits for, as far as it said. */
  readonly #waiting: Map<string, readonly string[]>;
  /** `keys` name what was asked for, in its order; `sources` is whom each of them asks. */
  constructor(keys: readonly string[], sources: readonly string[], check: Check, tell: (part: Part) => void) {
    this.#keys = keys;
    this.#sources = sources;
    this.#check = check;
    this.#waiting = new Map(keys.map((key) => [key, sources]));
    this.#telling = new Telling(() => this.#part(), tell);
  }

  /** What there is of one key so far. */
  grow(name: string, key: unknown, { wire, pending }: Part): void {
    if (!this.#waiting.has(name)) return;
    this.#items.set(name, { key, state: "found", value: wire });
    this.#waiting.set(name, pending);
    this.#telling.changed();
  }

  /** One key is as it will be. */
  settle(name: string, item: Item): void {
    this.#items.set(name, item);
    this.#waiting.delete(name);
    this.#telling.changed();
  }

  /** From here on nothing more is told. */
  end(): void {
    this.#telling.end();
  }

  async #part(): Promise<Part | undefined> {
    // When everything is there, the answer tells it itself.
    if (this.#waiting.size === 0) return undefined;
    const items = this.#keys.flatMap((name) => this.#items.get(name) ?? []);
    const wire = items.length > 0 ? await this.#check(items) : undefined;
    const waited = new Set([...this.#waiting.values()].flat());
    return wire === undefined ? undefined : { wire, pending: this.#sources.filter((name) => waited.has(name)) };
  }
}
