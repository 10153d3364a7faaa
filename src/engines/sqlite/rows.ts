import type { SQLInputValue, StatementSync } from "node:sqlite";
import type { Statements } from "./statements.ts";

/** So many rows are written by one statement, where there are so many: each by one of its own costs half as much again. */
export const rowsTogether = 16;

/** Rows that are added to a table. They are written when enough have come, and at the end of the transaction. */
export class Rows {
  readonly #statements: Statements;
  readonly #sql: string;
  readonly #width: number;
  readonly #one: StatementSync;
  #many: StatementSync | undefined;
  #values: SQLInputValue[] = [];
  constructor(statements: Statements, table: string, columns: readonly string[]) {
    this.#statements = statements;
    this.#width = columns.length;
    this.#sql = `insert into ${table} (${columns.join(", ")}) values ${this.#places()}`;
    this.#one = statements.for(this.#sql);
  }

  /** What is handed over is kept until it is written. */
  add(...values: readonly SQLInputValue[]): void {
    this.#values.push(...values);
    if (this.#values.length < rowsTogether * this.#width) return;
    this.#many ??= this.#statements.for(this.#sql + `, ${this.#places()}`.repeat(rowsTogether - 1));
    this.#many.run(...this.#values);
    this.#values.length = 0;
  }

  flush(): void {
    const values = this.#values;
    for (let from = 0; from < values.length; from += this.#width)
      this.#one.run(...values.slice(from, from + this.#width));
    values.length = 0;
  }

  #places(): string {
    return `(${Array.from({ length: this.#width }, () => "?").join(", ")})`;
  }
}
