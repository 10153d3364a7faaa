import type { Entry } from "./journal.ts";

/**
 * What stands in a run's journal. Most of it is steps that begin and are done, which nobody looks at but the code that is
 * acted out again: these stay texts until their turn comes. A text is small and in one piece, where its entries are objects
 * that the collector copies as long as they are there.
 */
export class Entries implements Iterable<Entry> {
  /** All entries but steps that have begun and are done; these, too, where they have been read. */
  readonly others: Entry[];
  readonly #read: (text: string) => readonly Entry[];
  readonly #blocks: (string | readonly Entry[])[];
  #length: number;

  /** `read` gives the entries that a text holds; throws `Unreadable`. */
  constructor(
    read: (text: string) => readonly Entry[] = noTexts,
    blocks: (string | readonly Entry[])[] = [],
    others: Entry[] = [],
    length = 0,
  ) {
    this.#read = read;
    this.#blocks = blocks;
    this.others = others;
    this.#length = length;
  }

  static of(entries: readonly Entry[]): Entries {
    const all = new Entries();
    all.add(entries);
    return all;
  }

  /** Steps that have begun and are done, and nothing else, unread. */
  addText(text: string, count: number): void {
    this.#blocks.push(text);
    this.#length += count;
  }
  add(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    this.#blocks.push(entries);
    this.#length += entries.length;
    for (const entry of entries) this.others.push(entry);
  }

  /** These, and some more behind them. */
  with(entries: readonly Entry[]): Entries {
    const all = new Entries(this.#read, [...this.#blocks], [...this.others], this.#length);
    all.add(entries);
    return all;
  }

  get length(): number {
    return this.#length;
  }
  get first(): Entry | undefined {
    return this.#block(0)?.[0];
  }
  get last(): Entry | undefined {
    return this.#block(this.#blocks.length - 1)?.at(-1);
  }

  *[Symbol.iterator](): Generator<Entry> {
    for (let at = 0; at < this.#blocks.length; at++) yield* this.#block(at) ?? [];
  }

  cursor(): Cursor {
    return new Cursor((at) => this.#block(at));
  }

  #block(at: number): readonly Entry[] | undefined {
    const block = this.#blocks[at];
    return typeof block === "string" ? this.#read(block) : block;
  }
}

/** Goes through entries one by one. */
export class Cursor {
  /** How many entries are behind it. */
  index = 0;
  /** Where it stands; nothing at the end. */
  entry: Entry | undefined;
  readonly #blockAt: (at: number) => readonly Entry[] | undefined;
  #block: readonly Entry[] | undefined;
  #blocks = 0;
  #at = 0;

  constructor(blockAt: (at: number) => readonly Entry[] | undefined) {
    this.#blockAt = blockAt;
    this.#block = blockAt(0);
    this.entry = this.#block?.[0];
  }

  next(): void {
    if (this.entry === undefined) return;
    this.index++;
    this.entry = this.#block?.[++this.#at];
    if (this.entry !== undefined) return;
    this.#block = this.#blockAt(++this.#blocks);
    this.#at = 0;
    this.entry = this.#block?.[0];
  }
}

const noTexts = (): readonly Entry[] => [];
