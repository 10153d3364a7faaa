import { relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Backend } from "../runtime/index.ts";

/** The backend's file cannot be loaded: where, and why, stands in what was thrown. */
export class Unloadable extends Error {}
/** Something that the person at the terminal can mend. */
export class Refusal extends Error {}

/** The backend that a file exports by default. `example` is a command line that says how to name another file. */
export async function load(file: string, example: string = "trilith start backend.ts"): Promise<Backend> {
  const { default: backend } = (await loadModule(file, example)) as { default?: Partial<Backend> };
  if (typeof backend?.start === "function") return backend as Backend;
  throw new Refusal(`${file} exports no backend by default. End it with: export default backend("name", { … });`);
}

/** What a file exports. `example` is a command line that says how to name another. */
export async function loadModule(file: string, example: string): Promise<unknown> {
  const path = resolve(file);
  return await import(pathToFileURL(path).href).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ERR_MODULE_NOT_FOUND" && error.message.startsWith(`Cannot find module '${path}'`)) {
      throw new Refusal(`There is no file ${file}. Name the file: ${example}`);
    }
    if (
      error instanceof SyntaxError &&
      /import statement outside a module|Unexpected token 'export'/.test(error.message)
    ) {
      throw new Refusal(`${file} is read as CommonJS. Set "type": "module" in package.json: npm pkg set type=module`);
    }
    const refused = refusal(error);
    if (refused !== undefined && process.env.TRILITH_LOG !== "debug") throw new Refusal(refused, { cause: error });
    throw new Unloadable(`${file} cannot be loaded.`, { cause: error });
  });
}

const own = new URL("../", import.meta.url).href;

/**
 * What Trilith itself refused while a project was loaded is a sentence about one line of that project. What is no sentence
 * is an accident inside of it, and nobody's line: its stack says more.
 */
function refusal(error: unknown): string | undefined {
  if (!(error instanceof Error) || !error.message.endsWith(".")) return undefined;
  const frames = [...(error.stack ?? "").matchAll(/(file:\/\/[^\s)]+?):(\d+):(\d+)/g)];
  if (!frames[0]?.[1]?.startsWith(own)) return undefined;
  const [, url, line, column] =
    frames.find(([, url = ""]) => !url.startsWith(own) && !url.includes("/node_modules/")) ?? [];
  if (url === undefined) return undefined;
  return `${relative(".", fileURLToPath(url))}:${line}:${column}\n  ${error.message}\n\nTRILITH_LOG=debug shows the stack.`;
}
