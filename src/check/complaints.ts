/** Reads JSON that a person wrote, and gathers what is wrong with it: one sentence each, with a JSON Pointer. */
export class Complaints {
  readonly sentences: string[] = [];

  object(value: unknown, at: string, keys?: readonly string[]): { readonly [key: string]: unknown } {
    if (value === undefined) return {};
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      this.#wrong(at, "must be an object");
      return {};
    }
    for (const key of keys ? Object.keys(value) : []) this.oneOf(key, `${at}/${key}`, keys ?? [], "key");
    return value as { readonly [key: string]: unknown };
  }

  list(value: unknown, at: string): readonly unknown[] {
    if (value === undefined) return [];
    if (Array.isArray(value)) return value;
    this.#wrong(at, "must be a list");
    return [];
  }

  texts(value: unknown, at: string): readonly string[] {
    return this.list(value, at).map((item, index) => this.text(item, `${at}/${index}`));
  }

  text(value: unknown, at: string): string {
    if (typeof value === "string" && value !== "") return value;
    this.#wrong(at, "must be a text");
    return "";
  }

  textOrFalse(value: unknown, at: string): string | false {
    return value === false ? false : this.text(value, at);
  }

  flag(value: unknown, at: string): boolean {
    if (value !== undefined && typeof value !== "boolean") this.#wrong(at, "must be true or false");
    return value === true;
  }

  /** What departs from a rule says why, in words. */
  reason(value: unknown, at: string): void {
    if (typeof value !== "string" || value.trim().length < 3) this.#wrong(at, "must give the reason, in words");
  }

  oneOf(value: unknown, at: string, known: readonly string[], what: string): void {
    if (typeof value === "string" && known.includes(value)) return;
    this.#wrong(at, `is no ${what} that is known; there is ${known.join(", ")}`);
  }

  #wrong(at: string, what: string): void {
    this.sentences.push(`${at === "" ? "The whole" : at} ${what}.`);
  }
}
