import { lockReader, pinned, staleState } from "./pinned.ts";

/**
 * A reader's step: documents and checkpoint, unless somebody else has moved the reader, or the log is in another epoch.
 * Those who would move one reader take turns, and no append waits for them. Documents that cannot be (`p_refused`) are the
 * caller's mistake only where the reader may move at all.
 */
export const readers = (schema: string): string => `
  create function ${schema}.commit_v1(
    ${reader},
    p_refused boolean, p_write_wave integer[], p_write_collection integer[], p_write_kind integer[], p_write_key text[],
    p_write_times integer[], p_write_data text[], p_write_extra text[]
  ) returns text language plpgsql ${pinned} as $$
  declare
    ${variables}
  begin
    ${mayMove(schema)}
    if p_refused then return 'refused'; end if;
    ${moved(schema)}
    if p_write_key is not null then
      perform ${schema}.write_all_v1(
        p_write_wave, p_write_collection, p_write_kind, p_write_key, p_write_times, p_write_data, p_write_extra);
    end if;
    insert into ${schema}.call (id, reply) values (p_call, 'true');
    return 'true';
  end $$;
`;

/**
 * The same step with documents that the caller has worked out: each once, as it is in the end. `p_seen` says by which
 * transaction each was last written when the caller saw it; where that is not so any more nothing is done, and the error
 * says so. Documents come in parts of one collection and one kind: 1 puts, 4 removals, 5 changes of what was seen, 6 new
 * ones. It answers with its own transaction, by which the caller has seen what it wrote.
 */
export const finishedSteps = (schema: string): string => `
  create function ${schema}.commit_v2(
    ${reader},
    p_collection integer[], p_kind integer[], p_first integer[], p_last integer[],
    p_key text[], p_seen text[], p_times integer[], p_data text[]
  ) returns text language plpgsql ${pinned} as $$
  declare
    ${variables}
    v_part record;
    v_count bigint;
  begin
    ${mayMove(schema)}
    ${moved(schema)}
    for v_part in select * from unnest(p_collection, p_kind, p_first, p_last) w(collection, kind, first, last) loop
      case v_part.kind
      when 5 then execute format(
        'update ${schema}.document_%s d set revision = d.revision + w.times, data = w.data::json
         from unnest($1, $2::xid[], $3, $4) w(key, seen, times, data) where d.key = w.key and d.xmin = w.seen',
        v_part.collection)
        using p_key[v_part.first:v_part.last], p_seen[v_part.first:v_part.last], p_times[v_part.first:v_part.last],
          p_data[v_part.first:v_part.last];
      when 6 then execute format(
        'insert into ${schema}.document_%s (key, revision, data)
         select key, times, data::json from unnest($1, $2, $3) w(key, times, data) on conflict (key) do nothing',
        v_part.collection)
        using p_key[v_part.first:v_part.last], p_times[v_part.first:v_part.last], p_data[v_part.first:v_part.last];
      else
        perform ${schema}.write_v1(v_part.collection, v_part.kind, p_key[v_part.first:v_part.last],
          p_times[v_part.first:v_part.last], p_data[v_part.first:v_part.last], null);
        continue;
      end case;
      get diagnostics v_count = row_count;
      if v_count <= v_part.last - v_part.first then
        raise exception using errcode = '${staleState}', message = 'A document was written by somebody else in the meantime.';
      end if;
    end loop;
    v_reply := pg_current_xact_id()::xid::text;
    insert into ${schema}.call (id, reply) values (p_call, v_reply);
    return v_reply;
  end $$;
`;

const reader = `p_log text, p_call uuid, p_again boolean, p_reader text, p_epoch integer, p_from bigint, p_position bigint`;
const variables = `
    v_log integer;
    v_epoch integer;
    v_reader record;
    v_reply text;`;

const mayMove = (schema: string): string => `
    ${lockReader(schema)};
    if p_again then
      select reply into v_reply from ${schema}.call where id = p_call;
      if found then return v_reply; end if;
    end if;
    select id, epoch into v_log, v_epoch from ${schema}.log where name = p_log;
    if not found then
      insert into ${schema}.log (name) values (p_log) on conflict (name) do nothing;
      select id, epoch into v_log, v_epoch from ${schema}.log where name = p_log;
    end if;
    select epoch, position into v_reader from ${schema}.reader where log = v_log and name = p_reader
    order by epoch desc, position desc limit 1;
    if p_epoch <> v_epoch or coalesce(v_reader.epoch, v_epoch) <> p_epoch or coalesce(v_reader.position, 0) <> p_from then
      return 'false';
    end if;`;

const moved = (schema: string): string => `
    if p_position <> p_from then
      delete from ${schema}.reader where log = v_log and name = p_reader and epoch = p_epoch and position = p_from;
    end if;
    insert into ${schema}.reader (log, name, epoch, position) values (v_log, p_reader, p_epoch, p_position)
    on conflict do nothing;`;
