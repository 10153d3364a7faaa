import {
  type AnyContract,
  type Named,
  type Operation,
  operationsOf,
  plainName,
  type Route,
  toJsonSchema,
} from "../contracts/index.ts";
import { fieldsOf } from "./schema-fields.ts";

export type RoutedOperation = Operation & Named & { readonly route: Route };

/** The operations of contracts that answer over HTTP. */
export const routedOperations = (contracts: readonly AnyContract[]): readonly RoutedOperation[] =>
  contracts.flatMap(operationsOf).filter((operation): operation is RoutedOperation => operation.route !== undefined);

const ours = [
  ...["livez", "readyz", "metrics", "docs", "console", "runs", "graphql"],
  ...["openapi.json", "asyncapi.json", "arazzo.json"],
];

/** Throws a sentence where routes cannot live together, or where one opens an operation without saying for whom. */
export function checkRoutes(contracts: readonly AnyContract[]): void {
  const taken = new Map<string, string>();
  for (const { id, route, access, input } of routedOperations(contracts)) {
    const written = `${route.verb} ${route.path}`;
    if (access === undefined) {
      throw new TypeError(`${id} has the route "${written}" and no access. Say for whom it is: a scope, or "public".`);
    }
    const [, first = ""] = route.path.split("/");
    if (ours.includes(first)) {
      throw new TypeError(
        `${id} has the route "${written}", but /${first} belongs to the gateway. Choose another path.`,
      );
    }
    if (route.path.includes("*")) throw new TypeError(`${id} has the route "${written}"; a path has no "*".`);
    const shape = `${route.verb} ${route.path.replaceAll(/\{[^{}]+\}/g, "{}")}`;
    const other = taken.get(shape);
    if (other && plainName(contractOf(id)) === plainName(contractOf(other)) && contractOf(id) !== contractOf(other))
      throw new TypeError(
        `${id} and ${other} are two versions with the same route, "${written}". Callers of the older one stay where they are, so give the newer one another, like "${route.verb} /v2${route.path}".`,
      );
    if (other) throw new TypeError(`${id} and ${other} have the same route, "${written}". Give one of them another.`);
    taken.set(shape, id);
    const fields = fieldsOf(toJsonSchema(input));
    const unknown = route.params.find((name) => !fields.has(name));
    if (unknown) throw new TypeError(`${id} has the route "${written}", but its input has no field "${unknown}".`);
  }
}

const contractOf = (id: string): string => id.slice(0, id.indexOf("."));

/** A contract's path as Fastify writes it. Parameters are numbered: a field's name may have letters that Fastify reads as syntax. */
export function toFastifyPath({ path, params }: Route): string {
  return path.replaceAll(":", "::").replaceAll(/\{([^{}]+)\}/g, (_, name: string) => `:p${params.indexOf(name)}`);
}

/** The parameters of a request by the names that the contract gives them. */
export function namedParams({ params }: Route, numbered: unknown): { readonly [name: string]: string } {
  const found = numbered as Record<string, string>;
  if (params.length === 1) return { [params[0] as string]: found.p0 ?? "" }; // most have one
  return Object.fromEntries(params.map((name, at) => [name, found[`p${at}`] ?? ""]));
}
