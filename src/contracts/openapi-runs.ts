import { type Components, componentName, refTo, toComponents } from "./openapi-components.ts";
import { securityOf } from "./openapi-operation.ts";
import { faultResponses } from "./openapi-problems.ts";
import type { AnyCommand, Named } from "./operation.ts";
import { type AnySchema, toJsonSchema } from "./schema.ts";

const signalsOf = ({ id, signals }: AnyCommand & Named) =>
  Object.entries(signals).flatMap(([name, { schema, access }]) =>
    access === undefined
      ? []
      : [{ name, access, schema, component: componentName(id, `${name}Signal`), operation: id }],
  );

const runParameter = {
  name: "run",
  in: "path",
  required: true,
  schema: { type: "string" },
  description: "The run's id.",
};

/** The addresses of runs: how it stands with one, and the signals that are taken from outside. */
export function runPaths(commands: readonly (AnyCommand & Named)[]): { readonly [path: string]: object } {
  const signals = commands.flatMap(signalsOf);
  const names = [...new Set(signals.map(({ name }) => name))].sort();
  return {
    "/runs/{run}": {
      get: {
        operationId: "runs.get",
        tags: ["runs"],
        summary: "How it stands with a run",
        description: "For whoever started it, and for whoever may call its operation.",
        security: [{}, { bearer: [] }, { apiKey: [] }],
        parameters: [runParameter],
        responses: {
          200: { description: "The run.", content: { "application/json": { schema: refTo("Run") } } },
          ...faultResponses(["Unauthenticated", "Forbidden", "UnknownRoute", "Internal", "Unavailable"]),
        },
      },
    },
    ...(commands.some(({ progress }) => progress)
      ? { "/runs/{run}/progress": { get: progressOperation(commands) } }
      : {}),
    ...Object.fromEntries(
      names.map((name) => {
        const sameName = signals.filter((signal) => signal.name === name);
        return [`/runs/{run}/signals/${name}`, { post: signalOperation(name, sameName) }];
      }),
    ),
  };
}

export function runComponents(commands: readonly (AnyCommand & Named)[]): Components {
  const signals = commands
    .flatMap(signalsOf)
    .map(({ component, schema }) => toComponents(component, toJsonSchema(schema)));
  const progress = commands.filter(saysProgress);
  const told = progress.map(({ id, progress }) => toComponents(componentName(id, "Progress"), toJsonSchema(progress)));
  return { Accepted: accepted, Run: runOf(progress), ...Object.assign({}, ...signals, ...told) };
}

type Telling = AnyCommand & Named & { readonly progress: AnySchema };
const saysProgress = (command: AnyCommand & Named): command is Telling => command.progress !== undefined;
const refsOf = (commands: readonly Telling[]): object => {
  const refs = commands.map(({ id }) => refTo(componentName(id, "Progress")));
  return refs.length === 1 ? (refs[0] ?? {}) : { anyOf: refs };
};

function progressOperation(commands: readonly (AnyCommand & Named)[]): object {
  const telling = commands.filter(saysProgress);
  return {
    operationId: "runs.progress",
    tags: ["runs"],
    summary: "Follow what a run says of itself",
    description: `Server-sent events: \`progress\` with the last value and then each further one, and \`end\` with the run's state. For runs of ${telling.map(({ id }) => `\`${id}\``).join(", ")}.`,
    security: [{}, { bearer: [] }, { apiKey: [] }],
    parameters: [runParameter],
    responses: {
      200: {
        description: "The events; the data of each `progress` is as below.",
        content: { "text/event-stream": { schema: refsOf(telling) } },
      },
      ...faultResponses(["Unauthenticated", "Forbidden", "UnknownRoute", "TooManyRequests", "Internal", "Unavailable"]),
    },
  };
}

/** Whether an object without any field is enough, as it is taken where there is no body. */
function takesNothing(schema: AnySchema): boolean {
  const result = schema["~standard"].validate({});
  return !(result instanceof Promise) && !result.issues;
}

function signalOperation(name: string, signals: ReturnType<typeof signalsOf>): object {
  const schemas = signals.map(({ component }) => refTo(component));
  const scopes = signals.flatMap(({ access }) => securityOf(access));
  const ended = {
    description: "The run has ended.",
    content: { "application/problem+json": { schema: refTo("Problem") } },
  };
  return {
    operationId: `runs.signal.${name}`,
    tags: ["runs"],
    summary: `Send the signal "${name}" to a run`,
    description: `For runs of ${signals.map(({ operation, access }) => `\`${operation}\` (${access})`).join(", ")}.`,
    security: signals.some(({ access }) => access === "public") ? [{}, ...scopes] : scopes,
    parameters: [runParameter],
    requestBody: {
      required: !signals.some(({ schema }) => takesNothing(schema)),
      content: { "application/json": { schema: schemas.length === 1 ? schemas[0] : { anyOf: schemas } } },
    },
    responses: {
      202: {
        description: "Taken.",
        headers: { Location: { description: "Where the run is.", schema: { type: "string" } } },
        content: {
          "application/json": {
            schema: {
              type: "object",
              required: ["run", "signal"],
              properties: { run: { type: "string" }, signal: { const: name } },
            },
          },
        },
      },
      409: ended,
      ...faultResponses([
        ...(["MalformedBody", "Unauthenticated", "Forbidden", "UnknownRoute", "BodyTooLarge"] as const),
        ...(["UnsupportedMediaType", "InvalidInput", "Internal", "Unavailable"] as const),
      ]),
    },
  };
}

const runStates = ["queued", "running", "waiting", "undoing", "paused", "done", "failed", "cancelled", "terminated"];

const accepted = {
  type: "object",
  required: ["run"],
  properties: { run: { type: "string" }, location: { type: "string", description: "Where to look for the result." } },
};

const runOf = (telling: readonly Telling[]) => ({
  type: "object",
  required: ["run", "operation", "state", "startedAt"],
  properties: {
    run: { type: "string" },
    operation: { type: "string" },
    state: { type: "string", enum: runStates },
    startedAt: { type: "string", format: "date-time" },
    startsAt: {
      type: "string",
      format: "date-time",
      description: "When it begins: of one that was asked for earlier.",
    },
    endedAt: { type: "string", format: "date-time" },
    output: { description: "The operation's output: of a run that is done." },
    ...(telling.length > 0 && { progress: refsOf(telling) }),
    problem: refTo("Problem"),
    reason: { type: "string", description: "Why it is paused, or is being undone, in plain words." },
  },
});
