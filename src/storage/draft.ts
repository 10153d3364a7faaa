import type { Collection, Column } from "./engine.ts";
import { Refused } from "./refused.ts";

export type Fields = { readonly [name: string]: unknown };

/**
 * A document between its writes: what many of them make of it, one after the other, is worked out here, and written down
 * once. Each write throws `Refused`, as it would if it were written down by itself. Text is JSON; what is kept as text is
 * parsed only if somebody asks for its fields.
 */
export class Draft {
  readonly key: string;
  readonly #collection: Collection;
  #text: string | undefined;
  #fields: Fields | undefined;
  #times = 0;
  #anew = false;
  /** `stored`: what it is so far; nothing where it is not there, or where nobody has looked and the first write is a put or a removal. */
  constructor(collection: Collection, key: string, stored?: Fields | string) {
    this.#collection = collection;
    this.key = key;
    if (typeof stored === "string") this.#text = stored;
    else this.#fields = stored;
  }

  get isThere(): boolean {
    return this.#fields !== undefined || this.#text !== undefined;
  }

  /** How many writes it stands for: those since it was removed, where it was. */
  get times(): number {
    return this.#times;
  }

  /** Whether it was removed on the way, so that its revision counts from 1 again. */
  get anew(): boolean {
    return this.#anew;
  }

  get fields(): Fields {
    this.#fields ??= JSON.parse(this.#text as string) as Fields; // asked for only where it is there
    return this.#fields;
  }

  get text(): string {
    this.#text ??= JSON.stringify(this.#fields);
    return this.#text;
  }

  /** As it can be begun with again: what is at hand, so that nothing is parsed for it. Nothing where it is not there. */
  get content(): Fields | string | undefined {
    return this.#fields ?? this.#text;
  }

  put(data: string): void {
    this.#text = data;
    this.#fields = undefined;
    if (this.#collection.columns.length > 0) checkColumns(this.#collection, this.key, this.fields);
    this.#times++;
  }

  patch(data: string): void {
    if (this.isThere) this.#set({ ...this.fields, ...(JSON.parse(data) as Fields) });
  }

  /** `initial`: what a document starts from that is not there, or the sentence that refuses it. */
  increment(by: Fields, initial: () => Fields | string): void {
    const before = this.isThere ? this.fields : initial();
    if (typeof before === "string") throw new Refused(before);
    const after: Record<string, unknown> = { ...before };
    for (const [field, amount] of Object.entries(by)) {
      if (amount === undefined) continue;
      const value = before[field] ?? 0;
      if (typeof value !== "number")
        throw new Refused(
          `The field "${field}" of the document "${this.key}" in "${this.#collection.name}" is ${JSON.stringify(value)}, and only numbers are incremented.`,
        );
      after[field] = value + (amount as number); // the port says that it is one
    }
    this.#set(after);
  }

  remove(): void {
    this.#text = undefined;
    this.#fields = undefined;
    this.#times = 0;
    this.#anew = true;
  }

  #set(fields: Fields): void {
    checkColumns(this.#collection, this.key, fields);
    this.#fields = fields;
    this.#text = undefined;
    this.#times++;
  }
}

/** Refuses what an index column cannot hold. */
export function checkColumns(collection: Collection, key: string, fields: Fields): void {
  toColumns(collection, key, fields);
}

/** A document's index columns, from its fields. */
export function toColumns(collection: Collection, key: string, fields: Fields): readonly Column[] {
  return collection.columns.map(({ name, type }) => {
    const value = fields[name];
    if (value === undefined || value === null) return null;
    if (typeof value === "boolean" && type === "number") return value ? 1 : 0;
    if (typeof value === (type === "text" ? "string" : "number")) return value as Column;
    throw new Refused(
      `The field "${name}" of the document "${key}" in "${collection.name}" is an index column of type ${type}, and cannot hold ${JSON.stringify(value)}.`,
    );
  });
}
