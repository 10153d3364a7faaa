import type { DatabaseSync, StatementSync } from "node:sqlite";

/** Each text is prepared once. What a caller composes is bounded by the shapes of its queries; past that the oldest go. */
export class Statements {
  readonly #db: DatabaseSync;
  readonly #known = new Map<string, StatementSync>();
  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  for(sql: string): StatementSync {
    let statement = this.#known.get(sql);
    if (!statement) {
      statement = this.#db.prepare(sql);
      if (this.#known.size >= 500) this.#known.delete(this.#known.keys().next().value as string);
      this.#known.set(sql, statement);
    }
    return statement;
  }
}
