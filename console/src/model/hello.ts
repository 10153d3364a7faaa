import { isRecord } from "./span.ts";

/** What a backend says of itself, at the beginning of every connection. */
export interface Hello {
  readonly name: string;
  readonly version: string;
  readonly pid: number;
  readonly startedMs: number;
  /** Somebody restarts this backend when it is killed, so the page may offer to kill it. */
  readonly canCrash: boolean;
  readonly contracts: readonly ContractSummary[];
}
export interface ContractSummary {
  readonly name: string;
  readonly version: string;
  readonly layer?: string;
  readonly operations: readonly string[];
}

export function readHello(value: unknown): Hello | undefined {
  if (!isRecord(value) || typeof value.name !== "string") return undefined;
  const startedMs = typeof value.startedAt === "string" ? Date.parse(value.startedAt) : Number.NaN;
  return {
    name: value.name,
    version: typeof value.version === "string" ? value.version : "",
    pid: typeof value.pid === "number" ? value.pid : 0,
    startedMs: Number.isFinite(startedMs) ? startedMs : 0,
    canCrash: value.canCrash === true,
    contracts: Array.isArray(value.contracts) ? value.contracts.flatMap(readContract) : [],
  };
}

/** A process id alone does not do: in a container every process may be number 1. */
export const sameProcess = (one: Hello, other: Hello): boolean =>
  one.pid === other.pid && one.startedMs === other.startedMs;

function readContract(value: unknown): ContractSummary[] {
  if (!isRecord(value) || typeof value.name !== "string") return [];
  const operations = Array.isArray(value.operations) ? value.operations.filter(isRecord) : [];
  // Each operation is somebody's; a contract's layer is that of its operations, which are rarely split.
  const layer = [value, ...operations].map(({ layer }) => layer).find((layer) => typeof layer === "string");
  return [
    {
      name: value.name,
      version: typeof value.version === "string" ? value.version : "",
      operations: operations.flatMap(({ name }) => (typeof name === "string" ? [name] : [])),
      ...(layer !== undefined && { layer }),
    },
  ];
}
