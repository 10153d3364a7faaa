import type { Aggregate, Pane, Panes } from "./windowed.ts";
import type { Windows } from "./windows.ts";

/** Sessions of each key: a record opens one, makes one longer, or joins several. */
export class SessionPanes<T, A> implements Panes<T, A> {
  readonly #gap: number;
  readonly #aggregate: Aggregate<T, A, unknown>;
  readonly #merge: (one: A, other: A) => A;
  readonly #sessions = new Map<string, Pane<A>[]>();
  constructor({ gapMs }: Windows & { readonly kind: "session" }, aggregate: Aggregate<T, A, unknown>) {
    if (!aggregate.merge)
      throw new TypeError("Sessions that a record joins have to be merged: give the aggregate a `merge`.");
    this.#gap = gapMs;
    this.#aggregate = aggregate;
    this.#merge = aggregate.merge.bind(aggregate);
  }

  add(key: string, at: number, record: T, closed: number): boolean {
    const end = at + this.#gap;
    const sessions = this.#sessions.get(key) ?? [];
    const touched = sessions.filter((session) => session.start < end && at < session.end);
    // Late is what would be a session of its own, and that one over. What a session still takes in belongs to it.
    if (touched.length === 0 && end <= closed) return false;
    const accumulator = this.#aggregate.add(this.#aggregate.initial(), record);
    const joined: Pane<A> = { key, start: at, end, accumulator, fired: 0, changed: true };
    for (const session of touched) {
      joined.accumulator = this.#merge(session.accumulator, joined.accumulator);
      joined.start = Math.min(joined.start, session.start);
      joined.end = Math.max(joined.end, session.end);
      joined.fired = Math.max(joined.fired, session.fired);
    }
    this.#sessions.set(key, [...sessions.filter((session) => !touched.includes(session)), joined]);
    return true;
  }

  due(watermark: number): Pane<A>[] {
    return [...this.all()].filter(({ end, changed }) => changed && end <= watermark);
  }

  drop(closed: number): void {
    for (const [key, sessions] of this.#sessions) {
      const open = sessions.filter(({ end }) => end > closed);
      if (open.length === 0) this.#sessions.delete(key);
      else if (open.length < sessions.length) this.#sessions.set(key, open);
    }
  }

  *all(): Iterable<Pane<A>> {
    for (const sessions of this.#sessions.values()) yield* sessions;
  }

  load(panes: readonly Pane<A>[]): void {
    for (const pane of panes) this.#sessions.set(pane.key, [...(this.#sessions.get(pane.key) ?? []), { ...pane }]);
  }
}
