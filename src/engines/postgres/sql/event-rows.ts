/** What stands between the events' data in a row that holds several. JSON has no such character, but within a mistake. */
export const between = "\u001e";
/** How many events a row holds at most: whoever looks for an event looks for rows that end so far behind it. */
export const mostHeld = 64;

/**
 * Events of one append to one stream may share a row: `holds` says how many, and position, revision, `ix` and type are the
 * last one's. Where they have several types, `types` has each one's. `event` shows each by itself, to people and to nodes that still run the
 * code of before; these find what shares a row by going through everything from `held_from` on, where
 * the log ended when rows began to be shared.
 */
export const eventRows = (schema: string): string => `
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
      cross join lateral string_to_table(r.data, U&'\\001E') with ordinality e(data, n)
    where r.holds is not null;
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
