import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** The version of a package as it is installed, whether or not it lets others read its package.json. */
export async function versionOf(name: string): Promise<string> {
  for (const folder of ["..", "../.."]) {
    const file = join(import.meta.dirname, folder, "node_modules", name, "package.json");
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text !== undefined) return String(JSON.parse(text).version);
  }
  throw new Error(`The package ${name} is not installed. Run npm ci in bench/.`);
}
