import type { DatabaseSync, StatementSync } from "node:sqlite";

/**
 * Looks that come right after each other see the same moment. Whenever the writer has committed, a connection forgets all
 * pages that it has read, so under load each look read its way down an index anew, and that took longer than the look. The
 * transaction ends in the microtask that is next, before anything else can be acknowledged: no look misses what its asker
 * was told before.
 */
export class SharedLook {
  readonly #db: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #end: StatementSync;
  #looks = 0;
  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#begin = db.prepare("begin");
    this.#end = db.prepare("commit");
  }

  look<T>(read: () => T): T {
    this.#looks++;
    if (this.#looks === 1) queueMicrotask(() => this.#over());
    else if (this.#looks === 2) this.#begin.run(); // a lone one is spared it
    return read();
  }

  #over(): void {
    this.#looks = 0;
    if (this.#db.isOpen && this.#db.isTransaction) this.#end.run();
  }
}
