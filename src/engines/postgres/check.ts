import type { Client } from "pg";
import { mostHeld } from "./sql/event-rows.ts";

/**
 * Looks through the log as of one moment: positions and revisions without gaps, times that do not go back, nothing that
 * belongs to nothing, and the same answer from the tables and from their indexes. A sentence for each thing that is wrong.
 */
export async function check(client: Client, schema: string): Promise<readonly string[]> {
  await client.query("set statement_timeout = 0");
  await client.query("set idle_in_transaction_session_timeout = 0");
  await client.query("select set_config(name, '0', false) from pg_settings where name = 'transaction_timeout'");
  await client.query("begin isolation level repeatable read read only");
  try {
    const found: string[] = [];
    for (const [sql, sentence] of looks(schema)) {
      const { rows } = await client.query<Found>(sql);
      found.push(...rows.map(sentence));
    }
    for (const index of ["event_position", "event_revision", "receipt_pkey", "stream_pkey", "stream_log_name_key"])
      found.push(...(await compare(client, schema, index)));
    return found;
  } finally {
    await client.query("rollback");
  }
}

interface Found {
  readonly log: string;
  readonly name: string;
  readonly n: number;
  readonly m: number;
}

const looks = (schema: string): readonly (readonly [sql: string, sentence: (found: Found) => string])[] => [
  [
    `select name from (values ('fsync'), ('full_page_writes')) wanted(name)
     where current_setting(name) = 'off'`,
    ({ name }) => `The server runs with ${name}=off: a power failure can lose what was acknowledged. Turn it on.`,
  ],
  [
    `select l.name as log, e.position as n, e.before as m from (
       select log, position - coalesce(holds, 1) + 1 as position,
         coalesce(lag(position) over (partition by log order by position), 0) as before
       from ${schema}.event_row
     ) e left join ${schema}.log l on l.id = e.log where e.position <> e.before + 1 order by 1, 2 limit 100`,
    ({ log, n, m }) => `The log "${log}" goes from position ${m} to ${n}: what was between is missing.`,
  ],
  [
    `select l.name as log, s.name, e.revision as n, e.before as m from (
       select log, stream, revision - coalesce(holds, 1) + 1 as revision, coalesce(spans, 1) as spans,
         coalesce(lag(revision) over (partition by stream order by revision), -1) as before
       from ${schema}.event_row
     ) e left join ${schema}.log l on l.id = e.log left join ${schema}.stream s on s.id = e.stream
     where e.revision <> e.before + e.spans order by 1, 2, 3 limit 100`,
    ({ log, name, n, m }) =>
      `The stream "${name}" of the log "${log}" goes from revision ${m} to ${n}: what was between is missing.`,
  ],
  [
    `select l.name as log, e.position as n, coalesce(e.holds, 1) as m
     from ${schema}.event_row e left join ${schema}.log l on l.id = e.log
     where e.holds is not null and (e.holds not between 2 and ${mostHeld}
       or e.ix < e.holds - 1
       or cardinality(string_to_array(e.data, chr(30))) <> e.holds or cardinality(e.types) <> e.holds
       or e.types[e.holds] <> e.type) order by 1, 2 limit 100`,
    ({ log, n, m }) => `The row at position ${n} of the log "${log}" does not hold the ${m} events that it should.`,
  ],
  [
    `select l.name as log, e.position as n from (
       select log, position, at, lag(at) over (partition by log order by position) as before from ${schema}.event_row
     ) e join ${schema}.log l on l.id = e.log where e.at < e.before order by 1, 2 limit 100`,
    ({ log, n }) => `In the log "${log}" time goes back at position ${n}.`,
  ],
  [
    `select coalesce(l.name, e.log::text) as log, e.position as n,
       case when l.id is null then 'log' when s.id is null then 'stream' else 'type' end as name
     from ${schema}.event_row e left join ${schema}.log l on l.id = e.log
       left join ${schema}.stream s on s.id = e.stream and s.log = e.log
       left join ${schema}.type t on t.id = e.type and t.log = e.log
     where l.id is null or s.id is null or t.id is null or e.types is not null and exists (
       select from unnest(e.types) u(id) where not exists (select from ${schema}.type t where t.id = u.id and t.log = e.log)
     ) order by 1, 2 limit 100`,
    ({ log, n, name }) => `The event at position ${n} of the log "${log}" belongs to a ${name} that is not there.`,
  ],
  [
    `select l.name as log, s.name from ${schema}.stream s join ${schema}.log l on l.id = s.log
     where not exists (select from ${schema}.event_row e where e.stream = s.id) order by 1, 2 limit 100`,
    ({ log, name }) => `The stream "${name}" of the log "${log}" has no event.`,
  ],
  [
    `select l.name as log, r.name, r.position as n from ${schema}.reader r join ${schema}.log l on l.id = r.log
     where r.epoch = l.epoch
       and r.position > coalesce((select max(e.position) from ${schema}.event_row e where e.log = l.id), 0) order by 1, 2`,
    ({ log, name, n }) =>
      `The reader "${name}" is at position ${n} of the log "${log}", which does not reach that far.`,
  ],
  [
    `select c.name from ${schema}.collection c where to_regclass('${schema}.document_' || c.id) is null order by 1`,
    ({ name }) => `The collection "${name}" has no table any more.`,
  ],
  [
    `select c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid
     where c.relnamespace = '${schema}'::regnamespace and not (i.indisvalid and i.indisready) order by 1`,
    ({ name }) => `The index "${name}" is not valid. Build it anew: reindex index ${schema}.${name}.`,
  ],
];

/** What an index holds is counted by it, and by the table from end to end. */
async function compare(client: Client, schema: string, index: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string; columns: string }>(
    `select t.relname as name, string_agg(quote_ident(a.attname), ', ' order by a.attnum) as columns
     from pg_index i join pg_class t on t.oid = i.indrelid join pg_attribute a on a.attrelid = i.indexrelid
     where i.indexrelid = '${schema}.${index}'::regclass group by t.relname`,
  );
  const [table] = rows;
  if (!table) return [];
  const counted: string[] = [];
  for (const way of ["seqscan", "indexonlyscan"]) {
    for (const other of ["seqscan", "indexscan", "indexonlyscan", "bitmapscan"])
      await client.query(`set local enable_${other} = ${other === way ? "on" : "off"}`);
    const { rows: sums } = await client.query<{ sum: string }>(
      `select count(*) || ' ' || coalesce(sum(hashtextextended((row(${table.columns}))::text, 0)::numeric), 0) as sum
       from ${schema}.${table.name}`,
    );
    counted.push(sums[0]?.sum ?? "");
  }
  const [byTable, byIndex] = counted;
  if (byTable === byIndex) return [];
  return [
    `The index "${index}" says something else than the table ${schema}.${table.name} (${byIndex?.split(" ")[0]} entries for ${byTable?.split(" ")[0]} rows). Build it anew: reindex index ${schema}.${index}.`,
  ];
}
