#!/usr/bin/env node
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import type { Backend } from "../runtime/index.ts";
import { createApiKey, readSettings } from "../runtime/index.ts";

const usage = `Usage:
  trilith start [file]                     starts the backend that the file exports by default (backend.ts)
  trilith key <id> --scope <scope> …       makes an API key, prints it once, and keeps its hash in the keys file

Settings come from the environment: HOST, PORT, TRILITH_DATA and more, see docs/guides/configuration.md.`;

/** What a person did wrong is said in a sentence, without a stack. */
class Refusal extends Error {}

try {
  await main(process.argv.slice(2));
} catch (error) {
  const { message } = error as Error;
  console.error(process.env.TRILITH_LOG === "debug" ? error : message);
  process.exit(1);
}

async function main(args: string[]): Promise<void> {
  const { values, positionals } = read(args);
  const [command, ...rest] = positionals;
  if (values.help || command === undefined) return console.log(usage);
  if (command === "start") return start(rest[0] ?? "backend.ts");
  if (command === "key" && rest[0] !== undefined) return makeKey(rest[0], values.scope ?? []);
  throw new Refusal(`"${args.join(" ")}" is not understood.\n\n${usage}`);
}

function read(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: { help: { type: "boolean", short: "h" }, scope: { type: "string", multiple: true } },
    });
  } catch (error) {
    throw new Refusal(`${(error as Error).message}\n\n${usage}`);
  }
}

async function start(file: string): Promise<void> {
  const running = await (await load(file)).start();
  process.send?.({ type: "ready", url: running.url });
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    running.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("disconnect", stop);
}

async function load(file: string): Promise<Backend> {
  const path = resolve(file);
  const module = await import(pathToFileURL(path).href).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ERR_MODULE_NOT_FOUND" && error.message.includes(path)) {
      throw new Refusal(`There is no file ${file}. Name the file that exports your backend: trilith start backend.ts`);
    }
    throw error;
  });
  const { default: backend } = module as { default?: Partial<Backend> };
  if (typeof backend?.start === "function") return backend as Backend;
  throw new Refusal(`${file} exports no backend by default. End it with: export default backend("name", { … });`);
}

async function makeKey(id: string, scopes: readonly string[]): Promise<void> {
  if (scopes.length === 0)
    throw new Refusal("Say what the key may do: trilith key ann --scope trips:book --scope trips:approve");
  const { keysFile } = readSettings(process.env);
  console.log(await createApiKey(keysFile, { id, scopes }));
}
