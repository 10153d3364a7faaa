import { lockLog, pinned } from "./pinned.ts";

/**
 * Where things are in a log. Positions and times grow together along a log, and positions and revisions along a stream,
 * so halving finds the end of a prefix. The events of a row have one time.
 */
export const positionAt = (schema: string): string => `
  create or replace function ${schema}.position_at_v1(p_log integer, p_at bigint) returns bigint language plpgsql stable ${pinned} as $$
  declare
    v_low bigint := 0;
    v_high bigint := coalesce((select max(position) from ${schema}.event_row where log = p_log), 0);
    v_middle bigint;
  begin
    while v_low < v_high loop
      v_middle := (v_low + v_high + 1) / 2;
      if (select at from ${schema}.event_row where log = p_log and position >= v_middle order by position limit 1) <= p_at
        then v_low := v_middle; else v_high := v_middle - 1; end if;
    end loop;
    return v_low;
  end $$;
`;

/** The last revision of a stream within a prefix of the log. */
export const revisionAt = (schema: string): string => `
  create or replace function ${schema}.revision_at_v2(p_stream bigint, p_position bigint) returns bigint language plpgsql stable ${pinned} as $$
  declare
    v_low bigint := 0;
    v_high bigint := coalesce((select max(revision) from ${schema}.event_row where stream = p_stream), -1) + 1;
    v_middle bigint;
  begin
    while v_low < v_high loop
      v_middle := (v_low + v_high + 1) / 2;
      if (select position - case when holds is null then 0 else revision - (v_middle - 1) end
          from ${schema}.event_row where stream = p_stream and revision >= v_middle - 1
          order by revision limit 1) <= p_position
        then v_low := v_middle; else v_high := v_middle - 1; end if;
    end loop;
    return v_low - 1;
  end $$;
`;

/**
 * A log's head. It begins a new epoch where the log is not the one that somebody was told of: it ends before `p_position`,
 * or another append is at `p_at`, for a replica that lagged took over. (A number alone does not tell: it is given out again.)
 */
export const place = (schema: string): string => `
  create or replace function ${schema}.place_v2(
    p_log text, p_epoch integer, p_position bigint, p_at bigint, p_append uuid
  ) returns text
  language plpgsql ${pinned} as $$
  declare
    v_log integer;
    v_epoch integer;
    v_head bigint;
    v_append uuid;
  begin
    ${lockLog(schema)};
    select id, epoch into v_log, v_epoch from ${schema}.log where name = p_log;
    v_epoch := coalesce(v_epoch, 1);
    select position, append into v_head, v_append from ${schema}.event_row where log = v_log order by position desc limit 1;
    v_head := coalesce(v_head, 0);
    if p_epoch >= v_epoch and (p_position > v_head or (p_append is not null and not exists (
      select from ${schema}.event_row where log = v_log and position = p_at and append = p_append
    ))) then
      v_epoch := p_epoch + 1;
      insert into ${schema}.log as l (name, epoch) values (p_log, v_epoch)
      on conflict (name) do update set epoch = excluded.epoch;
    end if;
    return json_build_array(v_epoch, v_head, v_append);
  end $$;
`;
