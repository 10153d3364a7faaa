import { componentName, refTo, rewrittenFor } from "./openapi-components.ts";
import { problemResponses } from "./openapi-problems.ts";
import type { Access, Named, Operation } from "./operation.ts";
import { hasBody, type Route } from "./route.ts";
import { type JsonSchema, nothing, toJsonSchema } from "./schema.ts";

export interface Described {
  readonly operation: Operation & Named & { readonly route: Route };
  readonly tag: string;
  readonly isLongRunning: boolean;
}

/** The part of a path item that one operation is. */
export function toPathItem({ operation, tag, isLongRunning }: Described): { readonly [verb: string]: object } {
  const { id, route, access = "public", summary, kind, deprecated } = operation;
  const parameters = [...inputParameters(operation), ...headerParameters(kind, isLongRunning)];
  return {
    [route.verb.toLowerCase()]: {
      operationId: id,
      tags: [tag],
      summary: summary ?? inWords(id),
      security: securityOf(access),
      ...(deprecated && { deprecated: true, ...(deprecated.instead && { description: deprecated.instead }) }),
      ...(parameters.length > 0 && { parameters }),
      ...(hasBody(route.verb) && bodyOf(operation)),
      responses: { ...successOf(operation, isLongRunning), ...problemResponses(operation) },
    },
  };
}

/** Whoever is asked for a scope sends a key or a token. */
export const securityOf = (access: Access): readonly object[] =>
  access === "public" ? [] : [{ bearer: [access] }, { apiKey: [access] }];

function inputParameters({ id, input, route, kind, examples }: Described["operation"]): readonly object[] {
  const schema = toJsonSchema(input);
  const properties = (schema.properties ?? {}) as { readonly [name: string]: JsonSchema };
  const required = Array.isArray(schema.required) ? schema.required : [];
  const shape = (name: string): object => {
    const part = rewrittenFor(componentName(id, "Input"), inlined(properties[name] ?? {}, schema));
    const example = (examples[0]?.input as Record<string, unknown> | undefined)?.[name];
    const shown = example === undefined ? {} : { example };
    return part.type === "object"
      ? { content: { "application/json": { schema: part, ...shown } } }
      : { schema: part, ...shown };
  };
  const inQuery = hasBody(route.verb) ? [] : Object.keys(properties).filter((name) => !route.params.includes(name));
  const flag = kind === "query" && !("meta" in properties);
  return [
    ...route.params.map((name) => ({ name, in: "path", required: true, ...shape(name) })),
    ...inQuery.map((name) => ({ name, in: "query", required: required.includes(name), ...shape(name) })),
    ...(flag
      ? [
          {
            name: "meta",
            in: "query",
            schema: { type: "boolean", default: false },
            description: "Whether provenance is wanted: the answer is then `{data, meta}`.",
          },
        ]
      : []),
    ...(kind === "query" && !("fields" in properties) ? [fieldsParameter] : []),
  ];
}

const fieldsParameter = {
  name: "fields",
  in: "query",
  style: "form",
  explode: false,
  schema: { type: "array", items: { type: "string" } },
  description:
    "The fields that are wanted, by commas; a dot leads inside: `name,position.latitude`. All of them, where it is missing. " +
    "What is not asked for is not worked out either.",
};

/** A parameter has no component to refer to, so its definition stands in its place. */
function inlined(part: JsonSchema, root: JsonSchema): JsonSchema {
  const [, name] = /^#\/\$defs\/([^/]+)$/.exec(String(part.$ref ?? "")) ?? [];
  const definitions = (root.$defs ?? {}) as { readonly [name: string]: JsonSchema };
  return (name && definitions[name]) || part;
}

function headerParameters(kind: Operation["kind"], isLongRunning: boolean): readonly object[] {
  const timeout = {
    name: "Request-Timeout-Ms",
    in: "header",
    schema: { type: "integer", minimum: 1 },
    description: "How long the caller waits for an answer at all, in milliseconds.",
  };
  if (kind === "query") return [timeout];
  const key = {
    name: "Idempotency-Key",
    in: "header",
    schema: { type: "string", minLength: 1, maxLength: 255 },
    description: "One key, one effect: a command that is sent again with its key gets its first result.",
  };
  const prefer = {
    name: "Prefer",
    in: "header",
    schema: { type: "string" },
    example: "wait=10",
    description: "`wait=N`: how many seconds the caller waits for the result before it is told where to look instead.",
  };
  return isLongRunning ? [key, prefer, ...startParameters, timeout] : [key, timeout];
}

const startParameters = [
  {
    name: "Start-At",
    in: "header",
    schema: { type: "string", format: "date-time" },
    description: "When the run begins, if not now. It is kept at once, and the answer is where it will be.",
  },
  {
    name: "Start-After-Ms",
    in: "header",
    schema: { type: "integer", minimum: 0 },
    description: "The same as a time from now, in milliseconds.",
  },
];

/** The examples of an operation, by number. Nothing where there is none. */
function examplesOf(values: readonly { readonly summary?: string | undefined; readonly value: unknown }[]): object {
  if (values.length === 0) return {};
  const numbered = values.map(({ summary, value }, at) => [
    `example-${at + 1}`,
    { ...(summary && { summary }), value },
  ]);
  return { examples: Object.fromEntries(numbered) };
}

function withoutFields(value: unknown, names: readonly string[]): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}

function bodyOf({ id, input, route, examples }: Described["operation"]): object {
  const schema = toJsonSchema(input);
  const required = Array.isArray(schema.required) && schema.required.some((name) => !route.params.includes(name));
  const shown = examplesOf(
    examples.map(({ summary, input }) => ({ summary, value: withoutFields(input, route.params) })),
  );
  return {
    requestBody: { required, content: { "application/json": { schema: refTo(componentName(id, "Input")), ...shown } } },
  };
}

function successOf(
  { id, output, kind, examples }: Described["operation"],
  isLongRunning: boolean,
): { readonly [status: string]: object } {
  const location = { headers: { Location: { description: "Where the run is.", schema: { type: "string" } } } };
  const own = refTo(componentName(id, "Output"));
  const withMeta = { type: "object", required: ["data", "meta"], properties: { data: own, meta: {} } };
  const shown = examplesOf(
    examples.flatMap(({ summary, output }) => (output === undefined ? [] : [{ summary, value: output }])),
  );
  const schema = kind === "query" ? { anyOf: [own, withMeta] } : own;
  return {
    ...(output === nothing
      ? { 204: { description: "Done.", ...(isLongRunning && location) } }
      : {
          200: {
            description: "The answer.",
            ...(isLongRunning && location),
            ...(kind === "query" && degraded),
            content: {
              "application/json": { schema, ...shown },
              ...(kind === "query" && { "text/event-stream": growing }),
            },
          },
        }),
    ...(isLongRunning && {
      202: {
        description: "Accepted: it takes longer than the caller waits. The run at `Location` will have the result.",
        ...location,
        content: { "application/json": { schema: refTo("Accepted") } },
      },
    }),
  };
}

/** How an answer says that something may be missing from it. Only a view's has it. */
const degraded = {
  headers: {
    "Trilith-Degraded": {
      description:
        "The sources that this answer was made without, and how each of them stands (RFC 9651); `*` where what they said " +
        "could not be used. Not there where each of them could say, nor where the answer comes as events.",
      schema: { type: "string" },
      example: "weather;state=down",
    },
  },
};

/** How the answer comes to whoever accepts events. */
const growing = {
  schema: {
    type: "string",
    description:
      "Server-sent events. First `answer`: `{data, pending}`, what there is so far and the sources that are waited for. " +
      "Then any number of `patch`: `{patch, pending}`, a JSON Patch (RFC 6902) to that data. Last `complete`: `{meta}`, " +
      "after which the data is the answer; or `problem`, a problem document. What fails before the first event has its " +
      "status and a problem document as always.",
  },
  example:
    'event: answer\ndata: {"data":{"name":"Oslo"},"pending":["census"]}\n\n' +
    'event: patch\ndata: {"patch":[{"op":"add","path":"/people","value":717710}],"pending":[]}\n\n' +
    'event: complete\ndata: {"meta":null}\n\n',
};

/** `trips.bookSeat` as words: "Trips: book seat". */
function inWords(id: string): string {
  const [contract = "", member = ""] = id.split(".");
  const spaced = (text: string): string =>
    text.replaceAll("-", " ").replaceAll(/([a-z\d])([A-Z])/g, (_, a, b) => `${a} ${b.toLowerCase()}`);
  const words = spaced(contract);
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}: ${spaced(member)}`;
}
