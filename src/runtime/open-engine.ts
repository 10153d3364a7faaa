import { openSqlite } from "../engines/sqlite/index.ts";
import type { Engine } from "../storage/host.ts";
import type { Settings } from "./settings.ts";

/** Opens what keeps everything: PostgreSQL where the settings name one, and SQLite in the data folder otherwise. */
export async function openEngine(
  { data, postgres }: Pick<Settings, "data" | "postgres">,
  report: (sentence: string) => void,
): Promise<Engine> {
  if (!postgres) return openSqlite({ folder: data });
  const { openPostgres } = await load();
  return openPostgres({ url: postgres.reveal(), report });
}

// Loaded only where it is used, for its driver is installed by those alone who use it.
async function load(): Promise<typeof import("../engines/postgres/index.ts")> {
  try {
    return await import("../engines/postgres/index.ts");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "ERR_MODULE_NOT_FOUND" || !message.includes("'pg'")) throw error;
    throw new Error(
      "TRILITH_POSTGRES is set, and the driver for PostgreSQL is not installed. Install it beside trilith: npm install pg@8",
      { cause: error },
    );
  }
}
