/**
 * The ids of calls that must be done once. The database remembers a call's answer under its id, so that a call whose
 * answer was lost can be made again; once the answer is here that memory can go, and travels with a later call.
 */
export class Calls {
  // Counted from a beginning of its own: it costs less than a random number, and rows that come together lie together.
  readonly #beginning = crypto.randomUUID().slice(0, -12);
  #count = 0;
  #answered: string[] = [];

  next(): string {
    return this.#beginning + (this.#count++).toString(16).padStart(12, "0");
  }

  /** The answer is here. One that was asked for twice stays remembered: the first asking may still be on its way. */
  answered(call: string, again: boolean): void {
    if (!again) this.#answered.push(call);
  }

  /** What may be forgotten, once it is worth the while. */
  toForget(atLeast = 64): readonly string[] | null {
    if (this.#answered.length < atLeast) return null;
    return this.#answered.splice(0, 4 * atLeast);
  }
}
