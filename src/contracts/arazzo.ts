import { type AnyContract, operationsOf } from "./contract.ts";
import type { AnyCommand, Named } from "./operation.ts";
import { hasBody, type Route } from "./route.ts";
import { type JsonSchema, nothing, toJsonSchema } from "./schema.ts";

export interface ArazzoOptions {
  readonly title: string;
  readonly version: string;
  readonly contracts: readonly AnyContract[];
  /** The ids of the commands that may go on as runs, beside those with signals. */
  readonly longRunning?: readonly string[];
  /** Where the OpenAPI document is. */
  readonly openApi?: string;
}
type Long = AnyCommand & Named & { readonly route: Route };

/**
 * The Arazzo 1.0 document of commands that may go on as runs: begin, send what the run waits for, look until it has ended.
 * Undefined where there is none, for an Arazzo document has at least one workflow.
 */
export function toArazzo({
  title,
  version,
  contracts,
  longRunning = [],
  openApi = "/openapi.json",
}: ArazzoOptions): object | undefined {
  const commands = contracts.flatMap(operationsOf).filter((operation): operation is Long => {
    if (operation.kind !== "command" || !operation.route) return false;
    return longRunning.includes(operation.id) || opened(operation as Long).length > 0;
  });
  if (commands.length === 0) return undefined;
  return {
    arazzo: "1.0.1",
    info: { title, version, summary: "Commands that take their time, from the first call to the result." },
    sourceDescriptions: [{ name: "api", url: openApi, type: "openapi" }],
    workflows: commands.map(toWorkflow),
  };
}

function toWorkflow(command: Long): object {
  const { id, input, output, route, summary } = command;
  const schema = withoutDefinitions(toJsonSchema(input));
  const signals = opened(command);
  return {
    workflowId: id.replaceAll(/[^\w-]/g, "-"),
    summary: summary ?? `Calls ${id} and waits for its end.`,
    description:
      "The first step may have the result already (200 or 204); otherwise the run is followed until it has ended.",
    inputs: {
      type: "object",
      required: ["input", ...signals],
      properties: {
        input: schema,
        ...Object.fromEntries(
          signals.map((name) => [name, withoutDefinitions(toJsonSchema((command.signals[name] as Signal).schema))]),
        ),
      },
    },
    steps: [
      {
        ...{ stepId: "begin", description: `Begins a run of ${id}.`, operationId: id },
        parameters: [
          ...route.params.map((name) => ({ name, in: "path", value: `$inputs.input.${name}` })),
          { name: "Prefer", in: "header", value: "wait=0" },
        ],
        ...(hasBody(route.verb) && { requestBody: { contentType: "application/json", payload: "$inputs.input" } }),
        successCriteria: [{ condition: "$statusCode == 202" }],
        outputs: { run: "$response.body#/run" },
      },
      ...signals.map((name) => ({
        ...{ stepId: `send-${name}`, description: `Sends the signal "${name}".`, operationId: `runs.signal.${name}` },
        parameters: [{ name: "run", in: "path", value: "$steps.begin.outputs.run" }],
        requestBody: { contentType: "application/json", payload: `$inputs.${name}` },
        successCriteria: [{ condition: "$statusCode == 202" }],
      })),
      {
        ...{ stepId: "follow", description: "Looks at the run until it has ended.", operationId: "runs.get" },
        parameters: [{ name: "run", in: "path", value: "$steps.begin.outputs.run" }],
        successCriteria: [
          { condition: "$statusCode == 200" },
          { context: "$response.body", type: "jsonpath", condition: "$[?@.state == 'done']" },
        ],
        onFailure: [{ name: "look-again", type: "retry", retryAfter: 1, retryLimit: 60 }],
        ...(output !== nothing && { outputs: { output: "$response.body#/output" } }),
      },
    ],
    ...(output !== nothing && { outputs: { output: "$steps.follow.outputs.output" } }),
  };
}

type Signal = AnyCommand["signals"][string];
/** The signals that can be sent from outside. */
const opened = ({ signals }: AnyCommand): readonly string[] =>
  Object.entries(signals).flatMap(([name, { access }]) => (access === undefined ? [] : [name]));

/** Inside a workflow's inputs a reference from the root would lead elsewhere; the document of the API has the whole. */
function withoutDefinitions(schema: JsonSchema): JsonSchema {
  return JSON.stringify(schema).includes('"$ref"') ? { type: "object" } : schema;
}
