import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, lstatSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";

const bench = join(import.meta.dirname, "..");
const modules = join(bench, "node_modules");

/** Whether what only this folder needs (peers, plots) is there. */
export const isInstalled = (): boolean => existsSync(join(modules, ".package-lock.json"));

/** Installs the packages of this folder, where they are missing, as the lock file says. */
export async function installPackages(tell: (sentence: string) => void): Promise<void> {
  if (isInstalled()) return;
  tell("Installing the peers that are measured, once (npm ci in bench/).");
  const npm = spawn("npm", ["ci", "--no-audit", "--no-fund"], { cwd: bench, stdio: "inherit", shell: true });
  const [code] = await once(npm, "exit");
  if (code !== 0) throw new Error(`npm ci in bench/ ended with code ${code}; see above.`);
}

/**
 * `trilith` is the checkout that this folder lies in, found under its name as by any other package. npm would make the
 * same link from a `file:..` dependency, and would install the checkout's own packages a second time along with it.
 */
export function linkTrilith(): void {
  const link = join(modules, "trilith");
  if (lstatSync(link, { throwIfNoEntry: false })) return;
  mkdirSync(modules, { recursive: true });
  symlinkSync(join("..", ".."), link, "junction");
}
