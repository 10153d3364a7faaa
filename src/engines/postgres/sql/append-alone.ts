import { type ArgumentType, farthestBack } from "./append.ts";
import { lockLog, pinned } from "./pinned.ts";

/** The arguments, in their order. `revision` is as in `append`'s `expect_revision`, and null where nothing is expected. */
export const aloneArguments: readonly (readonly [name: string, type: ArgumentType])[] = [
  ["log", "text"],
  ["call", "uuid"],
  ["now", "bigint"],
  ["seen_epoch", "integer"],
  ["seen_position", "bigint"],
  ["id", "uuid"],
  ["stream", "text"],
  ["revision", "bigint"],
  ["event", "uuid"],
  ["type", "text"],
  ["version", "integer"],
  ["data", "text"],
  ["meta", "text"],
];

const parameters = aloneArguments.map(([name, type]) => `p_${name} ${type}`).join(", ");

/**
 * One append of one event, which is what a lone client sends: `append` for that takes forty arguments and eight statements.
 * This does only what is done each time, by the same rules; whatever else there is (a log or a type that is new, a fail-over,
 * an expectation that is not met) it leaves to `append`, which decides under the same lock. It answers as `append` does, with
 * a 0 behind it: no row is kept of the call.
 *
 * A call that is made again is found by its append's id: it is among the first events behind what its client had seen before
 * it, or nowhere. A call that arrives late, after it was made again, finds the log as its client had seen it, and then decides
 * as the second one did; or it has grown, and the row of the second one tells.
 *
 * Whoever calls it has set `pinSession`, once: to set it all for each call took the server a tenth of the call.
 */
export const appendAlone = (schema: string): string => `
  create function ${schema}.append_alone_v3(${parameters})
  returns text language plpgsql as $$
  declare
    v_log integer;
    v_epoch integer;
    v_head bigint;
    v_at bigint;
    v_type integer;
    v_stream bigint;
    v_actual bigint := -1;
    v_last uuid;
    v_made boolean := false;
  begin
    ${lockLog(schema)};
    select l.id, l.epoch into v_log, v_epoch from ${schema}.log l where l.name = p_log;
    select e.position, greatest(e.at, p_now) into v_head, v_at
    from ${schema}.event_row e where e.log = v_log order by e.position desc limit 1;
    select t.id into v_type from ${schema}.type t where t.log = v_log and t.name = p_type and t.version = p_version;
    select t.id into v_stream from ${schema}.stream t where t.log = v_log and t.name = p_stream;
    if v_stream is not null then
      select e.revision, e.append into v_actual, v_last
      from ${schema}.event_row e where e.stream = v_stream order by e.revision desc limit 1;
    end if;

    if v_head <> p_seen_position then
      select true into v_made from ${schema}.call where id = p_call;
    end if;

    if (p_seen_epoch = v_epoch and v_head between p_seen_position and p_seen_position + ${farthestBack - 1}) is not true
      or v_type is null or v_actual is null
      or (p_revision is not null and not (p_revision = -2 and v_actual >= 0)
        and not (p_revision = v_actual and coalesce(p_event = v_last, true)))
      or v_made
    then
      ${byTheOther(schema)}
    end if;

    if v_stream is null then
      v_stream := nextval('${schema}.stream_id'::regclass);
      insert into ${schema}.stream (id, log, name) values (v_stream, v_log, p_stream);
    end if;
    insert into ${schema}.event_row (position, stream, revision, at, append, log, ix, type, data, meta)
    values (v_head + 1, v_stream, v_actual + 1, v_at, p_id, v_log, 0, v_type, p_data, p_meta);
    return '[' || v_epoch || ',' || v_head || ',' || v_at || ',[' || v_actual || '],[],0]';
  end $$;
`;

/** As it was called before, for nodes that still run that code. */
export const aloneOfBefore = (schema: string): string =>
  ["append_alone_v1", "append_alone_v2"]
    .map(
      (name) => `
  create or replace function ${schema}.${name}(${parameters})
  returns text language plpgsql ${pinned} as $$
  begin
    ${byTheOther(schema)}
  end $$;
`,
    )
    .join("");

/** One append of one event, by the statement for everything. */
const byTheOther = (schema: string): string => `return ${schema}.append_v4(
        p_log, p_call, true, null, p_now, p_seen_epoch, p_seen_position, array[p_id], array[p_stream], array[true],
        array[1], case when p_revision is not null then array[1] end, array[p_revision], array[p_event],
        array[p_type], array[p_version], array[1], array[1], array[1], null, array[0], null, null, array[1], null,
        array[p_data], array[p_meta], ${Array(16).fill("null").join(", ")});`;
