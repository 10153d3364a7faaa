import type { DatabaseSync } from "node:sqlite";
import { spelled } from "./collections.ts";

/** The shape of the tables that this code reads and writes. A file of another shape is refused, never guessed at. */
const schemaVersion = 6;

/** What leads a file from the version before to this one, as far as it is the same for all; each is one transaction. */
const migrations: { readonly [version: number]: string } = {
  2: `
    alter table reader add column epoch integer not null default 1;
    alter table receipt add column expires integer;
    create index receipt_expires on receipt (log, expires) where expires is not null;
  `,
  // The index of names becomes a table of its own, which may lack the newest of them (stream-names.ts).
  4: `
    create table stream_name (
      log integer not null, name text not null, stream integer not null, primary key (log, name)
    ) strict, without rowid;
    insert into stream_name (log, name, stream) select log, name, id from stream order by log, name;
    alter table stream rename to stream_3;
    create table stream (id integer primary key, log integer not null, name text not null) strict;
    insert into stream (id, log, name) select id, log, name from stream_3 order by id;
    drop table stream_3;
    create table named (stream integer not null) strict;
    insert into named (stream) select coalesce(max(id), 0) from stream;
  `,
  // The same tables; but names move by stretches, so that some are in the index before `named` says so.
  5: "",
};

/** Spells "Tril" in the file's header, so that somebody else's database is not written into. */
const applicationId = 0x5472696c;

/** Makes the tables in a new file, brings an older one up, and refuses one that is not ours or was written by newer code. */
export function prepareTables(db: DatabaseSync, at: number): void {
  const { application_id: owner } = db.prepare("pragma application_id").get() as { application_id: number };
  const { n: tables } = db.prepare("select count(*) n from sqlite_schema").get() as { n: number };
  if (tables === 0) create(db, at);
  else if (owner !== applicationId) throw new Error("It is a database of another program.");
  const { version } = db.prepare("select max(version) version from trilith").get() as { version: number };
  if (version > schemaVersion) {
    throw new Error(
      `Its tables have version ${version}, and this Trilith knows them up to version ${schemaVersion}: a newer Trilith has written here. Start that one.`,
    );
  }
  for (let next = version + 1; next <= schemaVersion; next++) migrate(db, next, at);
}

export const firstEpoch = 1;

/** A log's events have a table of their own, so that the newest is always written at its end. */
export function createLog(db: DatabaseSync, name: string): number {
  const id = Number(db.prepare("insert into log (name, epoch) values (?, ?)").run(name, firstEpoch).lastInsertRowid);
  db.exec(`
    create table event_${id} (
      position integer primary key, stream integer not null, revision integer not null, append any not null,
      ix integer not null, type integer not null, at integer not null, data text not null, meta text, spans integer,
      gathered integer
    ) strict;
    ${entriesOf(id)}
  `);
  return id;
}

/** Where the events of a stream are found (stream-entries.ts). */
const entriesOf = (log: number): string => `
  create unique index event_${log}_stream on event_${log} (stream, revision) where gathered is null;
  create table event_${log}_entry (
    stream integer not null, revision integer not null, position integer not null, primary key (stream, revision)
  ) strict, without rowid;
  create table event_${log}_recent (position integer primary key, entries text not null) strict;
`;

function migrate(db: DatabaseSync, version: number, at: number): void {
  db.exec("begin immediate");
  try {
    const sql = migrations[version];
    if (sql !== undefined) db.exec(sql);
    if (version === 2) respell(db);
    if (version === 3) widen(db);
    if (version === 6) gather(db);
    db.prepare("insert into trilith (version, at) values (?, ?)").run(version, at);
    db.exec("commit");
  } catch (error) {
    if (db.isTransaction) db.exec("rollback");
    throw error;
  }
}

/** Events that take several revisions say how many; those of before take one. */
function widen(db: DatabaseSync): void {
  for (const { id } of db.prepare("select id from log").all())
    db.exec(`alter table event_${Number(id)} add column spans integer`);
}

/** Entries of old streams are gathered; those of before stay where they are. */
function gather(db: DatabaseSync): void {
  for (const { id } of db.prepare("select id from log").all()) {
    const log = Number(id);
    db.exec(`alter table event_${log} add column gathered integer; drop index event_${log}_stream; ${entriesOf(log)}`);
  }
}

/** Names of the first version that have capitals; their indexes are made anew when the collection is defined. */
function respell(db: DatabaseSync): void {
  const like = "select name from sqlite_schema where type = ? and name like ?";
  const quote = (name: unknown): string => `"${String(name).replaceAll('"', '""')}"`;
  for (const { name: index } of db.prepare(like).all("index", "index %")) db.exec(`drop index ${quote(index)}`);
  for (const { name: table } of db.prepare(like).all("table", "document %")) {
    for (const { name: column } of db.prepare(`pragma table_info(${quote(table)})`).all()) {
      const better = spelled(String(column));
      if (better !== column) db.exec(`alter table ${quote(table)} rename column ${quote(column)} to ${quote(better)}`);
    }
    const better = spelled(String(table));
    if (better !== table) db.exec(`alter table ${quote(table)} rename to ${quote(better)}`);
  }
}

/** As the first version was; the migrations lead on from there, so that a new file and an old one end up the same. */
function create(db: DatabaseSync, at: number): void {
  db.exec(`
    begin immediate;
    pragma application_id = ${applicationId};
    create table trilith (version integer not null, at integer not null) strict;
    create table log (id integer primary key, name text not null unique, epoch integer not null) strict;
    create table stream (id integer primary key, log integer not null, name text not null, unique (log, name)) strict;
    create table type (
      id integer primary key, log integer not null, name text not null, version integer not null,
      unique (log, name, version)
    ) strict;
    create table receipt (
      log integer not null, key text not null, digest text not null, append any not null, result text,
      voided integer not null, at integer not null, primary key (log, key)
    ) strict, without rowid;
    create table reader (
      log integer not null, name text not null, position integer not null, primary key (log, name)
    ) strict, without rowid;
    create table collection (name text primary key, columns text not null) strict, without rowid;
  `);
  db.prepare("insert into trilith (version, at) values (?, ?)").run(1, at);
  db.exec("commit");
}
