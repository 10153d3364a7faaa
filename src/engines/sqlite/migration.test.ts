import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { openSqlite } from "./index.ts";

/** What Trilith 0.1.0 wrote, word for word: two logs, a receipt, a voided one, a reader, the runs with their old indexes. */
const version1 = `
  pragma application_id = 1416784236;
  CREATE TABLE trilith (version integer not null, at integer not null) strict;
  CREATE TABLE log (id integer primary key, name text not null unique, epoch integer not null) strict;
  CREATE TABLE stream (id integer primary key, log integer not null, name text not null, unique (log, name)) strict;
  CREATE TABLE type ( id integer primary key, log integer not null, name text not null, version integer not null, unique (log, name, version) ) strict;
  CREATE TABLE receipt ( log integer not null, key text not null, digest text not null, append any not null, result text, voided integer not null, at integer not null, primary key (log, key) ) strict, without rowid;
  CREATE TABLE reader ( log integer not null, name text not null, position integer not null, primary key (log, name) ) strict, without rowid;
  CREATE TABLE collection (name text primary key, columns text not null) strict, without rowid;
  CREATE TABLE "document run" ( key text not null unique, revision integer not null, data text not null, "field state" text, "field owner" text, "field wakeAt" any ) strict;
  CREATE TABLE event_1 ( position integer primary key, stream integer not null, revision integer not null, append any not null, ix integer not null, type integer not null, at integer not null, data text not null, meta text ) strict;
  CREATE TABLE event_2 ( position integer primary key, stream integer not null, revision integer not null, append any not null, ix integer not null, type integer not null, at integer not null, data text not null, meta text ) strict;
  CREATE INDEX "index run wakeAt" on "document run" ("field wakeAt", key);
  CREATE INDEX "index run owner" on "document run" ("field owner", key);
  CREATE UNIQUE INDEX event_1_stream on event_1 (stream, revision);
  CREATE UNIQUE INDEX event_2_stream on event_2 (stream, revision);
  insert into "trilith" values (1, 1700000000000);
  insert into "log" values (1, 'main', 1);
  insert into "log" values (2, 'runs', 1);
  insert into "stream" values (1, 1, 'note/a');
  insert into "stream" values (2, 1, 'note/b');
  insert into "stream" values (3, 2, 'run/x');
  insert into "type" values (1, 1, 'notes.Written', 1);
  insert into "type" values (2, 2, 'notes.Written', 1);
  insert into "receipt" values (1, 'k', 'd', x'0190c0de000070008000000000000001', '{"n":1}', 0, 1700000000000);
  insert into "receipt" values (1, 'v', '', x'0190c0de000070008000000000000002', null, 1, 1700000000000);
  insert into "reader" values (1, 'shelf.book@1', 3);
  insert into "collection" values ('run', '[["owner","text"],["state","text"],["wakeAt","number"]]');
  insert into "document run" values ('x', 1, '{"state":"waiting","owner":null,"wakeAt":5}', 'waiting', null, 5);
  insert into "document run" values ('y', 1, '{"state":"running","owner":"n1","wakeAt":null}', 'running', 'n1', null);
  insert into "event_1" values (1, 1, 0, x'0190c0de000070008000000000000001', 0, 1, 1700000000000, '"one"', null);
  insert into "event_1" values (2, 2, 0, x'0190c0de000070008000000000000001', 1, 1, 1700000000000, '"two"', null);
  insert into "event_1" values (3, 1, 1, x'0190c0de000070008000000000000003', 0, 1, 1700000000000, '"three"', '{}');
  insert into "event_2" values (1, 3, 0, x'0190c0de000070008000000000000004', 0, 2, 1700000000000, '1', null);
`;
const runs = {
  name: "run",
  columns: [
    { name: "state", type: "text" },
    { name: "owner", type: "text" },
    { name: "wakeAt", type: "number" },
  ],
  indexes: [
    { columns: ["wakeAt"], where: { column: "owner", is: "null" } },
    { columns: ["owner"], where: { column: "owner", is: "not null" } },
  ],
} as const;

test("a file of version 1 opens with all that it holds, and stays open to the next start", async () => {
  const folder = mkdtempSync(join(tmpdir(), "trilith-migration-"));
  const file = join(folder, "trilith.db");
  const old = new DatabaseSync(file);
  old.exec(`pragma journal_mode = wal; ${version1}`);
  old.close();
  try {
    for (let start = 1; start <= 2; start++) {
      const engine = await openSqlite({ folder });
      await engine.define(runs);
      const events = await engine.read("main", { after: 0, limit: 10 });
      expect(events.map(({ stream, revision, data }) => [stream, revision, data])).toEqual([
        ["note/a", 0, '"one"'],
        ["note/b", 0, '"two"'],
        ["note/a", 1, '"three"'],
      ]);
      expect(await engine.receipt("main", "k")).toEqual({ key: "k", digest: "d", result: '{"n":1}', voided: false });
      expect(await engine.receipt("main", "v")).toMatchObject({ voided: true });
      expect(await engine.checkpoint("main", "shelf.book@1")).toEqual({ epoch: 1, position: 3 });
      expect(await engine.sweep("main", Number.MAX_SAFE_INTEGER, 100)).toBe(0);
      const due = { owner: { equals: null }, wakeAt: { from: 0, to: 9 } };
      expect(await engine.find("run", { where: due, limit: 5 })).toMatchObject([{ key: "x" }]);
      expect(await engine.check()).toEqual([]);
      await engine.close();
    }
    const after = new DatabaseSync(file, { readOnly: true });
    expect(after.prepare("select version from trilith").all()).toEqual([
      { version: 1 },
      { version: 2 },
      { version: 3 },
      { version: 4 },
      { version: 5 },
      { version: 6 },
    ]);
    const indexes = after.prepare("select name from sqlite_schema where tbl_name = 'document run' and sql is not null");
    expect(indexes.all().map(({ name }) => name)).toEqual([
      "document run",
      "index run wake^at where owner null",
      "index run owner where owner not null",
    ]);
    const plan = (where: string) =>
      after.prepare(`explain query plan select key from "document run" where ${where}`).all()[0]?.detail;
    expect(plan(`"field owner" is null and "field wake^at" >= ? order by "field wake^at", key`)).toContain(
      "wake^at where",
    );
    expect(plan(`"field owner" >= ?`)).toContain("owner where owner not null");
    after.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
