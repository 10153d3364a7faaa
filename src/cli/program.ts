import { parseArgs } from "node:util";
import { createApiKey, type Page, readSettings } from "../runtime/index.ts";
import { contractsCommand } from "./contracts-command.ts";
import { load, Refusal, Unloadable } from "./load.ts";
import { startWatchdog } from "./watchdog.ts";

const usage = `Usage:
  trilith start [file]                     starts the backend that the file exports by default (backend.ts)
  trilith key <id> --scope <scope> …       makes an API key, prints it once, and keeps its hash in
                                           the keys file; an older key of that id stops working
  trilith runs list, show, cancel, …       finds and steers the runs of a backend; see trilith runs --help
  trilith check [folder]                   says where a project breaks the rules; see trilith check --help
  trilith mock <file>                      answers as contracts allow; see trilith mock --help
  trilith contracts <publish|diff|deployable|client|catalog>
                                           how contracts may change, and what follows from them; "trilith contracts --help" says more

Settings come from the environment: HOST, PORT, TRILITH_DATA and more, see the guide "configuration" of the package's repository.`;

/** Runs the command line. What a person did wrong is said in a sentence, without a stack. */
export async function run(args: string[]): Promise<void> {
  try {
    await main(args);
  } catch (error) {
    const unloaded = error instanceof Unloadable ? error.cause : undefined;
    console.error(unloaded ?? (process.env.TRILITH_LOG === "debug" ? error : (error as Error).message));
    process.exit(1);
  }
}

async function main(args: string[]): Promise<void> {
  if (args[0] === "contracts") {
    process.exitCode = await contractsCommand(args.slice(1));
    return;
  }
  if (args[0] === "mock") {
    const { mockCommand } = await import("./mock-command.ts");
    const running = await mockCommand(args.slice(1));
    if (running) stopOnSignals(() => running.stop());
    return;
  }
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
  const backend = await load(file);
  // A person reads sentences; what reads JSON lines is not a terminal.
  const atTerminal = process.stdout.isTTY && process.env.TRILITH_LOG === undefined;
  const running = await backend.start(atTerminal ? { environment: { ...process.env, TRILITH_LOG: "warn" } } : {});
  startWatchdog(readSettings(process.env).watchdogMs);
  process.send?.({ type: "ready", url: running.url, pages: running.pages });
  if (atTerminal)
    console.log([`${backend.name} is up.\n`, ...running.pages.map(toLine), "\nCtrl-C stops it."].join("\n"));
  // A promise that user code forgot is a line in the log, and not the end of everybody else's runs.
  process.on("unhandledRejection", (error) => console.error("A promise was rejected, and nobody listened:", error));
  stopOnSignals(() => running.stop());
}

const toLine = ({ name, url, note }: Page): string =>
  `  ${name.padEnd(10)} ${url}${note === undefined ? "" : ` (${note})`}`;

function stopOnSignals(end: () => Promise<void>): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    end().then(
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

async function makeKey(id: string, scopes: readonly string[]): Promise<void> {
  if (scopes.length === 0)
    throw new Refusal("Say what the key may do: trilith key ann --scope trips:book --scope trips:approve");
  const odd = scopes.find((scope) => !/^[\w.-]+:[\w.*-]+$/.test(scope));
  if (odd !== undefined)
    throw new Refusal(`"${odd}" is no scope. Scopes are the "access" of contracts, like trips:book.`);
  const { keysFile } = readSettings(process.env);
  console.log(await createApiKey(keysFile, { id, scopes }));
}
