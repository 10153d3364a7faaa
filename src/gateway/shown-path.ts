import { type JsonSchema, type Operation, type Route, toJsonSchema } from "../contracts/index.ts";

/** The address of a request as it may be seen in a trace: personal parameters, and whose data it is, stay out. */
export function createShownPath(
  operation: Operation,
  route: Route,
): (params: { readonly [name: string]: string }) => string {
  const { properties = {} } = toJsonSchema(operation.input) as {
    readonly properties?: { readonly [name: string]: JsonSchema };
  };
  const hidden = new Set(
    route.params.filter(
      (name) => properties[name]?.["x-personal"] === true || properties[name]?.["x-subject"] === true,
    ),
  );
  // Text and names in turn, once for all requests.
  const parts = route.path.split(/\{([^{}]+)\}/);
  return (params) => {
    let path = "";
    for (const [at, part] of parts.entries()) {
      if (at % 2 === 0) path += part;
      else path += hidden.has(part) ? `{${part}}` : encodeURIComponent(params[part] ?? `{${part}}`);
    }
    return path;
  };
}
