import type { Client } from "pg";
import { append, appendOfBefore } from "./sql/append.ts";
import { aloneOfBefore, appendAlone } from "./sql/append-alone.ts";
import { collections, endings } from "./sql/collections.ts";
import { documents, patches } from "./sql/documents.ts";
import { eventRows } from "./sql/event-rows.ts";
import { place, positionAt, revisionAt } from "./sql/places.ts";
import { finishedSteps, readers } from "./sql/readers.ts";
import { spans, tables } from "./sql/tables.ts";

const none = (): string => "select";

/**
 * What leads the schema from one version to the next. Functions carry a version in their names, so that the nodes that
 * still run the code of before go on with theirs. What looked into the log when its table was called otherwise is made anew
 * in the seventh, and by no version before; and what old nodes and new ones call alike in the eighth.
 */
const migrations: readonly ((schema: string) => string)[] = [
  (schema) => [tables, documents, readers].map((part) => part(schema)).join("\n"),
  finishedSteps,
  spans,
  none,
  (schema) => [collections, endings].map((part) => part(schema)).join("\n"),
  none,
  (schema) => [eventRows, positionAt, revisionAt, place].map((part) => part(schema)).join("\n"),
  (schema) => [append, appendOfBefore, appendAlone, aloneOfBefore, patches].map((part) => part(schema)).join("\n"),
];

/**
 * Brings the schema up to what this code knows. One statement: a client that stops in the middle leaves nothing locked, and
 * of ten that start at once one does the work while the others wait. Throws a sentence where newer code has been here.
 */
export async function migrate(client: Client, schema: string): Promise<void> {
  const version = migrations.length;
  if ((await versionOf(client, schema)) === version) return; // looks, and asks for no lock
  await client.query(`do $migrate$
    declare
      v_version integer;
    begin
      perform pg_advisory_xact_lock(hashtextextended('trilith migrations ${schema}', 0));
      if to_regnamespace('${schema}') is null then create schema ${schema}; end if;
      create table if not exists ${schema}.migration (version integer primary key, at timestamptz not null default now());
      select coalesce(max(version), 0) into v_version from ${schema}.migration;
      ${migrations
        .map(
          (migration, index) => `
      if v_version < ${index + 1} then
        execute $script$${migration(schema)}$script$;
        insert into ${schema}.migration (version) values (${index + 1});
      end if;`,
        )
        .join("\n")}
    end $migrate$`);
  const present = await versionOf(client, schema);
  if (present > version) {
    throw new Error(
      `The schema has version ${present}, and this Trilith knows it up to version ${version}: a newer Trilith has written here. Start that one.`,
    );
  }
}

async function versionOf(client: Client, schema: string): Promise<number> {
  const { rows } = await client.query<{ there: boolean }>("select to_regclass($1) is not null as there", [
    `${schema}.migration`,
  ]);
  if (!rows[0]?.there) return 0;
  const found = await client.query<{ version: number }>(
    `select coalesce(max(version), 0) as version from ${schema}.migration`,
  );
  return found.rows[0]?.version ?? 0;
}
