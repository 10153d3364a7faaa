import type { Named, Operation } from "./operation.ts";
import { hasBody, type Route } from "./route.ts";
import { type AnySchema, type JsonSchema, nothing, toJsonSchema } from "./schema.ts";

export type Components = { readonly [name: string]: JsonSchema };
export const refTo = (component: string): JsonSchema => ({ $ref: `#/components/schemas/${component}` });

/** The name of a component: `trips.book` and `Input` are `TripsBookInput`. */
export function componentName(operation: string, part: string): string {
  const words = `${operation.replace("@", "V")}.${part}`
    .split(/[.-]/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return words.join("");
}

/** The components of an operation: what its body holds and what it answers with. */
export function operationSchemas({
  id,
  input,
  output,
  route,
  failures,
}: Operation & Named & { readonly route: Route }): Components {
  const details = Object.entries(failures).filter(([, { details }]) => details !== undefined);
  return {
    ...(hasBody(route.verb) && toComponents(componentName(id, "Input"), without(toJsonSchema(input), route.params))),
    ...(output !== nothing && toComponents(componentName(id, "Output"), toJsonSchema(output))),
    ...Object.assign(
      {},
      ...details.map(
        ([code, { details }]) => toComponents(componentName(id, `${code}Details`), toJsonSchema(details as AnySchema)), // filtered above
      ),
    ),
  };
}

/** A schema as a component, its own definitions as components beside it, and every reference inside pointing there. */
export function toComponents(name: string, schema: JsonSchema): Components {
  const { $defs = {}, ...own } = schema as JsonSchema & { readonly $defs?: { readonly [name: string]: JsonSchema } };
  const definitions = Object.entries($defs).map(([definition, part]) => [
    definitionName(name, definition),
    rewrite(part, name),
  ]);
  return { [name]: rewrite(own, name) as JsonSchema, ...Object.fromEntries(definitions) };
}

/** The schema of a part that is not a component of its own, a parameter's say: its references are those of the component. */
export const rewrittenFor = (name: string, part: JsonSchema): JsonSchema => rewrite(part, name) as JsonSchema;

const definitionName = (name: string, definition: string): string =>
  `${name}_${definition.replaceAll(/[^\w.-]/g, "_").replace(/^_+/, "")}`;

function rewrite(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return value.map((item) => rewrite(item, name));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([keyword, part]) =>
      keyword === "$ref" && typeof part === "string" ? [keyword, target(part, name)] : [keyword, rewrite(part, name)],
    ),
  );
}

function target(ref: string, name: string): string {
  const [, definition, rest = ""] = /^#\/\$defs\/([^/]+)(.*)$/.exec(ref) ?? [];
  return `#/components/schemas/${definition ? definitionName(name, definition) + rest : name + ref.slice(1)}`;
}

/** What the path says already is not said again in the body. */
function without(schema: JsonSchema, names: readonly string[]): JsonSchema {
  if (names.length === 0 || typeof schema.properties !== "object" || schema.properties === null) return schema;
  const left = Object.entries(schema.properties).filter(([name]) => !names.includes(name));
  const required = Array.isArray(schema.required) ? schema.required.filter((name) => !names.includes(name)) : [];
  const { required: _all, ...others } = schema;
  return { ...others, properties: Object.fromEntries(left), ...(required.length > 0 && { required }) };
}
