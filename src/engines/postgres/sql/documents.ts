import { pinned, refusedState } from "./pinned.ts";

/**
 * Documents as they are changed: in the database and under its locks, so that nothing is read before it is written.
 * They are JSON text. `write_all` takes any writes, in waves in which no key is touched twice.
 */
export const documents = (schema: string): string => `
  create function ${schema}.number_v1(p_value json) returns double precision
  language sql immutable parallel safe as $$
    select case json_typeof(p_value)
      when 'number' then p_value::text::double precision
      when 'boolean' then case p_value::text when 'true' then 1 else 0 end
    end
  $$;

  create function ${schema}.refuse_v1(p_message text) returns json language plpgsql as $$
  begin
    raise exception using errcode = '${refusedState}', message = p_message;
  end $$;

  create function ${schema}.write_all_v1(
    p_wave integer[], p_collection integer[], p_kind integer[], p_key text[], p_times integer[], p_data text[],
    p_extra text[]
  ) returns void language plpgsql ${pinned} as $$
  declare
    v_part record;
  begin
    for v_part in
      select wave, collection, kind, array_agg(key) as keys, array_agg(times) as times, array_agg(data) as data,
        array_agg(extra) as extra
      from (
        select * from unnest(p_wave, p_collection, p_kind, p_key, p_times, p_data, p_extra)
          w(wave, collection, kind, key, times, data, extra)
        order by wave, collection, kind, key
      ) w
      group by wave, collection, kind order by wave, collection, kind
    loop
      perform ${schema}.write_v1(
        v_part.collection, v_part.kind, v_part.keys, v_part.times, v_part.data, v_part.extra);
    end loop;
  end $$;
`;

/** A document is put together anew when its revision comes to a multiple of this; in between small patches are put behind it. */
const patchesTogether = 8;
/** In characters. */
const smallPatch = 512;

/**
 * How documents are changed. What is not touched stays as it was to the letter. `write` takes writes of one kind to one
 * collection, each key once (but increments of whole numbers, which are summed), each standing for `times` writes; it is
 * composed for its table anew. What is refused only where a document is there (a patch) or is not (what an increment starts
 * from) is known here alone: the sentence comes along, for the latter behind a "!".
 *
 * A patch that is made lightly (the fifth kind) is put behind what is there: of two fields of one name the last one counts,
 * where the first one stands, for whoever reads JSON here and for the database itself. To put the fields together costs as
 * much as everything else that a write of a document takes, so that is done now and then.
 */
export const patches = (schema: string): string => `
  create or replace function ${schema}.merge_v1(p_data json, p_patch json) returns json language sql immutable as $$
    select ('{' || coalesce(string_agg(to_json(key)::text || ':' || value, ',' order by place), '') || '}')::json
    from (
      select key, (array_agg(value order by place desc))[1] as value, min(place) as place
      from (
        select key, value::text, array[0, place] as place from json_each(p_data) with ordinality d(key, value, place)
        union all
        select key, value::text, array[1, place] from json_each(p_patch) with ordinality p(key, value, place)
      ) either
      group by key
    ) fields
  $$;

  create or replace function ${schema}.patched_v1(p_data json, p_patch text, p_from bigint, p_to bigint) returns json
  language sql immutable as $$
    select case
      when p_from / ${patchesTogether} <> p_to / ${patchesTogether} or p_patch = '{}' or length(p_patch) > ${smallPatch}
        or left(p_data::text, 2) <> '{"' or right(p_data::text, 1) <> '}'
        then ${schema}.merge_v1(p_data, p_patch::json)
      else (left(p_data::text, -1) || ',' || substr(p_patch, 2))::json
    end
  $$;

  create or replace function ${schema}.increment_v1(p_data json, p_by json, p_key text, p_collection text) returns json
  language plpgsql immutable as $$
  declare
    v_field record;
    v_sums text := '';
  begin
    for v_field in
      select b.key, b.value::text::double precision as amount, p_data -> b.key as value,
        coalesce(json_typeof(p_data -> b.key), 'null') as kind
      from json_each(p_by) b
    loop
      if v_field.kind not in ('number', 'null') then
        raise exception using errcode = '${refusedState}', message = format(
          'The field "%s" of the document "%s" in "%s" is %s, and only numbers are incremented.',
          v_field.key, p_key, p_collection, v_field.value);
      end if;
      v_sums := v_sums || case v_sums when '' then '' else ',' end || to_json(v_field.key)::text || ':' || to_json(
        v_field.amount + case v_field.kind when 'number' then v_field.value::text::double precision else 0 end
      )::text;
    end loop;
    return ${schema}.merge_v1(p_data, ('{' || v_sums || '}')::json);
  end $$;

  create or replace function ${schema}.write_v1(
    p_collection integer, p_kind integer, p_keys text[], p_times integer[], p_data text[], p_extra text[]
  ) returns void language plpgsql ${pinned} as $$
  declare
    v_name text;
  begin
    case p_kind
    when 1 then execute format(
      'insert into ${schema}.document_%s as d (key, revision, data)
       select key, times, data::json from unnest($1, $2, $3) w(key, times, data)
       on conflict (key) do update set revision = d.revision + excluded.revision, data = excluded.data', p_collection)
      using p_keys, p_times, p_data;
    when 2 then execute format(
      'update ${schema}.document_%s d set revision = d.revision + w.times, data = case when w.extra is null
         then ${schema}.merge_v1(d.data, w.data::json) else ${schema}.refuse_v1(w.extra) end
       from unnest($1, $2, $3, $4) w(key, times, data, extra) where d.key = w.key', p_collection)
      using p_keys, p_times, p_data, p_extra;
    when 5 then execute format(
      'update ${schema}.document_%s d set revision = d.revision + w.times, data = case when w.extra is null
         then ${schema}.patched_v1(d.data, w.data, d.revision, d.revision + w.times) else ${schema}.refuse_v1(w.extra) end
       from unnest($1, $2, $3, $4) w(key, times, data, extra) where d.key = w.key', p_collection)
      using p_keys, p_times, p_data, p_extra;
    when 3 then
      select name into v_name from ${schema}.collection where id = p_collection;
      if cardinality(p_keys) > 1 and exists (select from unnest(p_keys) k(key) group by key having count(*) > 1) then
        select array_agg(key), array_agg(times), array_agg(data), array_agg(extra) into p_keys, p_times, p_data, p_extra
        from (
          select key, sum(times)::integer as times, (array_agg(extra order by place))[1] as extra, (
            select json_object_agg(f.key, f.amount) from (
              select e.key, sum(e.value::text::double precision) as amount
              from unnest(array_agg(w.data)) d(data) cross join json_each(d.data::json) e group by e.key
            ) f
          )::text as data
          from unnest(p_keys, p_times, p_data, p_extra) with ordinality w(key, times, data, extra, place) group by key
        ) summed;
      end if;
      execute format(
        'with changed as (
           update ${schema}.document_%1$s d set revision = d.revision + w.times,
             data = ${schema}.increment_v1(d.data, w.data::json, w.key, $5)
           from unnest($1, $2, $3) w(key, times, data) where d.key = w.key returning d.key
         )
         insert into ${schema}.document_%1$s (key, revision, data)
         select key, times, case when left(extra, 1) = ''!'' then ${schema}.refuse_v1(substr(extra, 2))
           else ${schema}.increment_v1(extra::json, data::json, key, $5) end
         from unnest($1, $2, $3, $4) w(key, times, data, extra)
         where not exists (select from changed c where c.key = w.key)', p_collection)
        using p_keys, p_times, p_data, p_extra, v_name;
    when 4 then execute format('delete from ${schema}.document_%s where key = any($1)', p_collection) using p_keys;
    end case;
  end $$;
`;
