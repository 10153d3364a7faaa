import { Fault, hasBody, type Named, type Operation, type Verb } from "../../contracts/index.ts";

/** Where one call goes. `route` is the path as declared, for names that must not grow with the data. */
export interface Target {
  readonly method: Verb;
  readonly url: URL;
  readonly route: string;
  readonly body?: string;
}

/** Path parameters come from the input; the rest travels in the body or, where the verb has none, in the query. */
export function toTarget(operation: Operation & Named, wire: unknown, base: string): Target {
  const {
    verb: method,
    path,
    params,
  } = operation.route ?? {
    verb: "POST" as const,
    path: `/${operation.id.slice(operation.id.indexOf(".") + 1)}`,
    params: [],
  };
  const fields = typeof wire === "object" && wire !== null && !Array.isArray(wire) ? { ...wire } : undefined;
  const given = (fields ?? {}) as { readonly [name: string]: unknown };
  const filled = path.replaceAll(/\{([^{}]+)\}/g, (_, name: string) => segment(operation, name, given[name]));
  const url = new URL(`${base.replace(/\/+$/, "")}${filled}`);
  const rest = Object.entries(given).filter(([name]) => !params.includes(name));
  if (hasBody(method)) {
    const body = fields ? Object.fromEntries(rest) : wire;
    return { method, url, route: path, ...(body !== undefined && { body: JSON.stringify(body) }) };
  }
  for (const [name, value] of rest) {
    for (const item of Array.isArray(value) ? value : [value])
      if (item !== null && item !== undefined)
        url.searchParams.append(name, typeof item === "object" ? JSON.stringify(item) : String(item));
  }
  return { method, url, route: path };
}

function segment(operation: Named, name: string, value: unknown): string {
  const text = String(value ?? "").toWellFormed();
  // A URL parser resolves "..", encoded or not, and the call would go to another operation.
  if (text === "" || text === "." || text === "..")
    throw new Fault(
      "InvalidInput",
      `${operation.id} cannot be called with "${text}" for "${name}": it is part of a path.`,
    );
  return encodeURIComponent(text);
}
