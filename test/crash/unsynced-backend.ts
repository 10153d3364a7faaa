// The example on a log that is never on disk, whatever it says: each start begins with an empty folder. What a kill takes
// away with it is what a power cut takes from a disk that was never synced.
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { openSqlite } from "trilith/sqlite";
import trips from "../../examples/trips/backend.ts";

export default {
  name: trips.name,
  async start() {
    const folder = await mkdtemp(join(process.env.TRILITH_DATA ?? "", "unsynced-"));
    return trips.start({ engine: await openSqlite({ folder }) });
  },
};
