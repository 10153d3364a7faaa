import type { Receipt } from "../../storage/host.ts";
import type { Asker } from "./asker.ts";
import { fromText, toText } from "./text.ts";

/** What is known of keys. Appends write it; here it is looked up, and forgotten. */
export class Receipts {
  readonly #asker: Asker;
  readonly #schema: string;
  constructor(
    asker: Asker,
    /** Quoted already. */
    schema: string,
  ) {
    this.#asker = asker;
    this.#schema = schema;
  }

  /** By key; a key of which nothing is known is missing. */
  async find(log: string, keys: readonly string[]): Promise<ReadonlyMap<string, Receipt>> {
    const rows = await this.#asker.ask<{ key: string; digest: string; result: string | null; voided: boolean }>(
      `select key, digest, result, voided from ${this.#schema}.receipt
       where log = (select id from ${this.#schema}.log where name = $1) and key = any($2)`,
      [toText(log), keys.map(toText)],
    );
    return new Map(
      rows.map((row) => {
        const { key, digest, voided } = { ...row, key: fromText(row.key), digest: fromText(row.digest) };
        return [key, { key, digest, voided, ...(row.result !== null && { result: fromText(row.result) }) }];
      }),
    );
  }

  /** Forgets up to `limit` that have expired, the oldest first, and says how many. */
  async sweep(log: string, now: number, limit: number): Promise<number> {
    const rows = await this.#asker.ask(
      `with expired as (
         select log, key from ${this.#schema}.receipt
         where log = (select id from ${this.#schema}.log where name = $1) and expires is not null and not voided
           and expires <= $2
         order by expires limit $3 for update skip locked
       )
       delete from ${this.#schema}.receipt r using expired e where r.log = e.log and r.key = e.key returning 1 as gone`,
      [toText(log), Math.floor(now), limit],
    );
    return rows.length;
  }
}
