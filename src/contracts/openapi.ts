import { type AnyContract, operationsOf } from "./contract.ts";
import { operationSchemas } from "./openapi-components.ts";
import { type Described, toPathItem } from "./openapi-operation.ts";
import { problemSchema } from "./openapi-problems.ts";
import { runDeskComponents, runDeskPaths } from "./openapi-run-desk.ts";
import { runComponents, runPaths } from "./openapi-runs.ts";
import { schedulePaths } from "./openapi-schedules.ts";
import type { AnyCommand, Named, Operation } from "./operation.ts";
import type { Route } from "./route.ts";

export interface OpenApiOptions {
  readonly title: string;
  readonly version: string;
  readonly contracts: readonly AnyContract[];
  /** The address under which the paths are reached. Where the document itself is, without it. */
  readonly server?: string;
  /** The ids of the commands that may be answered with 202 and a run, beside those with signals. */
  readonly longRunning?: readonly string[];
  /** Whether runs can be searched and steered under `/runs`. */
  readonly operators?: boolean;
  /** Whether there are schedules under `/runs/schedules`. */
  readonly schedules?: boolean;
}

/**
 * The OpenAPI 3.1 document of contracts: every operation that has a route. Schemas show what travels, so they are the
 * written side of each schema.
 */
export function toOpenApi({
  title,
  version,
  contracts,
  server = "/",
  longRunning = [],
  operators = false,
  schedules = false,
}: OpenApiOptions): object {
  const described = contracts.flatMap((contract) =>
    operationsOf(contract)
      .filter((operation): operation is Operation & Named & { readonly route: Route } => operation.route !== undefined)
      .map(
        (operation): Described => ({
          operation,
          tag: contract["~contract"].name,
          isLongRunning: operation.kind === "command" && (hasSignals(operation) || longRunning.includes(operation.id)),
        }),
      ),
  );
  const commands = contracts.flatMap(operationsOf).filter(({ kind }) => kind === "command") as (AnyCommand & Named)[];
  const runs = operators || schedules || described.some(({ isLongRunning }) => isLongRunning);
  const tags = contracts.filter((contract) => described.some(({ tag }) => tag === contract["~contract"].name));
  return {
    openapi: "3.1.0",
    info: {
      title,
      version,
      description: about,
    },
    servers: [{ url: server }],
    tags: [
      ...tags.map((contract) => {
        const { name, version, summary } = contract["~contract"];
        return { name, description: `${summary ? `${summary} ` : ""}Contract ${name} ${version}.` };
      }),
      ...(runs
        ? [
            {
              name: "runs",
              description: "Commands that take their time: how it stands with them, and signals to them.",
            },
          ]
        : []),
    ],
    paths: {
      ...pathsOf(described),
      ...(runs ? runPaths(commands) : {}),
      ...(operators && runDeskPaths()),
      ...(schedules && schedulePaths()),
    },
    components: {
      schemas: {
        Problem: problemSchema,
        ...Object.assign({}, ...described.map(({ operation }) => operationSchemas(operation))),
        ...(runs ? runComponents(commands) : {}),
        ...(operators && runDeskComponents()),
      },
      securitySchemes: securitySchemes(scopesOf(described, commands)),
    },
  };
}

const about =
  "Every failure is a problem document (RFC 9457) whose `type` and `code` are stable. Unknown fields are refused. " +
  "A command that carries an `Idempotency-Key` takes effect once, however often it is sent.";

/** Operations that share a path share an item. */
function pathsOf(described: readonly Described[]): { readonly [path: string]: object } {
  const paths: Record<string, object> = {};
  for (const one of described) {
    const { path } = one.operation.route;
    paths[path] = { ...paths[path], ...toPathItem(one) };
  }
  return paths;
}

function securitySchemes(scopes: readonly string[]): object {
  const listed = scopes.length > 0 ? ` Scopes: ${scopes.map((scope) => `\`${scope}\``).join(", ")}.` : "";
  return {
    bearer: {
      type: "http",
      scheme: "bearer",
      description: `An API key (\`tri_…\`), or a JWT of the configured issuer with a \`scope\` or \`scp\` claim.${listed}`,
    },
    apiKey: { type: "apiKey", in: "header", name: "X-API-Key", description: `An API key (\`tri_…\`).${listed}` },
  };
}

function scopesOf(described: readonly Described[], commands: readonly AnyCommand[]): readonly string[] {
  const asked = [
    ...described.map(({ operation }) => operation.access),
    ...commands.flatMap(({ signals }) => Object.values(signals).map(({ access }) => access)),
  ];
  return [...new Set(asked.filter((access) => access !== undefined && access !== "public"))].sort() as string[];
}

const hasSignals = (operation: AnyCommand): boolean => Object.keys(operation.signals).length > 0;
