import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Builds the console's and the docs' pages unless they are there, as `npm ci` leaves them. */
export async function buildConsole(): Promise<void> {
  if (existsSync(join(root, "dist/console/index.html"))) return;
  await build({ root: join(root, "console"), configFile: join(root, "console/vite.config.ts"), logLevel: "error" });
}
