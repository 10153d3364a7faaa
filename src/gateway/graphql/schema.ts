import {
  GraphQLBoolean,
  GraphQLError,
  type GraphQLFieldConfig,
  GraphQLID,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  getNamedType,
  isObjectType,
} from "graphql";
import { type AnyContract, nothing, type Selection, toJsonSchema, toProblem } from "../../contracts/index.ts";
import { type RoutedOperation, routedOperations } from "../route-check.ts";
import type { Context } from "./context.ts";
import { noteDegraded } from "./degraded.ts";
import { type Arguments, toArguments } from "./input-types.ts";
import { toFieldName, toNames, toTypeName } from "./names.ts";
import { type OutputType, toOutputType } from "./output-types.ts";
import { createScalars, type Scalars } from "./scalars.ts";
import { toWanted } from "./wanted.ts";

/** How an operation is called on behalf of one request. Resolves with what travels, or throws what went wrong. */
export type CallOperation = (
  operation: RoutedOperation,
  input: unknown,
  context: Context,
  wishes: { readonly fields?: Selection; readonly key?: string },
) => Promise<{ readonly wire?: unknown; readonly meta?: unknown; readonly run?: string; readonly accepted?: boolean }>;

export interface SchemaParts {
  readonly contracts: readonly AnyContract[];
  readonly longRunning: readonly string[];
  readonly call: CallOperation;
}
type Field = GraphQLFieldConfig<unknown, Context>;

/**
 * The GraphQL schema of contracts: each query with a route is a field of `Query`, each command with one a field of
 * `Mutation`, with the same access. A field is null where its query fails, and its siblings are answered.
 */
export function toSchema({ contracts, longRunning, call }: SchemaParts): GraphQLSchema {
  const scalars = createScalars();
  const operations = routedOperations(contracts).filter(({ access }) => access !== undefined);
  const names = toNames(operations.map(({ id }) => toFieldName(id)));
  const fieldsOf = (kind: RoutedOperation["kind"]): { [name: string]: Field } =>
    Object.fromEntries(
      operations
        .filter((operation) => operation.kind === kind)
        .map((operation) => {
          const isLong = operation.kind === "command" && (longRunning.includes(operation.id) || hasSignals(operation));
          const field = isLong ? toLongField(operation, scalars, call) : toField(operation, scalars, call);
          return [names.get(toFieldName(operation.id)) ?? operation.id, field];
        }),
    );
  const [queries, mutations] = [fieldsOf("query"), fieldsOf("command")];
  // GraphQL wants at least one query.
  const none: Field = { type: GraphQLBoolean, description: "No contract has a query with a route." };
  const query = new GraphQLObjectType({ name: "Query", fields: Object.keys(queries).length > 0 ? queries : { none } });
  const mutation = Object.keys(mutations).length > 0 && new GraphQLObjectType({ name: "Mutation", fields: mutations });
  return new GraphQLSchema({ query, ...(mutation && { mutation }) });
}

function toField(operation: RoutedOperation, scalars: Scalars, call: CallOperation): Field {
  const type = resultTypeOf(operation, scalars);
  const given = argumentsOf(operation, scalars);
  return {
    type,
    ...aboutOf(operation),
    args: given.args,
    async resolve(_root, args, context, info) {
      const named = getNamedType(type);
      const fields = operation.kind === "query" && isObjectType(named) ? toWanted(info) : {};
      const answer = await called(() =>
        call(operation, given.toInput(args), context, { fields, ...given.keyOf(args) }),
      );
      noteDegraded(context, answer.wire, answer.meta);
      return operation.output === nothing ? true : answer.wire;
    },
  };
}

/** A command that may take longer than its caller waits: with a run to follow, and the result if it is there already. */
function toLongField(operation: RoutedOperation, scalars: Scalars, call: CallOperation): Field {
  const given = argumentsOf(operation, scalars);
  const type = new GraphQLObjectType({
    name: `${toTypeName(operation.id)}Outcome`,
    description: "A command that takes its time. Without a result it is still under way: the run will have it.",
    fields: {
      run: { type: GraphQLID, description: "`GET /runs/{run}` says how it stands." },
      result: { type: resultTypeOf(operation, scalars) },
    },
  });
  return {
    type,
    ...aboutOf(operation),
    args: given.args,
    async resolve(_root, args, context) {
      const answer = await called(() => call(operation, given.toInput(args), context, given.keyOf(args)));
      const result = answer.accepted ? null : operation.output === nothing ? true : answer.wire;
      return { run: answer.run ?? null, result };
    },
  };
}

const resultTypeOf = ({ id, output }: RoutedOperation, scalars: Scalars): OutputType =>
  output === nothing ? GraphQLBoolean : toOutputType(toJsonSchema(output), toTypeName(id), scalars);

const aboutOf = ({ summary, access, route }: RoutedOperation): { readonly description: string } => ({
  description: [
    summary,
    `\`${route.verb} ${route.path}\`.`,
    access === "public" ? "" : `Needs the scope \`${access}\`.`,
  ]
    .filter(Boolean)
    .join(" "),
});

const keyArgument = "idempotencyKey";
type KeyedArguments = Arguments & { keyOf(args: { readonly [name: string]: unknown }): { readonly key?: string } };

/** A command has its key as an argument, unless its input has a field of that name; the header does for both. */
function argumentsOf({ id, kind, input }: RoutedOperation, scalars: Scalars): KeyedArguments {
  const given = toArguments(toJsonSchema(input), toTypeName(id), scalars);
  if (kind === "query" || keyArgument in given.args) return { ...given, keyOf: () => ({}) };
  const description = "One key, one effect: a command that is sent again with its key gets its first result.";
  return {
    ...given,
    args: { ...given.args, [keyArgument]: { type: GraphQLString, description } },
    keyOf: (args) => (typeof args[keyArgument] === "string" ? { key: args[keyArgument] } : {}),
  };
}

async function called<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const { title, detail, ...problem } = toProblem(thrown);
    throw new GraphQLError(detail ?? title, {
      extensions: { ...problem, title },
      ...(thrown instanceof Error && { originalError: thrown }),
    });
  }
}

const hasSignals = (operation: RoutedOperation): boolean =>
  operation.kind === "command" && Object.keys(operation.signals).length > 0;
