import pg from "pg";
import type { Place } from "./subject.ts";

export async function serverVersion({ postgres }: Place): Promise<string> {
  const client = new pg.Client(postgres);
  await client.connect();
  try {
    return String((await client.query("show server_version")).rows[0]?.server_version);
  } finally {
    await client.end();
  }
}
