/** The checker's thread: holds every table against the others, in one snapshot of the file. */
import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { toColumns } from "../../storage/draft.ts";
import type { Collection } from "../../storage/host.ts";
import { columnOf, tableOf } from "./collections.ts";
import { sentenceOf } from "./trouble.ts";

export type FromChecker = readonly string[];

/** Of one kind of mistake; a thousand of the same say nothing more. */
const mostSentences = 20;

/** What must not be found, log by log: a query of numbers and names, and the sentence for each of its rows. */
interface Rule {
  readonly sql: (log: number) => string;
  readonly say: (row: { readonly [column: string]: unknown }, log: string) => string;
}
/** The entries of old streams that are recent, each with its row. */
const recent = (log: number): string =>
  `(select value ->> 0 stream, value ->> 1 revision, value ->> 2 position, r.position "row"
    from event_${log}_recent r, json_each(entries))`;
/** All entries of old streams: some are there twice while they move. */
const gathered = (log: number): string =>
  `(select stream, revision, position from event_${log}_entry union all select stream, revision, position from ${recent(log)})`;

const rules: readonly Rule[] = [
  {
    sql: (log) =>
      `select p.position, p.before from (
         select position, lag(position, 1, 0) over (order by position) before from event_${log}
       ) p where p.position <> p.before + 1`,
    say: ({ position, before }, log) =>
      `The log "${log}" goes from position ${before} to ${position}: what was between them is missing.`,
  },
  {
    sql: (log) =>
      `select s.name, sum(coalesce(e.spans, 1)) events, max(e.revision) last
       from event_${log} e left join stream s on s.id = e.stream
       group by e.stream having last <> events - 1`,
    say: ({ name, events, last }, log) =>
      `The stream "${name}" of the log "${log}" has events for ${events} revisions, and the last is ${last}.`,
  },
  {
    sql: (log) =>
      `select e.position, f.position other from event_${log} e not indexed left join event_${log} f
       on f.stream = e.stream and f.revision = e.revision and f.gathered is null
       where e.gathered is null and f.position is not e.position`,
    say: ({ position }, log) =>
      `The event at position ${position} of the log "${log}" is not in the index of its stream.`,
  },
  {
    sql: (log) =>
      `select position from event_${log} e where gathered is not null and not exists (
         select 1 from event_${log}_entry x
         where x.stream = e.stream and x.revision = e.revision and x.position = e.position
       ) and position not in (select position from ${recent(log)})`,
    say: ({ position }, log) =>
      `The event at position ${position} of the log "${log}" is not among the entries of its stream.`,
  },
  {
    sql: (log) =>
      `select x.position from ${gathered(log)} x left join event_${log} e on e.position = x.position
       where e.gathered is null or e.stream <> x.stream or e.revision <> x.revision`,
    say: ({ position }, log) => `An entry of the log "${log}" leads to position ${position}, where its event is not.`,
  },
  {
    sql: (log) =>
      `select e.position from (select stream, min(revision) first from ${gathered(log)} group by stream) x
       cross join event_${log} e on e.stream = x.stream and e.revision > x.first where e.gathered is null`,
    say: ({ position }, log) =>
      `The event at position ${position} of the log "${log}" is in the index, and one before it in its stream is not.`,
  },
  {
    sql: (log) =>
      `select r.position from ${recent(log)} r where exists (
         select 1 from event_${log}_entry x where x.stream = r.stream and x.revision > r.revision
       ) and not exists (select 1 from event_${log}_entry x where x.stream = r.stream and x.revision = r.revision)`,
    say: ({ position }, log) =>
      `The entry of position ${position} of the log "${log}" has not moved, and one after it in its stream has.`,
  },
  {
    sql: (log) =>
      `select "row" position from ${recent(log)} group by "row" having max(position) <> "row"
         or min(position) <= (select max(p.position) from event_${log}_recent p where p.position < "row")`,
    say: ({ position }, log) =>
      `The recent entries up to position ${position} of the log "${log}" are not in their order.`,
  },
  {
    sql: (log) =>
      `select position, before from (select position, at, lag(at) over (order by position) before from event_${log})
       where at < before`,
    say: ({ position }, log) =>
      `The event at position ${position} of the log "${log}" is older than the one before it.`,
  },
  {
    sql: (log) =>
      `select position from event_${log} e where not exists (select 1 from stream where id = e.stream and log = ${log})`,
    say: ({ position }, log) => `The event at position ${position} of the log "${log}" belongs to no stream.`,
  },
  {
    sql: (log) =>
      `select position from event_${log} e where not exists (select 1 from type where id = e.type and log = ${log})`,
    say: ({ position }, log) => `The event at position ${position} of the log "${log}" has no type.`,
  },
  {
    sql: (log) =>
      `select position from event_${log} where not json_valid(data) or not json_valid(coalesce(meta, 'null'))`,
    say: ({ position }, log) => `The event at position ${position} of the log "${log}" is not JSON.`,
  },
  {
    sql: (log) =>
      `select name from stream s where log = ${log} and not exists (
         select 1 from event_${log} where stream = s.id and gathered is null
       )`,
    say: ({ name }, log) => `The stream "${name}" of the log "${log}" has no events.`,
  },
  {
    sql: (log) =>
      `select s.name from stream s left join stream_name n on n.log = s.log and n.name = s.name
       where s.log = ${log} and n.stream is not s.id and (n.stream is not null or s.id <= (select stream from named))`,
    say: ({ name }, log) => `The stream "${name}" of the log "${log}" is not found by its name.`,
  },
  {
    sql: (log) =>
      `select name from stream where log = ${log} and id > (select stream from named) group by name having count(*) > 1`,
    say: ({ name }, log) => `The stream "${name}" of the log "${log}" is there twice.`,
  },
  {
    sql: (log) =>
      `select name from stream_name n where log = ${log}
       and not exists (select 1 from stream s where s.id = n.stream and s.log = n.log and s.name = n.name)`,
    say: ({ name }, log) => `The name "${name}" of the log "${log}" leads to no stream.`,
  },
  {
    sql: (log) =>
      `select r.name, r.position from reader r join log l on l.id = r.log where r.log = ${log} and r.epoch = l.epoch
       and r.position > (select coalesce(max(position), 0) from event_${log})`,
    say: ({ name, position }, log) =>
      `The reader "${name}" is at position ${position}, where the log "${log}" does not reach.`,
  },
];
const orphans = ["stream", "stream_name", "type", "receipt", "reader"];

function* look(db: DatabaseSync): Generator<string> {
  const damage = db.prepare("pragma quick_check").all() as { quick_check: string }[];
  for (const { quick_check: told } of damage) if (told !== "ok") yield `The database file is damaged: ${told}.`;
  const logs = db.prepare("select id, name from log order by id").all() as { id: number; name: string }[];
  for (const { id, name } of logs) {
    for (const { sql, say } of rules) {
      for (const row of db.prepare(`${sql(id)} limit ${mostSentences}`).iterate()) yield say(row, name);
    }
  }
  for (const table of orphans) {
    const { n } = db.prepare(`select count(*) n from ${table} where log not in (select id from log)`).get() as {
      n: number;
    };
    if (n > 0) yield `${n} rows of the table "${table}" belong to no log.`;
  }
  const collections = db.prepare("select name, columns from collection").all() as { name: string; columns: string }[];
  for (const { name, columns } of collections) yield* lookInto(db, name, columns);
}

/** Index columns are copies of a document's fields: here they are drawn out of it once more. */
function* lookInto(db: DatabaseSync, name: string, shape: string): Generator<string> {
  const columns = (JSON.parse(shape) as [string, "text" | "number"][]).map(([column, type]) => ({
    name: column,
    type,
  }));
  const collection: Collection = { name, columns, indexes: [] };
  const kept = columns.map((column, index) => `, ${columnOf(column.name)} c${index}`).join("");
  let told = 0;
  const rows = db.prepare(`select key, data${kept} from ${tableOf(name)}`).iterate() as Iterable<{
    [column: string]: unknown;
  }>;
  for (const { key, data, ...others } of rows) {
    const wrong = differs(collection, String(key), String(data), Object.values(others));
    if (wrong !== undefined) yield wrong;
    if (wrong !== undefined && ++told === mostSentences) return;
  }
}

function differs(collection: Collection, key: string, data: string, kept: readonly unknown[]): string | undefined {
  try {
    const drawn = toColumns(collection, key, JSON.parse(data));
    const index = drawn.findIndex((value, place) => value !== kept[place]);
    return index < 0
      ? undefined
      : `The document "${key}" in "${collection.name}" is found under another "${collection.columns[index]?.name}" than it has.`;
  } catch (error) {
    return `The document "${key}" in "${collection.name}" cannot be read: ${(error as Error).message}`;
  }
}

const port = parentPort;
if (!port) throw new Error("The SQLite checker runs in a worker thread; ask the engine to check().");
const sentences: string[] = [];
try {
  const db = new DatabaseSync(workerData as string, { readOnly: true, timeout: 5_000 });
  db.exec("begin");
  for (const sentence of look(db)) sentences.push(sentence);
  db.close();
} catch (error) {
  sentences.push(`The check ended early. ${sentenceOf(error)}`);
}
port.postMessage(sentences satisfies FromChecker);
