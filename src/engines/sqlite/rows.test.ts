import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Rows, rowsTogether } from "./rows.ts";
import { Statements } from "./statements.ts";

test("every row is written once and as it was, however many come before each end of a transaction", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 3 * rowsTogether }), { maxLength: 5 }), (transactions) => {
      const db = new DatabaseSync(":memory:");
      db.exec("create table note (id integer primary key, text text, bytes blob) strict");
      const rows = new Rows(new Statements(db), "note", ["id", "text", "bytes"]);
      let last = 0;
      for (const added of transactions) {
        for (let count = 0; count < added; count++) {
          const id = ++last;
          rows.add(id, id % 2 === 0 ? null : `no. ${id}`, Uint8Array.of(id % 256));
        }
        rows.flush();
        expect(db.prepare("select count(*) n from note").get()?.n).toBe(last);
      }
      const written = db.prepare("select id, text, bytes from note order by id").all();
      expect(written.map(({ id, text, bytes }) => [id, text, bytes])).toEqual(
        Array.from({ length: last }, (_, at) => [
          at + 1,
          at % 2 === 0 ? `no. ${at + 1}` : null,
          Uint8Array.of((at + 1) % 256),
        ]),
      );
      db.close();
    }),
    { numRuns: 50 },
  );
});
