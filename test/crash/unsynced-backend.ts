// The example on a log that is not on disk when it says so: it lives in memory's file system, and only now and then is
// it copied to the data folder. What a kill takes away with it is what a power cut takes from an unsynced disk.
import { mkdtemp, rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { openSqlite } from "trilith/sqlite";
import trips from "../../examples/trips/backend.ts";

const everyMs = 1_000;

export default {
  name: trips.name,
  async start() {
    const kept = join(process.env.TRILITH_DATA ?? "", "trilith.db");
    const folder = await mkdtemp(join(tmpdir(), "trilith-unsynced-"));
    const used = join(folder, "trilith.db");
    await copy(kept, used).catch(() => {}); // there is none at the first start
    const engine = await openSqlite({ folder });
    const keep = async (): Promise<void> => {
      await copy(used, `${kept}.new`);
      await rename(`${kept}.new`, kept);
      setTimeout(keep, everyMs);
    };
    setTimeout(keep, everyMs);
    return trips.start({ engine });
  },
};

async function copy(from: string, to: string): Promise<void> {
  const database = new DatabaseSync(from, { readOnly: true });
  try {
    await backup(database, to);
  } finally {
    database.close();
  }
}
