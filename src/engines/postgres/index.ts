/**
 * The storage engine on PostgreSQL 15 and later: any number of processes on one schema. An adapter to storage's engine
 * port; it may import contracts and that port. Start with open.ts; sql/append.ts is what an append is, appender.ts how
 * appends travel, document-store.ts what else documents can, riding-out.ts what happens when the server goes away.
 */
export { openPostgres, type PostgresOptions } from "./open.ts";
