/** What stands between the events' data in a row that holds several. JSON has no such character, but within a mistake. */
export const between = "\u001e";
/** How many events a row holds at most: whoever looks for an event looks for rows that end so far behind it. */
export const mostHeld = 64;

/**
 * Events of one append to one stream may share a row: `holds` says how many, and position, revision, `ix` and type are the
 * last one's. Where they have several types, `types` has each one's. `event` shows each by itself, to people and to nodes
 * that still run the code of before; these find what shares a row by going through everything from `held_from` on, where
 * the log ended when rows began to be shared.
 */
export const eventRows = (schema: string): string => `
  -- In the order of whoever appends, or the two would wait for each other; and never for long behind somebody who reads for
  -- long, for everybody else stands behind it meanwhile.
  do $lock$
  declare
    v_timeout text := current_setting('lock_timeout');
  begin
    for v_try in 1..60 loop
      begin
        perform set_config('lock_timeout', '500ms', true);
        lock table ${schema}.log, ${schema}.event in access exclusive mode;
        exit;
      exception when lock_not_available or deadlock_detected then
        if v_try = 60 then raise; end if;
        perform pg_sleep(0.5);
      end;
    end loop;
    perform set_config('lock_timeout', v_timeout, true);
  end $lock$;
  alter table ${schema}.event rename to event_row;
  alter table ${schema}.event_row add column holds integer, add column types integer[];
  alter table ${schema}.log add column held_from bigint not null default 0;
  update ${schema}.log l set held_from = coalesce((select max(e.position) from ${schema}.event_row e where e.log = l.id), 0);
  create view ${schema}.event as
    select position, stream, revision, at, append, log, ix, type, data, meta, spans
    from ${schema}.event_row where holds is null
    union all
    select r.position - r.holds + e.n, r.stream, r.revision - r.holds + e.n, r.at, r.append, r.log,
      (r.ix - r.holds + e.n)::integer, coalesce(r.types[e.n], r.type), e.data, r.meta, r.spans
    from ${schema}.log l join ${schema}.event_row r on r.log = l.id and r.position > l.held_from
      cross join lateral string_to_table(r.data, chr(30)) with ordinality e(data, n)
    where r.holds is not null;
  -- Whoever might read the table may read the view.
  do $grants$
  declare
    v_grant record;
  begin
    for v_grant in
      select a.grantee, a.is_grantable from pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) a
      where c.oid = '${schema}.event_row'::regclass and a.privilege_type = 'SELECT' and a.grantee <> c.relowner
    loop
      execute format('grant select on ${schema}.event to %s %s',
        case when v_grant.grantee = 0 then 'public' else v_grant.grantee::regrole::text end,
        case when v_grant.is_grantable then 'with grant option' else '' end);
    end loop;
  end $grants$;
  create function ${schema}.insert_event_v1() returns trigger language plpgsql as $$
  begin
    insert into ${schema}.event_row (position, stream, revision, at, append, log, ix, type, data, meta, spans)
    values (new.position, new.stream, new.revision, new.at, new.append, new.log, new.ix, new.type, new.data, new.meta,
      new.spans);
    return new;
  end $$;
  create trigger insert_event instead of insert on ${schema}.event
  for each row execute function ${schema}.insert_event_v1();
`;
