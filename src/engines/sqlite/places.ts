import type { Place, Receipt } from "../../storage/host.ts";
import type { EventPages } from "./event-pages.ts";
import { type ReceiptRow, toReceipt } from "./ledger.ts";
import type { Statements } from "./statements.ts";
import { firstEpoch } from "./tables.ts";

/** How far streams, readers and commands have come: looks by key, on a connection that may only read. */
export class Places {
  readonly #statements: Statements;
  readonly #pages: EventPages;
  constructor(statements: Statements, pages: EventPages) {
    this.#statements = statements;
    this.#pages = pages;
  }

  /** A stream's last revision, or -1. */
  revision(log: string, stream: string): number {
    return this.#pages.revision(log, stream);
  }

  receipt(log: string, key: string): Receipt | undefined {
    const known = this.#pages.log(log);
    const row =
      known &&
      (this.#statements
        .for("select key, digest, result, voided from receipt where log = ? and key = ?")
        .get(known.id, key) as ReceiptRow | undefined);
    return row && toReceipt(row);
  }

  checkpoint(log: string, reader: string): Place {
    const row = this.#statements
      .for(
        `select coalesce(r.epoch, l.epoch) epoch, coalesce(r.position, 0) position
         from log l left join reader r on r.log = l.id and r.name = ? where l.name = ?`,
      )
      .get(reader, log) as Place | undefined;
    return { epoch: row?.epoch ?? firstEpoch, position: row?.position ?? 0 };
  }
}
