import {
  type Answer,
  type AnyContract,
  type Call,
  type Dispatch,
  Failed,
  Fault,
  nothing,
  type Operation,
  operationsOf,
  type Part,
  type Projection,
  type Provider,
  type Reply,
  toJsonSchema,
  toProjection,
  validateAtOnce,
  validateParts,
} from "../contracts/index.ts";

/** One operation with everything that its boundary needs, compiled once. */
interface Bound {
  readonly operation: Operation;
  readonly layer: string;
  readonly provider: Provider;
  readonly input: Projection;
  readonly output: Projection | undefined;
}
/** The dispatch of one process. The layers are handed it before they can say what they provide, so they are bound later. */
export interface LocalDispatch extends Dispatch {
  bind(layer: string, providers: readonly Provider[]): void;
  layerOf(operation: string): string | undefined;
}

/**
 * The way between the layers of one process: a function call that checks input and output against the contract, keeps
 * undeclared fields out, and is a span. Nothing else leads from one layer to another.
 */
export function createDispatch(contracts: readonly AnyContract[]): LocalDispatch {
  const operations = new Map(contracts.flatMap(operationsOf).map((operation) => [operation.id, operation]));
  const bound = new Map<string, Bound>();
  const find = (id: string): Bound => {
    const found = bound.get(id);
    if (found) return found;
    throw new Fault("Internal", `Nobody implements ${id} in this backend.`, { retry: "never", outcome: "not done" });
  };
  return {
    bind(layer, providers) {
      for (const provider of providers) {
        const operation = operations.get(provider.operation);
        if (!operation)
          throw new TypeError(`${provider.operation} is implemented, but no contract of this backend has it.`);
        const other = bound.get(provider.operation);
        if (other)
          throw new TypeError(`${provider.operation} is implemented twice: in ${other.layer} and in ${layer}.`);
        bound.set(provider.operation, toBound(operation, layer, provider));
      }
    },
    layerOf: (id) => bound.get(id)?.layer,
    call(id, input, call) {
      const { principal } = call;
      const about = {
        "trilith.operation": id,
        "trilith.layer": bound.get(id)?.layer,
        "trilith.principal": principal.id,
      };
      return call.trace.span("operation", id, about, (trace) =>
        cross(find(id), input, trace === call.trace ? call : { ...call, trace }),
      );
    },
    async void(id, key, call) {
      return (await find(id).provider.void?.(key, call)) ?? { took: "unknown" };
    },
  };
}

function toBound(operation: Operation, layer: string, provider: Provider): Bound {
  const input = toProjection(toJsonSchema(operation.input));
  const output = operation.output === nothing ? undefined : toProjection(toJsonSchema(operation.output));
  return { operation, layer, provider, input, output };
}

async function cross(
  { operation, layer, provider, input: project, output: projectOutput }: Bound,
  input: unknown,
  call: Call,
): Promise<Answer> {
  const id = provider.operation;
  if ((call.startAt ?? call.startAfterMs) !== undefined && layer !== "orchestration") {
    const message = `${id} is done at once: only a command that a workflow implements can be started later.`;
    throw new Fault("InvalidInput", message, { outcome: "not done" });
  }
  const { value: written } = project(input);
  const reading = validateAtOnce(operation.input, written);
  const read = reading instanceof Promise ? await reading : reading;
  if (!read.ok) {
    const [issue] = read.issues;
    throw new Fault("InvalidInput", `The input of ${id} breaks its contract: ${issue?.path}: ${issue?.message}`, {
      issues: read.issues,
    });
  }
  const { onPart } = call;
  const inside = onPart && projectOutput ? { ...call, onPart: declaring(onPart, projectOutput) } : call;
  let reply: Reply;
  try {
    reply = await provider.handle(read.value, inside, written);
  } catch (error) {
    throw asDeclared(id, operation, error);
  }
  if ("accepted" in reply) return reply;
  const { meta, run } = reply;
  const about = {
    ...(meta !== undefined && { meta }),
    ...(run !== undefined && { run }),
    declared: true as const,
  };
  if (!projectOutput) return { wire: undefined, value: undefined, ...about };
  if (reply.checked) return { wire: reply.output, value: reply.checked.value, ...about };
  const { value: wire } = projectOutput(reply.output);
  const { only } = reply;
  const checking = only ? validateParts(operation.output, wire, only) : validateAtOnce(operation.output, wire);
  const checked = checking instanceof Promise ? await checking : checking;
  if (checked.ok) return { wire, value: checked.value, ...about };
  throw new Fault(
    "InvalidOutput",
    `The output of ${id} breaks its contract: ${checked.issues.map(({ path, message }) => `${path}: ${message}`).join("; ")}`,
    {
      issues: checked.issues,
      retry: "later",
      outcome: "unknown",
    },
  );
}

/** Undeclared fields stay inside, also of what is not whole yet. */
const declaring =
  (onPart: (part: Part) => void, project: Projection) =>
  ({ wire, pending }: Part): void =>
    onPart({ wire: project(wire).value, pending });

/** A failure that this operation does not declare is an accident inside it, whatever it was elsewhere. */
function asDeclared(id: string, operation: Operation, error: unknown): Error {
  if (error instanceof Fault) return error;
  if (error instanceof Failed && error.operation === id && error.code in operation.failures) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new Fault("Internal", `${id} failed: ${message}`, { cause: error });
}
