import type { EngineStatus } from "../../storage/host.ts";
import type { Ask } from "./event-pages.ts";
import { fromText } from "./text.ts";

/** What the server says of itself. A role without pg_monitor sees that there are replicas, and not how they are. */
export async function readStatus(
  schema: string,
  ask: Ask,
): Promise<Pick<EngineStatus, "engine" | "logs" | "bytes" | "replicas">> {
  const [[server], logs, [size], replicas] = await Promise.all([
    ask<{ version: string }>("select current_setting('server_version') as version", []),
    ask<{ name: string; epoch: number; position: number }>(
      `select l.name, l.epoch, coalesce((select max(e.position) from ${schema}.event_row e where e.log = l.id), 0) as position
       from ${schema}.log l order by l.id`,
      [],
    ),
    ask<{ bytes: number }>(
      `select coalesce(sum(pg_total_relation_size(oid)), 0)::bigint as bytes from pg_class
       where relnamespace = $1::regnamespace and relkind = 'r'`,
      [schema],
    ),
    ask<{ name: string; state: string; behind: number }>(
      `select application_name as name, coalesce(state, 'hidden from this role') as state,
         coalesce(case when not pg_is_in_recovery() then pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) end, 0)::bigint as behind
       from pg_stat_replication order by application_name`,
      [],
    ),
  ]);
  return {
    engine: `postgres ${server?.version.split(" ")[0] ?? ""}`,
    logs: Object.fromEntries(logs.map(({ name, epoch, position }) => [fromText(name), { epoch, position }])),
    bytes: size?.bytes ?? 0,
    replicas: replicas.map(({ name, state, behind }) => ({ name, state, behindBytes: Math.max(0, behind) })),
  };
}
