import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../contracts/index.ts";
import { openSqlite } from "../engines/sqlite/index.ts";
import type { Engine } from "../storage/host.ts";

/** An engine on a file of its own, which goes when it is closed. */
export interface TemporaryEngine {
  readonly engine: Engine;
  close(): Promise<void>;
}

export async function temporarySqlite(clock: Clock): Promise<TemporaryEngine> {
  const folder = await mkdtemp(join(tmpdir(), "trilith-test-"));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const engine = await openSqlite({ folder, clock });
    return { engine, close: () => engine.close().then(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
}
