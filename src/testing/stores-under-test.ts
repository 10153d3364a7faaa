import {
  type AnyContract,
  type AnySchema,
  anonymous,
  type Call,
  type Client,
  type Clock,
  type Dispatch,
  Fault,
  nothing,
  type Operation,
  operationsOf,
  type Provider,
  silent,
  systemClock,
  toClient,
  toJsonSchema,
  toProjection,
  validate,
} from "../contracts/index.ts";
import { type AnyStore, type Engine, openStorage, type Storage } from "../storage/host.ts";
import type { Subscription } from "../storage/index.ts";
import { temporarySqlite } from "./temporary-sqlite.ts";

export interface StoresUnderTest extends AsyncDisposable {
  /** Calls a store's operations by its contract. `call` says who calls, and with which key. */
  client<C extends AnyContract>(contract: C, call?: Partial<Call>): Client<C>;
  readonly storage: Storage;
  readonly engine: Engine;
  close(): Promise<void>;
}

/**
 * Opens stores, and subscriptions beside them, for a test: on a SQLite of their own that goes when they are closed, or on
 * an engine that the test brings along and closes itself (`memoryEngine()` is the fastest).
 *
 *     await using stores = await testStores([bookingStore]);
 *     const bookings = stores.client(Bookings);
 *     await bookings.hold(seat);
 */
export async function testStores(
  parts: readonly (AnyStore | Subscription)[],
  options: { readonly engine?: Engine; readonly clock?: Clock } = {},
): Promise<StoresUnderTest> {
  const { clock = systemClock } = options;
  const { engine, close: closeEngine } = options.engine
    ? { engine: options.engine, close: async () => {} }
    : await temporarySqlite(clock);
  let storage: Storage;
  try {
    storage = await openStorage(parts, { engine, clock });
  } catch (error) {
    await closeEngine();
    throw error;
  }
  const stores = parts.filter((part) => part.kind === "store");
  const dispatch = toDispatch(stores, storage.providers);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= storage.close().then(closeEngine);
    return closing;
  };
  return Object.freeze({
    client: <C extends AnyContract>(contract: C, call: Partial<Call> = {}) =>
      toClient(contract, dispatch, {
        principal: anonymous,
        trace: silent,
        aborted: new AbortController().signal,
        ...call,
      }),
    storage,
    engine,
    close,
    [Symbol.asyncDispose]: close,
  });
}

/** From a contract's operation to the store that keeps it, checking what goes in and what comes out. */
function toDispatch(stores: readonly AnyStore[], providers: readonly Provider[]): Dispatch {
  const operations = new Map<string, Operation>(
    stores.flatMap(({ contract }) => operationsOf(contract)).map((operation) => [operation.id, operation]),
  );
  const find = (id: string): { readonly operation: Operation; readonly provider: Provider } => {
    const operation = operations.get(id);
    const provider = providers.find((one) => one.operation === id);
    if (operation && provider) return { operation, provider };
    throw new Fault("Internal", `None of the stores under test has ${id}.`, { retry: "never", outcome: "not done" });
  };
  return {
    call: async (id, input, call) => {
      const { operation, provider } = find(id);
      const written = projected(operation.input, input);
      const read = await validate(operation.input, written);
      if (!read.ok) throw new Fault("InvalidInput", `The input of ${id} breaks its contract.`, { issues: read.issues });
      const reply = await provider.handle(read.value, call, written);
      if ("accepted" in reply) return reply;
      const wire = operation.output === nothing ? undefined : projected(operation.output, reply.output);
      const answer = await validate(operation.output, wire);
      if (!answer.ok)
        throw new Fault("InvalidOutput", `The output of ${id} breaks its contract.`, { issues: answer.issues });
      return { wire, value: answer.value };
    },
    void: async (id, key, call) => (await find(id).provider.void?.(key, call)) ?? { took: "unknown" },
  };
}

/** What the schema declares of a value, as JSON carries it. */
function projected(schema: AnySchema, value: unknown): unknown {
  const { value: declared } = toProjection(toJsonSchema(schema))(value);
  return declared === undefined ? undefined : JSON.parse(JSON.stringify(declared));
}
