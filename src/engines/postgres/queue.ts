import type { Prepared } from "./prepared.ts";

/** A group is one message and one transaction: larger ones save nothing more, and keep their first append waiting. */
const mostAppends = 1_024;
const mostBytes = 4_194_304;
/** How far behind the front a group looks for appends that do not get in each other's way. */
const farthest = 4_096;

export interface Queued {
  readonly prepared: Prepared;
  /** What was asked for together is done in its order. */
  readonly together: object;
}

/** Appends that wait, in their order. */
export class Queue<T extends Queued> {
  #waiting: T[] = [];

  get length(): number {
    return this.#waiting.length;
  }

  add(entry: T): void {
    this.#waiting.push(entry);
  }

  /** Takes everything out. */
  clear(): readonly T[] {
    return this.#waiting.splice(0);
  }

  /**
   * The next group: appends to the log of the first one, of which none gets in another's way. What waits in front of an
   * append for the same thing stays in front of it, and what was asked for together with something that is under way waits
   * for that: it may have to be sent a second time. It has no more than `most`, but for what was asked for together with
   * its last.
   */
  take(underWay: ReadonlySet<object>, most: number = mostAppends): readonly T[] {
    const first = this.#waiting.find(({ together }) => !underWay.has(together));
    if (!first) return [];
    if (this.#waiting.length === 1) return this.clear();
    const group: T[] = [];
    const left: T[] = [];
    const alone = new Set<string>();
    const shared = new Set<string>();
    const late = new Set(underWay);
    let bytes = 0;
    let looked = 0;
    for (const entry of this.#waiting) {
      if (looked >= farthest || group.length >= mostAppends || bytes >= mostBytes) break;
      const { prepared, together } = entry;
      if (group.length >= most && group.at(-1)?.together !== together) break;
      looked++;
      const fits =
        prepared.log === first.prepared.log &&
        prepared.readers === first.prepared.readers &&
        !late.has(together) &&
        !prepared.alone.some((thing) => alone.has(thing) || shared.has(thing)) &&
        !prepared.shared.some((thing) => alone.has(thing));
      if (fits) {
        group.push(entry);
        bytes += prepared.size;
        for (const thing of prepared.alone) alone.add(thing);
        for (const thing of prepared.shared) shared.add(thing);
      } else {
        left.push(entry);
        late.add(together);
        // Whoever comes later and wants the same has to wait too.
        if (prepared.log === first.prepared.log)
          for (const thing of [...prepared.alone, ...prepared.shared]) alone.add(thing);
      }
    }
    this.#waiting = looked === this.#waiting.length ? left : [...left, ...this.#waiting.slice(looked)];
    return group;
  }
}
