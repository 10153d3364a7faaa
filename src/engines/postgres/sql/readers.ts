import { pinned } from "./pinned.ts";

/**
 * A reader's step: documents and checkpoint, unless somebody else has moved the reader, or the log is in another epoch.
 * Those who would move one reader take turns, and no append waits for them. Documents that cannot be (`p_refused`) are the
 * caller's mistake only where the reader may move at all.
 */
export const readers = (schema: string): string => `
  create function ${schema}.commit_v1(
    p_log text, p_call uuid, p_again boolean, p_reader text, p_epoch integer, p_from bigint, p_position bigint,
    p_refused boolean, p_write_wave integer[], p_write_collection integer[], p_write_kind integer[], p_write_key text[],
    p_write_times integer[], p_write_data text[], p_write_extra text[]
  ) returns text language plpgsql ${pinned} as $$
  declare
    v_log integer;
    v_epoch integer;
    v_reader record;
    v_reply text;
  begin
    perform pg_advisory_xact_lock(
      hashtextextended('reader ' || p_log || ' ' || p_reader, '${schema}.log'::regclass::oid::bigint));
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
    end if;
    if p_refused then return 'refused'; end if;
    if p_position <> p_from then
      delete from ${schema}.reader where log = v_log and name = p_reader and epoch = p_epoch and position = p_from;
    end if;
    insert into ${schema}.reader (log, name, epoch, position) values (v_log, p_reader, p_epoch, p_position)
    on conflict do nothing;
    if p_write_key is not null then
      perform ${schema}.write_all_v1(
        p_write_wave, p_write_collection, p_write_kind, p_write_key, p_write_times, p_write_data, p_write_extra);
    end if;
    insert into ${schema}.call (id, reply) values (p_call, 'true');
    return 'true';
  end $$;
`;
