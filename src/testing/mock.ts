import {
  type AnyContract,
  type AnyQuery,
  type Call,
  Failed,
  type Failures,
  Fault,
  type FaultCode,
  faultCodes,
  type Named,
  nothing,
  type Operation,
  type OperationNames,
  operationsOf,
  toCanonicalJson,
  validate,
} from "../contracts/index.ts";
import { type Store, store } from "../storage/index.ts";
import { type Fake, type FakeCall, fake } from "./fake.ts";
import { loadFastCheck, seedOf, Values } from "./values/values.ts";

/** How an operation fails: always by that name, or in so many of a hundred cases (`rate` from 0 to 1). */
type Failing<Op> = Op extends { readonly failures: infer F extends Failures }
  ? (keyof F & string) | FaultCode | { readonly code: (keyof F & string) | FaultCode; readonly rate: number }
  : never;
export interface MockOptions<C extends AnyContract> {
  /** Another seed, other values; the same seed, the same ones. 1 unless told. */
  readonly seed?: number;
  readonly failures?: { readonly [K in OperationNames<C>]?: Failing<C[K]> };
}

/** A contract's provider made of the contract alone. It is a fake for the bench, and a store for a backend. */
export interface Mock<C extends AnyContract = AnyContract> extends Fake {
  readonly contract: C;
  /** To stand in a backend for whoever will implement the contract: `backend("…", { storage: [mock(Payments).store] })`. */
  readonly store: Store & { readonly id: C["~contract"]["name"] };
  /** Ends an operation in a way that was asked for by its name: a failure of the contract with details that fit, or a fault. */
  failWith(operation: Operation & Named, code: string): Promise<Error>;
}

/**
 * Answers as the contract allows: an example for its input, else values that its schemas take, the same for the same input
 * and seed. Fields that the answer has in common with the question are the question's.
 */
export function mock<C extends AnyContract>(contract: C, options: MockOptions<C> = {}): Mock<C> {
  const { seed = 1 } = options;
  const failures = (options.failures ?? {}) as {
    readonly [name: string]: string | { readonly code: string; readonly rate: number };
  }; // typed where it was given
  let values: Promise<Values> | undefined;
  const drawn = (): Promise<Values> => {
    values ??= loadFastCheck().then((fc) => new Values(fc));
    return values;
  };
  const failWith = async (operation: Operation & Named, code: string): Promise<Error> => {
    const declared = Object.hasOwn(operation.failures, code) ? operation.failures[code] : undefined;
    if (!declared && faultCodes.includes(code as FaultCode))
      return new Fault(code as FaultCode, `The mock was told to end ${operation.id} like this.`);
    if (!declared)
      throw new TypeError(
        `${operation.id} has no failure "${code}". It has: ${Object.keys(operation.failures).join(", ") || "none"}.`,
      );
    const details =
      declared.details && (await (await drawn()).one(declared.details, seedOf(code, seed), `the details of ${code}`));
    return new Failed(operation.id, code, declared, details);
  };
  const counts = new Map<string, number>();
  const answer = async (operation: Operation & Named, input: unknown): Promise<unknown> => {
    const name = operation.id.slice(contract["~contract"].name.length + 1);
    const nth = (counts.get(name) ?? 0) + 1;
    counts.set(name, nth);
    const asked = seedOf(`${name} ${toCanonicalJson(input)}`, seed);
    const failing = failures[name];
    const { code, rate } =
      typeof failing === "string" ? { code: failing, rate: 1 } : (failing ?? { code: "", rate: 0 });
    if (rate > 0 && (seedOf(`${nth} of ${name}`, seed) >>> 0) / 2 ** 32 < rate) throw await failWith(operation, code);
    const examples = operation.examples.filter((one) => toCanonicalJson(one.input) === toCanonicalJson(input));
    const [first] = examples;
    if (first?.failure !== undefined && examples.every(({ failure }) => failure !== undefined))
      throw await failWith(operation, first.failure);
    return outputOf(operation, input, asked, drawn);
  };
  const handlers = operationsOf(contract).map((operation) => [
    operation.id.slice(contract["~contract"].name.length + 1),
    (input: unknown) => answer(operation, input),
  ]);
  const played = fake(contract, Object.fromEntries(handlers));
  return {
    ...played,
    contract,
    get calls(): readonly FakeCall[] {
      return played.calls;
    },
    call: (operation: string, input: unknown, call: Call) => played.call(operation, input, call),
    store: store(contract, {}, Object.fromEntries(handlers)) as Store & { readonly id: C["~contract"]["name"] }, // every operation has a handler
    failWith,
  };
}

const isAnswerTo =
  (input: unknown) =>
  (example: Operation["examples"][number]): boolean =>
    "output" in example && toCanonicalJson(example.input) === toCanonicalJson(input);

async function outputOf(
  operation: Operation & Named,
  input: unknown,
  seed: number,
  drawn: () => Promise<Values>,
): Promise<unknown> {
  if (operation.output === nothing) return undefined;
  const { examples } = operation as AnyQuery;
  const own = examples.find(isAnswerTo(input));
  if (own) return own.output;
  const some = examples.filter((example) => "output" in example);
  const output =
    some.length > 0
      ? some[(seed >>> 0) % some.length]?.output
      : await (await drawn()).one(operation.output, seed, `the output of ${operation.id}`);
  const echoed = withFieldsOf(input, output);
  return (await validate(operation.output, echoed)).ok ? echoed : output;
}

/** Whoever asks for booking b-1 expects to hear of b-1. */
function withFieldsOf(input: unknown, output: unknown): unknown {
  if (!isRecord(input) || !isRecord(output)) return output;
  const common = Object.entries(input).filter(([name]) => Object.hasOwn(output, name));
  return { ...output, ...Object.fromEntries(common) };
}
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
