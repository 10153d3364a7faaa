import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type AnyContract, operationsOf, plainName } from "../contracts/index.ts";
import { type Backend, backend } from "../runtime/index.ts";
import { type Mock, mock } from "../testing/index.ts";
import { loadModule, Refusal } from "./load.ts";

const usage = `Usage:
  trilith mock <file>        answers over HTTP as the contracts of a file allow: those that it exports, or those
                             that its backend implements
    --port <port>            4500 unless told; 0 takes a free one
    --seed <number>          another seed, other values
    --guarded                asks for keys and scopes, as the backend would; otherwise everybody may call

The header "Mock-Failure: SoldOut" asks for a failure of the contract, or for a fault such as Unavailable.`;

export interface RunningMock {
  readonly url: string;
  stop(): Promise<void>;
}

/** `trilith mock …`: starts a backend whose stores are mocks, and answers until it is stopped. */
export async function mockCommand(args: readonly string[]): Promise<RunningMock | undefined> {
  const { values, positionals } = read(args);
  const [file, ...more] = positionals;
  if (values.help) {
    console.log(usage);
    return undefined;
  }
  if (file === undefined || more.length > 0) throw new Refusal(`Name one file: trilith mock contracts.ts\n\n${usage}`);
  const [port, seed] = [wholeNumber("port", values.port ?? "4500"), wholeNumber("seed", values.seed ?? "1")];
  const contracts = contractsIn(await loadModule(file, "trilith mock contracts.ts"));
  if (contracts.length === 0) throw new Refusal(`${file} exports no contract, and no backend by default.`);
  const running = await startMock(contracts, { port, seed, guarded: values.guarded ?? false });
  console.log(
    `${contracts.map((contract) => contract["~contract"].name).join(", ")} as a mock at ${running.url}, described at ${running.url}/docs`,
  );
  return running;
}

async function startMock(
  contracts: readonly AnyContract[],
  { port, seed, guarded }: { readonly port: number; readonly seed: number; readonly guarded: boolean },
): Promise<RunningMock> {
  const mocks = contracts.map((contract) => mock(guarded ? contract : opened(contract), { seed }));
  const byContract = new Map<string, Mock>(mocks.map((one) => [one.contract["~contract"].name, one]));
  const data = await mkdtemp(join(tmpdir(), "trilith-mock-"));
  const environment = {
    TRILITH_LOG: "warn",
    ...process.env,
    ...{ PORT: String(port), TRILITH_DATA: data },
  };
  try {
    const running = await backend("mock", { storage: mocks.map(({ store }) => store) }).start({
      environment,
      rehearse: (operation, code) => {
        const played = byContract.get(operation.about.name);
        if (!played) throw new TypeError(`Nobody plays ${operation.id}.`);
        return played.failWith(operation, code);
      },
    });
    const stop = async (): Promise<void> => {
      await running.stop();
      await rm(data, { recursive: true, force: true });
    };
    return { url: running.url, stop };
  } catch (error) {
    await rm(data, { recursive: true, force: true });
    throw error;
  }
}

/** The same contract, for everybody who comes. */
function opened(contract: AnyContract): AnyContract {
  const operations = operationsOf(contract).map((operation) => [
    operation.id.slice(operation.id.indexOf(".") + 1),
    Object.freeze({ ...operation, ...(operation.route && { access: "public" }) }),
  ]);
  return Object.freeze({ ...contract, ...Object.fromEntries(operations) });
}

function contractsIn(module: unknown): readonly AnyContract[] {
  const exported = Object.values(module as object) as readonly unknown[];
  const composed = (module as { readonly default?: Partial<Backend> }).default;
  const own = composed?.serves ?? exported.filter(isContract);
  // Of several versions that a file exports, the one that is not there yet is the latest.
  const latest = new Map<string, AnyContract>();
  for (const contract of own) {
    const { name, version } = contract["~contract"];
    const other = latest.get(plainName(name));
    if (!other || version.localeCompare(other["~contract"].version, "en", { numeric: true }) > 0)
      latest.set(plainName(name), contract);
  }
  return [...latest.values()];
}

const isContract = (value: unknown): value is AnyContract =>
  typeof value === "object" && value !== null && "~contract" in value;

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h" },
        port: { type: "string" },
        seed: { type: "string" },
        guarded: { type: "boolean" },
      },
    });
  } catch (error) {
    throw new Refusal(`${(error as Error).message}\n\n${usage}`);
  }
}

function wholeNumber(name: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new Refusal(`--${name} is a whole number; "${text}" is not.`);
}
