export type Verb = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
type PathParams<P extends string> = P extends `${string}{${infer Name}}${infer Rest}` ? Name | PathParams<Rest> : never;
/** A route whose every `{parameter}` is a field of the input; otherwise the sentence that says which is not. */
export type RouteFor<R extends string, Input> = R extends `${Verb} /${string}`
  ? [PathParams<R>] extends [keyof Input]
    ? R
    : `{${Exclude<PathParams<R>, keyof Input> & string}} is not a field of the input`
  : `${Verb} /${string}`;

/** Where an operation answers over HTTP. */
export interface Route {
  readonly verb: Verb;
  /** With its parameters in braces: `/bookings/{booking}`. */
  readonly path: string;
  readonly params: readonly string[];
}

/** Reads `"GET /bookings/{booking}"`. */
export function toRoute(text: string): Route {
  const [, verb, path] = /^(GET|POST|PUT|PATCH|DELETE) (\/[^\s?#]*)$/.exec(text) ?? [];
  if (!verb || !path) throw new TypeError(`"${text}" is not a route. Write it like "GET /bookings/{booking}".`);
  const params = [...path.matchAll(/\{([^{}]+)\}/g)].map(([, name]) => name as string);
  if (path.replaceAll(/\{[^{}/]+\}/g, "").match(/[{}]/))
    throw new TypeError(`The braces in the route "${text}" do not pair up.`);
  const twice = params.find((name, at) => params.indexOf(name) !== at);
  if (twice) throw new TypeError(`The route "${text}" names {${twice}} twice.`);
  return Object.freeze({ verb: verb as Verb, path, params: Object.freeze(params) });
}

/** Whether a verb carries its input in the body; otherwise it travels in the query string. */
export const hasBody = (verb: Verb): boolean => verb !== "GET" && verb !== "DELETE";
