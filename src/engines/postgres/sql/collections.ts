import { lockLog, lockReader, pinned } from "./pinned.ts";

/**
 * Collections come and go while the backend runs, and one at a time: the lock keeps two nodes that start together from
 * making the same table. Columns are computed from the document itself, so they can never say something else than it does.
 * `define` answers with the columns that the collection has, where they are not the ones that were asked for; else with its
 * number, the indexes that are missing, and those that are left over. On a table that is nearly empty it sees to them
 * itself; on any other that would keep everybody from writing for as long as it takes.
 */
export const collections = (schema: string): string => `
  create function ${schema}.define_v2(
    p_name text, p_columns text, p_fields text[], p_kinds text[], p_indexes text[], p_on text[]
  ) returns text language plpgsql set search_path = pg_catalog, pg_temp as $$
  declare
    v_id integer;
    v_columns text;
    v_fields text := '';
    v_valid text[];
    v_names text[];
    v_missing integer[];
    v_left text[];
    v_name text;
  begin
    perform pg_advisory_xact_lock(hashtextextended('collections', '${schema}.log'::regclass::oid::bigint));
    select id, columns into v_id, v_columns from ${schema}.collection where name = p_name;
    if v_columns <> p_columns then return v_columns; end if;
    if v_id is null then
      insert into ${schema}.collection (name, columns) values (p_name, p_columns) returning id into v_id;
      for i in 1..coalesce(cardinality(p_fields), 0) loop
        v_fields := v_fields || case p_kinds[i]
          when 'text' then format(', c%s text collate "C" generated always as (data ->> %L) stored', i, p_fields[i])
          else format(', c%s double precision generated always as (${schema}.number_v1(data -> %L)) stored', i, p_fields[i])
        end;
      end loop;
      execute format('create table ${schema}.document_%s (
        revision bigint not null, key text collate "C" not null primary key, data json not null%s
      )', v_id, v_fields);
      execute format('comment on table ${schema}.document_%s is %L', v_id, p_name);
    end if;

    select array_agg(format('document_%s_%s', v_id, name)) into v_names from unnest(p_indexes) name;
    select array_agg(c.relname::text) filter (where i.indisvalid),
      array_agg(c.relname::text) filter (where not i.indisvalid or c.relname::text <> all(coalesce(v_names, '{}')))
    into v_valid, v_left
    from pg_index i join pg_class c on c.oid = i.indexrelid
    where i.indrelid = format('${schema}.document_%s', v_id)::regclass and not i.indisprimary;
    select array_agg(distinct place) into v_missing
    from unnest(v_names) with ordinality n(name, place) where name <> all(coalesce(v_valid, '{}'));

    if pg_relation_size(format('${schema}.document_%s', v_id)::regclass) < 1048576 then
      foreach v_name in array coalesce(v_left, '{}') loop
        execute format('drop index if exists ${schema}.%I', v_name);
      end loop;
      for i in 1..coalesce(cardinality(v_missing), 0) loop
        execute format('create index if not exists %s on ${schema}.document_%s %s',
          v_names[v_missing[i]], v_id, p_on[v_missing[i]]);
      end loop;
      v_left := null;
      v_missing := null;
    end if;
    return json_build_object('id', v_id, 'leftOver', coalesce(to_json(v_left), '[]'), 'missing', coalesce((
      select json_agg(json_build_array(v_names[place], p_on[place])) from unnest(v_missing) place
    ), '[]'));
  end $$;
`;

/**
 * What ends a reader's rows ends its checkpoint with them, so both wait for whoever is at them: an append that carries the
 * reader's rows, and a step. They do not wait long, for everybody else waits behind them.
 */
export const endings = (schema: string): string => `
  create function ${schema}.empty_v1(
    p_log text, p_reader text, p_collection text, p_beside text, p_column text, p_equals text
  ) returns void language plpgsql ${impatient} as $$
  declare
    v_id integer;
  begin
    ${lockLog(schema)};
    ${lockReader(schema)};
    select id into v_id from ${schema}.collection where name = p_collection;
    execute format('truncate table ${schema}.document_%s', coalesce(v_id, 0));
    if p_beside is not null then
      select id into v_id from ${schema}.collection where name = p_beside;
      execute format('delete from ${schema}.document_%s where %I::text = $1', coalesce(v_id, 0), p_column) using p_equals;
    end if;
    delete from ${schema}.reader
    where log = (select id from ${schema}.log where name = p_log) and name = p_reader;
  end $$;

  create function ${schema}.drop_v2(p_collection text, p_log text, p_reader text) returns void
  language plpgsql ${impatient} as $$
  declare
    v_id integer;
  begin
    if p_reader is not null then
      ${lockLog(schema)};
      ${lockReader(schema)};
    end if;
    perform pg_advisory_xact_lock(hashtextextended('collections', '${schema}.log'::regclass::oid::bigint));
    delete from ${schema}.collection where name = p_collection returning id into v_id;
    if found then execute format('drop table ${schema}.document_%s', v_id); end if;
    delete from ${schema}.reader
    where log = (select id from ${schema}.log where name = p_log) and name = p_reader;
  end $$;
`;

const impatient = `${pinned}
  set lock_timeout = '500ms'`;
