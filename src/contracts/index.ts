/**
 * Contracts: frozen plain data that everything else is derived from, and the words in which layers call each other.
 * May import schema libraries, and nothing of the project. Start with contract.ts, then operation.ts and call.ts.
 */
export { type Adapted, type AdaptedWay, adapt, majorOf, plainName, type Ways } from "./adapt.ts";
export { type ArazzoOptions, toArazzo } from "./arazzo.ts";
export { type AsyncApiOptions, toAsyncApi } from "./asyncapi.ts";
export {
  type Answer,
  anonymous,
  type Call,
  type Dispatch,
  type Part,
  type Principal,
  type Provider,
  type Reply,
  type Voided,
} from "./call.ts";
export { toCanonicalJson } from "./canonical.ts";
export { toClient } from "./client.ts";
export { type Clock, systemClock } from "./clock.ts";
export {
  type About,
  type AnyContract,
  type CamelCase,
  type Client,
  type Contract,
  contract,
  type EventNames,
  eventsOf,
  type NameOf,
  type OperationNames,
  operationsOf,
  toCamelCase,
  type Version,
} from "./contract.ts";
export { type Duration, toMs } from "./duration.ts";
export { type AnyEvent, type Event, event, type Upcast, upcast } from "./event.ts";
export { type Fail, Failed, type Failure, type Failures, failure, type Retry, toFail } from "./failure.ts";
export { Fault, type FaultCode, faultCodes } from "./fault.ts";

export { fits as fitsSchema, resolve as resolveSchema } from "./json-schema.ts";

export { impersonal, maskPersonal, personal, subject } from "./marks.ts";

export { type OpenApiOptions, toOpenApi } from "./openapi.ts";
export {
  type Access,
  type AnyCommand,
  type AnyQuery,
  type CallerInput,
  type CallerOutput,
  type Command,
  command,
  type Deprecated,
  type Example,
  type HandlerInput,
  type HandlerOutput,
  type Named,
  type Operation,
  type Query,
  query,
  type Signal,
  type Signals,
  signal,
} from "./operation.ts";
export { failureType, faultType, type Problem, toProblem } from "./problem.ts";
export { type Projection, toProjection } from "./projection.ts";
export { hasBody, type Route, type Verb } from "./route.ts";
export {
  type AnySchema,
  type In,
  type Issue,
  type JsonSchema,
  nothing,
  type Out,
  type Schema,
  toJsonSchema,
  type Validated,
  validate,
  validateAtOnce,
} from "./schema.ts";

export { type Selection, select, toSelection, validateParts } from "./selection.ts";

export { validateStored } from "./stored-input.ts";

export { type Attributes, type Span, type SpanKind, silent, silentTracing, type Trace, type Tracing } from "./trace.ts";
export { type ClientSourceOptions, toClientSource } from "./typescript/client-source.ts";
