import { lockLog, pinned } from "./pinned.ts";

/**
 * The arguments, in their order: one array an attribute, so that a group is one message whatever is in it. `event_holds` and
 * `event_place` are null where each row holds one event, and `event_types` where no row holds events of several types; it
 * has the places of theirs, as one text a row.
 */
export const appendArguments: readonly (readonly [name: string, type: ArgumentType])[] = [
  ["log", "text"],
  ["call", "uuid"],
  ["again", "boolean"],
  ["forget", "uuid[]"],
  ["now", "bigint"],
  ["seen_epoch", "integer"],
  ["seen_position", "bigint"],
  ["ids", "uuid[]"],
  ["streams", "text[]"],
  ["written", "boolean[]"],
  ["expect_append", "integer[]"],
  ["expect_stream", "integer[]"],
  ["expect_revision", "bigint[]"],
  ["expect_event", "uuid[]"],
  ["types", "text[]"],
  ["versions", "integer[]"],
  ["event_append", "integer[]"],
  ["event_stream", "integer[]"],
  ["event_rank", "integer[]"],
  ["event_spans", "integer[]"],
  ["event_ix", "integer[]"],
  ["event_holds", "integer[]"],
  ["event_place", "integer[]"],
  ["event_type", "integer[]"],
  ["event_types", "text[]"],
  ["event_data", "text[]"],
  ["event_meta", "text[]"],
  ["receipt_append", "integer[]"],
  ["receipt_key", "text[]"],
  ["receipt_digest", "text[]"],
  ["receipt_result", "text[]"],
  ["receipt_voided", "boolean[]"],
  ["receipt_expires", "bigint[]"],
  ["readers", "text[]"],
  ["refused", "integer[]"],
  ["write_append", "integer[]"],
  ["write_wave", "integer[]"],
  ["write_collection", "integer[]"],
  ["write_kind", "integer[]"],
  ["write_key", "text[]"],
  ["write_times", "integer[]"],
  ["write_data", "text[]"],
  ["write_extra", "text[]"],
];
export type ArgumentType =
  | "text"
  | "uuid"
  | "boolean"
  | "bigint"
  | "integer"
  | "text[]"
  | "uuid[]"
  | "boolean[]"
  | "bigint[]"
  | "integer[]";

/** How far behind what its client had seen a call that left no row but its event may have put that. */
export const farthestBack = 1_000;

/** Why an append was not written, as the function says it. */
export const failures = { again: 1, voided: 2, keyReused: 3, conflict: 4, behind: 5, refused: 6 } as const;

/**
 * A group of appends in one call. Each statement after the lock sees what was committed before it; the head is looked for
 * at the end of its index. (A lone stream, type or row has a statement of its own, which costs a third less than one
 * over arrays.) What is said of events is said of rows: `place`, `rank` and `ix` are of the last event that a row holds. In one group a stream of which something is expected, a receipt and a document are each touched
 * by one append only, and all appends move the same readers, so looking once at everything decides who fails.
 *
 * It says [epoch, head before, at, [revision of each stream before], [[append, why, which, actual] of each that was not
 * written], 1, ms that it took with the lock in hand]. That is short whatever was asked: it never waits, under the lock, for a
 * client to read it.
 */
export const append = (schema: string): string => `
  create or replace function ${schema}.append_v4(${appendArguments.map(([name, type]) => `p_${name} ${type}`).join(", ")})
  returns text language plpgsql ${pinned} as $$
  declare
    v_log integer;
    v_epoch integer;
    v_head bigint;
    v_at bigint;
    v_streams bigint[];
    v_fresh boolean[];
    v_revisions bigint[];
    v_lasts uuid[];
    v_last uuid;
    v_types integer[];
    v_why integer[] := array_fill(0, array[cardinality(p_ids)]);
    v_failed integer := 0;
    v_failures text := '';
    v_written boolean[] := p_written;
    v_new boolean := false;
    v_count bigint := 0;
    v_actual bigint;
    v_stream bigint;
    v_type integer;
    v_row record;
    v_reply text;
    v_began timestamptz;
  begin
    ${lockLog(schema)};
    v_began := clock_timestamp();
    if p_again then
      select reply into v_reply from ${schema}.call where id = p_call;
      if found then return v_reply; end if;
    end if;
    if p_forget is not null then delete from ${schema}.call where id = any(p_forget); end if;

    select l.id, l.epoch into v_log, v_epoch from ${schema}.log l where l.name = p_log;
    if not found then
      insert into ${schema}.log (name) values (p_log) returning id, epoch into v_log, v_epoch;
    end if;
    if p_again and cardinality(p_event_data) = 1 then
      select format('[%s,%s,%s,[%s],[],0]', v_epoch, e.position - 1, e.at, e.revision - 1) into v_reply
      from ${schema}.event_row e
      where e.log = v_log and e.position > p_seen_position and e.position <= p_seen_position + ${farthestBack}
        and e.append = p_ids[1] and e.holds is null and e.ix = 0
      order by e.position limit 1;
      if found then return v_reply; end if;
    end if;
    select e.position, greatest(e.at, p_now) into v_head, v_at
    from ${schema}.event_row e where e.log = v_log order by e.position desc limit 1;
    if not found then
      v_head := 0;
      v_at := p_now;
    end if;
    if p_seen_epoch >= v_epoch and p_seen_position > v_head then
      v_epoch := p_seen_epoch + 1;
      update ${schema}.log set epoch = v_epoch where id = v_log;
    end if;

    if cardinality(p_streams) = 1 then
      select t.id into v_stream from ${schema}.stream t where t.log = v_log and t.name = p_streams[1];
      v_new := not found;
      if v_new then
        v_stream := nextval('${schema}.stream_id'::regclass);
      else
        select e.revision, e.append into v_actual, v_last
        from ${schema}.event_row e where e.stream = v_stream order by e.revision desc limit 1;
      end if;
      v_streams := array[v_stream];
      v_revisions := array[coalesce(v_actual, -1)];
      v_lasts := array[v_last];
      v_fresh := array[v_new];
    elsif p_streams is not null then
      -- A number that is drawn for a stream which is not written after all is never used.
      select array_agg(coalesce(a.id, nextval('${schema}.stream_id'::regclass)) order by a.place),
        array_agg(a.id is null order by a.place), bool_or(a.id is null), array_agg(coalesce(a.revision, -1) order by a.place),
        array_agg(a.append order by a.place)
      into v_streams, v_fresh, v_new, v_revisions, v_lasts
      from (
        select a.place, t.id, e.revision, e.append
        from unnest(p_streams) with ordinality a(name, place)
        left join lateral (
          select t.id from ${schema}.stream t where t.log = v_log and t.name = a.name limit 1
        ) t on true
        left join lateral (
          select e.revision, e.append from ${schema}.event_row e where e.stream = t.id order by e.revision desc limit 1
        ) e on true
      ) a;
    end if;

    if p_receipt_key is not null then
      for v_row in
        select a.append, case when a.voided then 1 when r.voided then 2 when r.digest <> a.digest then 3 else 1 end as why
        from unnest(p_receipt_append, p_receipt_key, p_receipt_digest, p_receipt_voided) a(append, key, digest, voided)
        cross join lateral (
          select r.voided, r.digest from ${schema}.receipt r where r.log = v_log and r.key = a.key limit 1
        ) r
      loop
        v_why[v_row.append] := v_row.why;
        v_failed := v_failed + 1;
        v_failures := v_failures || format(',[%s,%s,0,0]', v_row.append, v_row.why);
      end loop;
    end if;
    for i in 1..coalesce(cardinality(p_expect_stream), 0) loop
      v_actual := v_revisions[p_expect_stream[i]];
      continue when v_why[p_expect_append[i]] <> 0 or (p_expect_revision[i] = -2 and v_actual >= 0)
        or (v_actual = p_expect_revision[i] and coalesce(p_expect_event[i] = v_lasts[p_expect_stream[i]], true));
      v_why[p_expect_append[i]] := 4;
      v_failed := v_failed + 1;
      v_failures := v_failures || format(',[%s,4,%s,%s]', p_expect_append[i], i, v_actual);
    end loop;
    if p_readers is not null then
      select a.place into v_row
      from unnest(p_readers) with ordinality a(name, place)
      left join lateral (
        select r.epoch, r.position from ${schema}.reader r where r.log = v_log and r.name = a.name
        order by r.epoch desc, r.position desc limit 1
      ) r on true
      where coalesce(r.epoch, v_epoch) <> v_epoch or coalesce(r.position, 0) < v_head
      order by a.place limit 1;
      if found then
        for i in 1..cardinality(p_ids) loop
          continue when v_why[i] <> 0;
          v_why[i] := 5;
          v_failed := v_failed + 1;
          v_failures := v_failures || format(',[%s,5,%s,0]', i, v_row.place);
        end loop;
      end if;
    end if;

    if p_refused is not null then
      for v_row in select a.append from unnest(p_refused) a(append) where v_why[a.append] = 0
      loop
        v_why[v_row.append] := 6;
        v_failed := v_failed + 1;
        v_failures := v_failures || format(',[%s,6,0,0]', v_row.append);
      end loop;
    end if;

    if v_failed < cardinality(p_ids) then
      if p_event_data is not null then
        if v_failed > 0 then
          v_written := array_fill(false, array[cardinality(p_streams)]);
          for v_row in
            select distinct a.stream from unnest(p_event_append, p_event_stream) a(append, stream) where v_why[a.append] = 0
          loop
            v_written[v_row.stream] := true;
          end loop;
        end if;
        if v_new and cardinality(p_streams) = 1 and v_written[1] then
          insert into ${schema}.stream (id, log, name) values (v_stream, v_log, p_streams[1]);
        elsif v_new then
          insert into ${schema}.stream (id, log, name)
          select a.id, v_log, a.name from unnest(p_streams, v_streams, v_fresh, v_written) a(name, id, fresh, written)
          where a.fresh and a.written;
        end if;
        if cardinality(p_types) = 1 then
          select t.id into v_type from ${schema}.type t
          where t.log = v_log and t.name = p_types[1] and t.version = p_versions[1];
          v_types := array[v_type];
        else
          select array_agg((
            select t.id from ${schema}.type t where t.log = v_log and t.name = a.name and t.version = a.version
          ) order by a.place) into v_types
          from unnest(p_types, p_versions) with ordinality a(name, version, place);
        end if;
        if array_position(v_types, null) is not null then
          insert into ${schema}.type (log, name, version)
          select v_log, a.name, a.version from unnest(p_types, p_versions) with ordinality a(name, version, place)
          where v_types[a.place] is null and (v_failed = 0 or exists (
            select from unnest(p_event_append, p_event_type, p_event_types) e(append, type, types)
            where (e.type = a.place or a.place = any(e.types::integer[])) and v_why[e.append] = 0
          ));
          select array_agg((
            select t.id from ${schema}.type t where t.log = v_log and t.name = a.name and t.version = a.version
          ) order by a.place) into v_types
          from unnest(p_types, p_versions) with ordinality a(name, version, place);
        end if;
        if v_failed = 0 and cardinality(p_event_data) = 1 then
          insert into ${schema}.event_row (position, stream, revision, at, append, log, ix, type, data, meta, spans, holds, types)
          values (v_head + coalesce(p_event_place[1], 1), v_streams[p_event_stream[1]],
            v_revisions[p_event_stream[1]] + p_event_rank[1], v_at, p_ids[p_event_append[1]], v_log, p_event_ix[1],
            v_types[p_event_type[1]], p_event_data[1], p_event_meta[1], p_event_spans[1], p_event_holds[1], case when p_event_types[1] is not null then
              array(select v_types[t.place] from unnest(p_event_types[1]::integer[]) with ordinality t(place, n) order by t.n) end);
        elsif v_failed = 0 then
          insert into ${schema}.event_row (position, stream, revision, at, append, log, ix, type, data, meta, spans, holds, types)
          select v_head + coalesce(a.place, a.row), v_streams[a.stream], v_revisions[a.stream] + a.rank, v_at,
            p_ids[a.append], v_log, a.ix, v_types[a.type], a.data, a.meta, a.spans, a.holds, case when a.types is not null then
              array(select v_types[t.place] from unnest(a.types::integer[]) with ordinality t(place, n) order by t.n) end
          from (
            select generate_series(1, cardinality(p_event_data)) as row, unnest(p_event_append) as append,
              unnest(p_event_stream) as stream, unnest(p_event_rank) as rank, unnest(p_event_ix) as ix,
              unnest(p_event_holds) as holds, unnest(p_event_place) as place, unnest(p_event_type) as type, unnest(p_event_types) as types,
              unnest(p_event_data) as data, unnest(p_event_meta) as meta, unnest(p_event_spans) as spans
          ) a;
        else
          insert into ${schema}.event_row (position, stream, revision, at, append, log, ix, type, data, meta, spans, holds, types)
          select v_head + sum(coalesce(a.holds, 1)) over (order by a.row), v_streams[a.stream],
            v_revisions[a.stream] + sum(coalesce(a.spans, a.holds, 1)) over (partition by a.stream order by a.row), v_at,
            p_ids[a.append], v_log, a.ix, v_types[a.type], a.data, a.meta, a.spans, a.holds, case when a.types is not null then
              array(select v_types[t.place] from unnest(a.types::integer[]) with ordinality t(place, n) order by t.n) end
          from unnest(p_event_append, p_event_stream, p_event_ix, p_event_holds, p_event_type, p_event_types, p_event_data,
              p_event_meta, p_event_spans)
            with ordinality a(append, stream, ix, holds, type, types, data, meta, spans, row)
          where v_why[a.append] = 0;
        end if;
        if p_readers is not null then
          select coalesce(sum(coalesce(a.holds, 1)), 0) into v_count
          from unnest(p_event_append, p_event_holds) a(append, holds) where v_why[a.append] = 0;
        end if;
      end if;

      if p_receipt_key is not null then
        insert into ${schema}.receipt (at, expires, append, log, voided, key, digest, result)
        select v_at, case when not a.voided then a.expires end, p_ids[a.append], v_log, a.voided, a.key, a.digest, a.result
        from unnest(p_receipt_append, p_receipt_key, p_receipt_digest, p_receipt_result, p_receipt_voided, p_receipt_expires)
          a(append, key, digest, result, voided, expires)
        where v_why[a.append] = 0;
      end if;
      if p_readers is not null and v_count > 0 then
        delete from ${schema}.reader
        where log = v_log and name = any(p_readers) and epoch = v_epoch and position = v_head;
        insert into ${schema}.reader (log, name, epoch, position)
        select v_log, a.name, v_epoch, v_head + v_count from unnest(p_readers) a(name) on conflict do nothing;
      end if;
      if p_write_key is not null and v_failed = 0 then
        perform ${schema}.write_all_v1(
          p_write_wave, p_write_collection, p_write_kind, p_write_key, p_write_times, p_write_data, p_write_extra);
      elsif p_write_key is not null then
        perform ${schema}.write_all_v1(
          array_agg(a.wave), array_agg(a.collection), array_agg(a.kind), array_agg(a.key), array_agg(a.times),
          array_agg(a.data), array_agg(a.extra))
        from unnest(p_write_append, p_write_wave, p_write_collection, p_write_kind, p_write_key, p_write_times,
          p_write_data, p_write_extra) a(append, wave, collection, kind, key, times, data, extra)
        where v_why[a.append] = 0;
      end if;
    end if;

    v_reply := format('[%s,%s,%s,[%s],[%s],1,%s]', v_epoch, v_head, v_at, array_to_string(v_revisions, ','),
      substr(v_failures, 2), greatest(0, extract(epoch from clock_timestamp() - v_began) * 1000));
    insert into ${schema}.call (id, reply) values (p_call, v_reply);
    return v_reply;
  end $$;
`;

/** `append` as it was called before a row could hold several events, for nodes that still run that code. */
export const appendOfBefore = (schema: string): string => {
  const before = appendArguments.filter(([name]) => !["event_holds", "event_place", "event_types"].includes(name));
  const given = appendArguments.map((argument) => (before.includes(argument) ? `p_${argument[0]}` : "null"));
  return `
  create or replace function ${schema}.append_v3(${before.map(([name, type]) => `p_${name} ${type}`).join(", ")})
  returns text language plpgsql ${pinned} as $$
  begin
    return ${schema}.append_v4(${given.join(", ")});
  end $$;
`;
};
