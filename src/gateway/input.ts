import {
  Fault,
  hasBody,
  type Issue,
  type Named,
  type Operation,
  type Projection,
  type Route,
  type Selection,
  toJsonSchema,
  toProjection,
  toSelection,
} from "../contracts/index.ts";
import { toCoercion } from "./coerce.ts";
import { fieldsOf, requiredOf } from "./schema-fields.ts";

/** Where the parts of an operation's input are in a request. */
export interface Arrived {
  readonly params: { readonly [name: string]: string };
  /** Each name with all its values, in their order. */
  readonly query: ReadonlyMap<string, readonly string[]>;
  /** Undefined where there was none. */
  readonly body: unknown;
}
/** One operation's input out of a request, not validated yet, but without a field that the operation does not declare. */
export type Gather = (arrived: Arrived) => Gathered;
export interface Gathered {
  readonly input: unknown;
  readonly wantsMeta: boolean;
  /** What is wanted of the answer, where somebody said so. */
  readonly fields?: Selection;
}

/** Compiles how one operation's input is gathered. `?meta=true` and `?fields=…` are no input, unless the operation has fields of these names. */
export function createGather(operation: Operation & Named, route: Route): Gather {
  const schema = toJsonSchema(operation.input);
  const fields = fieldsOf(schema);
  const coercions = new Map([...fields].map(([name, schemas]) => [name, toCoercion(schemas)]));
  const coerce = (name: string, values: readonly string[]): unknown => (coercions.get(name) ?? asText)(values);
  const project = toProjection(schema);
  const flagged = operation.kind === "query" && !fields.has("meta");
  const chosen = operation.kind === "query" && !fields.has("fields");
  const output = toJsonSchema(operation.output);
  const fromBody = hasBody(route.verb);
  const missing = requiredOf(schema).filter((name) => !route.params.includes(name));
  const params = (arrived: Arrived): Record<string, unknown> =>
    Object.fromEntries(route.params.map((name) => [name, coerce(name, [arrived.params[name] ?? ""])]));

  return (arrived) => {
    const { wantsMeta, rest: unflagged } = takeMeta(arrived.query, flagged);
    const { wanted, rest } = takeFields(unflagged, chosen);
    if (!fromBody && rest.size === 0 && !wanted)
      // the usual one: all of it is in the path
      return { input: declared(project, params(arrived), route), wantsMeta };
    const wishes = { wantsMeta, ...(wanted && { fields: toSelection(output, wanted) }) };
    if (!fromBody) {
      const asked = [...rest].map(([name, values]) => [name, coerce(name, values)] as const);
      refuse(asked.filter(([name]) => route.params.includes(name)).map(([name]) => inPath(name)));
      return { input: declared(project, { ...Object.fromEntries(asked), ...params(arrived) }, route), ...wishes };
    }
    refuse(
      [...rest.keys()].map((name) => ({
        path: `/${name}`,
        message: "The fields of this operation travel in the body, not in the query string.",
      })),
    );
    if (arrived.body === undefined && missing.length > 0) {
      throw new Fault("MalformedBody", `There is no body. Send JSON with ${inWords(missing)}.`);
    }
    if (route.params.length === 0) return { input: declared(project, arrived.body ?? {}, route), ...wishes };
    const body = arrived.body ?? {};
    if (typeof body !== "object" || body === null || Array.isArray(body)) {
      throw new Fault("InvalidInput", "The body is not a JSON object.", {
        issues: [{ path: "", message: "Expected an object." }],
      });
    }
    const addressed = params(arrived);
    refuse(
      route.params
        .filter((name) => name in body && (body as Record<string, unknown>)[name] !== addressed[name])
        .map(inPath),
    );
    return { input: declared(project, { ...body, ...addressed }, route), ...wishes };
  };
}

const asText = toCoercion([]);

/** Refuses what a value says beyond its schema. */
export function declared(project: Projection, value: unknown, route?: Route): unknown {
  const undeclared = project(value).findUndeclared();
  if (undeclared.length === 0) return value;
  refuse(
    undeclared.map((path) => ({
      path,
      message: `there is no such field${route ? ` in ${route.verb} ${route.path}` : ""}.`,
    })),
  );
  return value;
}

function refuse(issues: readonly Issue[]): void {
  const [first] = issues;
  if (first)
    throw new Fault("InvalidInput", `The input breaks its contract: ${first.path}: ${first.message}`, { issues });
}

function takeMeta(
  query: Arrived["query"],
  flagged: boolean,
): { readonly wantsMeta: boolean; readonly rest: Arrived["query"] } {
  const said = query.get("meta");
  if (!flagged || !said) return { wantsMeta: false, rest: query };
  const [value] = said;
  if (said.length > 1 || (value !== "true" && value !== "false")) {
    refuse([{ path: "/meta", message: 'it is "true" or "false".' }]);
  }
  return { wantsMeta: value === "true", rest: query.size === 1 ? none : without("meta", query) };
}

/** The paths that are asked for, by commas or one at a time. */
function takeFields(
  query: Arrived["query"],
  chosen: boolean,
): { readonly wanted?: readonly string[]; readonly rest: Arrived["query"] } {
  const said = chosen ? query.get("fields") : undefined;
  if (!said) return { rest: query };
  const wanted = said.flatMap((text) => text.split(",")).map((path) => path.trim());
  return { wanted, rest: without("fields", query) };
}

const none: Arrived["query"] = new Map();
const without = (name: string, query: Arrived["query"]): Arrived["query"] =>
  new Map([...query].filter(([other]) => other !== name));

const inPath = (name: string): Issue => ({ path: `/${name}`, message: "it is said by the address already." });

const inWords = (names: readonly string[]): string =>
  new Intl.ListFormat("en", { type: "conjunction" }).format(names.map((name) => `"${name}"`));
