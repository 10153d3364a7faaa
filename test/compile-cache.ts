import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** An environment in which processes that load the same code, one after the other, start in a third of the time. */
export function compileCache(): { readonly environment: NodeJS.ProcessEnv; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "trilith-compiled-"));
  return {
    environment: { ...process.env, NODE_COMPILE_CACHE: folder },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
