import { randomUUID } from "node:crypto";
import { inject } from "vitest";
import { type TestDatabase, toDatabase } from "./postgres.ts";

export type { TestDatabase };

declare module "vitest" {
  interface ProvidedContext {
    /** Who asks there is told the URL of the one PostgreSQL of this run, which starts when the first asks. */
    readonly postgresAt: string;
  }
}

/** An empty database for the tests of one file, on the server that all files of a run share. */
export async function openDatabase(): Promise<TestDatabase> {
  const response = await fetch(inject("postgresAt"));
  const said = await response.text();
  if (!response.ok) throw new Error(said);
  const server = toDatabase(said);
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await server.query(`create database ${name}`);
  return {
    ...toDatabase(said.replace(/[^/]+$/, name)),
    remove: async () => void (await server.query(`drop database ${name} with (force)`)),
  };
}
