const settings: readonly string[] = [
  "search_path = pg_catalog, pg_temp",
  "plan_cache_mode = force_generic_plan",
  "enable_seqscan = off",
  "enable_bitmapscan = off",
  "enable_sort = off",
  "enable_material = off",
  "enable_memoize = off",
  "enable_hashjoin = off",
  "enable_mergejoin = off",
  "jit = off",
];

/**
 * How functions are made. Their plans are kept to the indexes: one that was made while a table was empty would read
 * that table from end to end once it is large. (What is looked up for each element of an array is a subquery with a limit,
 * or a single value, for the same reason: there is one way to plan those.)
 */
export const pinned: string = settings.map((setting) => `\n  set ${setting}`).join("");

/** The same for a session, where a function is called so often that setting and resetting it all for each call counts. */
export const pinSession: string = settings.map((setting) => `set ${setting}`).join("; ");

/** The SQLSTATE of what a caller asked for and cannot have; its message is a sentence. */
export const refusedState = "TR001";
/** And of what rests on something that is not so any more. */
export const staleState = "TR002";

/** Whoever appends to a log holds this until the commit. A lock of the database's own, so no row is written for it. */
export const lockLog = (schema: string): string =>
  `perform pg_advisory_xact_lock(hashtextextended('log ' || p_log, '${schema}.log'::regclass::oid::bigint))`;

/** Whoever moves a reader holds this until the commit. */
export const lockReader = (schema: string): string =>
  `perform pg_advisory_xact_lock(
      hashtextextended('reader ' || p_log || ' ' || p_reader, '${schema}.log'::regclass::oid::bigint))`;
