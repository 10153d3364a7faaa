import { type InboxSeen, type Item, type Seen, toSeen } from "../journal/journal.ts";

/** So many signals taken, or so large in characters of JSON, and the run's row says too much of what is unread: a small part of what it may leave. */
const manyTaken = 256;
const muchTaken: number = 2 ** 20;

/** What a run was told, as this activation has seen it, and what of that it has taken. */
export class Inbox {
  /** What earlier stretches of the run have seen. */
  readonly #before: InboxSeen;
  #items: readonly Item[];
  /** Made when there is something to be in it, as most runs take no signal. */
  #taken: Set<number> | undefined;
  #lost = false;
  /** What was taken since the row was last told what is unread. */
  #takenSince = 0;
  #takenSizeSince = 0;

  constructor(items: readonly Item[], before: InboxSeen = { upTo: -1, left: [] }) {
    this.#before = before;
    this.#items = this.#unseen(items);
  }

  /** Without what earlier stretches have taken. */
  get items(): readonly Item[] {
    return this.#items;
  }

  isTaken(revision: number): boolean {
    return this.#taken?.has(revision) === true;
  }

  /** The last item that was seen. */
  get seen(): Seen {
    const last = this.#items.at(-1);
    return last && last.revision > this.#before.upTo ? toSeen(last) : { revision: this.#before.upTo };
  }

  /** Whether an item that was taken is not there any more: then what the code does rests on what is lost. */
  get hasLost(): boolean {
    return this.#lost;
  }

  /** What a further stretch is told of it. */
  get left(): InboxSeen {
    const left = this.#items.flatMap(({ revision, signal }) =>
      this.isTaken(revision) || signal === "" ? [] : [revision],
    );
    return { upTo: this.seen.revision, left };
  }

  /** What of it was not taken, for the run's row. */
  get unread(): { readonly unread: number; readonly unreadSize: number } {
    let unread = 0;
    let unreadSize = 0;
    for (const { revision, signal, size } of this.#items) {
      if (signal === "" || this.isTaken(revision)) continue;
      unread++;
      unreadSize += size;
    }
    return { unread, unreadSize };
  }

  /** The same, where so much was taken that the row, which counts what comes, says far too much. */
  unreadAtLast(): { readonly unread: number; readonly unreadSize: number } | undefined {
    if (this.#takenSince < manyTaken && this.#takenSizeSince < muchTaken) return undefined;
    this.#takenSince = 0;
    this.#takenSizeSince = 0;
    return this.unread;
  }

  /** The inbox as it is now. */
  look(items: readonly Item[]): void {
    for (const { revision, event } of this.#items) {
      if (!this.isTaken(revision)) continue;
      const now = items[revision - (items[0]?.revision ?? 0)]; // there are no gaps in an inbox
      if (now?.event !== event) this.#lost = true;
    }
    this.#items = this.#unseen(items);
  }

  take(revision: number): void {
    this.#taken ??= new Set();
    this.#taken.add(revision);
    const [first] = this.#items;
    const likely = first && this.#items[revision - first.revision]; // there are gaps only where an earlier stretch has taken some
    const item = likely?.revision === revision ? likely : this.#items.find((item) => item.revision === revision);
    this.#takenSince++;
    this.#takenSizeSince += item?.size ?? 0;
  }

  #unseen(items: readonly Item[]): readonly Item[] {
    const { upTo, left } = this.#before;
    return items.filter(({ revision }) => revision > upTo || left.includes(revision));
  }
}
