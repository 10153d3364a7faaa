/**
 * The tables. Text is compared by its bytes; streams and types have integers in the place of their names; a reader's
 * checkpoint is its newest row, for a row that every append updates bloats under a long snapshot, and a probe of an
 * index's end does not. `call` remembers what was answered until the asker has it.
 */
export const tables = (schema: string): string => `
  create table ${schema}.log (
    id integer generated always as identity primary key,
    name text collate "C" not null unique,
    epoch integer not null default 1
  );
  create sequence ${schema}.stream_id;
  create table ${schema}.stream (
    id bigint primary key,
    log integer not null,
    name text collate "C" not null,
    unique (log, name)
  );
  create table ${schema}.type (
    id integer generated always as identity primary key,
    log integer not null,
    name text collate "C" not null,
    version integer not null,
    unique (log, name, version)
  );
  create table ${schema}.event (
    position bigint not null,
    stream bigint not null,
    revision bigint not null,
    at bigint not null,
    append uuid not null,
    log integer not null,
    ix integer not null,
    type integer not null,
    data text not null,
    meta text,
    constraint event_position primary key (log, position),
    constraint event_revision unique (stream, revision)
  );
  create table ${schema}.receipt (
    at bigint not null,
    expires bigint,
    append uuid not null,
    log integer not null,
    voided boolean not null,
    key text collate "C" not null,
    digest text collate "C" not null,
    result text,
    primary key (log, key)
  );
  create index receipt_expires on ${schema}.receipt (log, expires) where expires is not null and not voided;
  create table ${schema}.reader (
    log integer not null,
    name text collate "C" not null,
    epoch integer not null,
    position bigint not null,
    primary key (log, name, epoch, position)
  );
  create table ${schema}.collection (
    id integer generated always as identity primary key,
    name text collate "C" not null unique,
    columns text not null
  );
  create table ${schema}.call (
    id uuid primary key,
    at timestamptz not null default now(),
    reply text not null
  );
`;

/** How many revisions of its stream an event takes; nothing where it is one. */
export const spans = (schema: string): string => `alter table ${schema}.event add column spans integer;`;
