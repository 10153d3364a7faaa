/** The names in braces of an address: `"https://a.test/{iata}"` gives `"iata"`. */
export type Params<U extends string> = U extends `${string}{${infer Name}}${infer Rest}` ? Name | Params<Rest> : never;

/** An address whose path and query have parameters in braces. Its host has none: input never chooses who is asked. */
export interface UrlTemplate {
  readonly text: string;
  readonly origin: string;
  readonly path: string;
  readonly query: string;
  readonly params: readonly string[];
  /** Those of them without which there is no address; the others are left out where they are not given. */
  readonly pathParams: readonly string[];
  /** The path, and the query pair by pair, each as text and names of parameters in turn. */
  readonly parts: { readonly path: Parts; readonly query: readonly Parts[] };
}

/** Text, the name of a parameter, text, and so on. */
export type Parts = readonly string[];

/** Reads an address once, when its source is declared. Throws a sentence for what cannot be one. */
export function toUrlTemplate(text: string): UrlTemplate {
  const [, origin, path = "", query = ""] = /^(https?:\/\/[^/?#]+)(\/[^?#]*)?(\?[^#]*)?$/i.exec(text) ?? [];
  if (!origin || !URL.canParse(origin))
    throw new TypeError(`"${text}" is not an address. Write it like "https://airports.test/{iata}".`);
  if (/[{}@]/.test(origin)) {
    throw new TypeError(
      `The host of "${text}" must be plain: no parameter (an input must not choose who is asked) and no credentials (they come from the settings).`,
    );
  }
  const params = paramsIn(path + query);
  if (/[{}]/.test((path + query).replaceAll(/\{[^{}]+\}/g, "")))
    throw new TypeError(`The braces in "${text}" do not pair up.`);
  const pairs = query === "" ? [] : query.slice(1).split("&");
  return Object.freeze({
    ...{ text, origin, path, query },
    params: Object.freeze([...new Set(params)]),
    pathParams: Object.freeze([...new Set(paramsIn(path))]),
    parts: Object.freeze({ path: inTurn(path), query: Object.freeze(pairs.map(inTurn)) }),
  });
}

/** The names in braces, in their order. */
export const paramsIn = (text: string): readonly string[] => inTurn(text).filter((_, at) => at % 2 === 1);

export const inTurn = (text: string): Parts => Object.freeze(text.split(/\{([^{}]+)\}/));

export type Filled = { readonly url: URL } | { readonly problem: string };
/** Several values for a template's only parameter: `?iata=DAL,HOU` or `?iata=DAL&iata=HOU`. */
export interface Keys {
  readonly values: readonly string[];
  readonly as: "list" | "repeated";
}

/**
 * Fills in the parameters, encoded. A pair of the query whose parameter is not given is left out. `origin` stands in for
 * scheme, host and port, and may carry a path prefix; `keys` stand in for the only parameter.
 */
export function fillIn(
  template: UrlTemplate,
  input: { readonly [name: string]: unknown },
  origin?: string,
  keys?: Keys,
): Filled {
  const all = keys?.values.map(encode).join(",");
  const textOf = (name: string): string => all ?? encode(toText(input[name]) ?? "");
  const path = fill(template.parts.path, textOf);
  if (path === undefined)
    return { problem: `needs "${template.pathParams.find((name) => !textOf(name))}", which was not given` };
  // A URL parser resolves "..", encoded or not, and a parameter would climb out of the path that was meant.
  if (climbs(path) && !climbs(template.path)) return { problem: "cannot be asked for a name made of dots" };
  const pairs = template.parts.query.map((pair) => fill(pair, textOf)).filter((pair) => pair !== undefined);
  const plain = pairs.length === 0 ? "" : `?${pairs.join("&")}`;
  const query = keys?.as === "repeated" ? repeated(template.query, keys.values) : plain;
  return { url: new URL(`${(origin ?? template.origin).replace(/\/+$/, "")}${path}${query}`) };
}

/** A text with its parameters in their places; nothing where one of them is not given. */
export function fill(parts: Parts, textOf: (param: string) => string | undefined): string | undefined {
  let whole = parts[0] ?? "";
  for (let at = 1; at < parts.length; at += 2) {
    const text = textOf(parts[at] ?? "");
    if (!text) return undefined;
    whole += text + parts[at + 1];
  }
  return whole;
}

const climbs = (path: string): boolean => /(^|\/)(\.|%2e){1,2}(\/|$)/i.test(path);

/** `?a=1&iata={iata}` with two values is `?a=1&iata=DAL&iata=HOU`. */
const repeated = (query: string, values: readonly string[]): string =>
  `?${query
    .slice(1)
    .split("&")
    .flatMap((pair) =>
      /\{[^{}]+\}/.test(pair) ? values.map((value) => pair.replaceAll(/\{[^{}]+\}/g, () => encode(value))) : [pair],
    )
    .join("&")}`;

// A lone surrogate cannot be encoded and would throw in the middle of a request.
const encode = (text: string): string => (/^[\w.-]*$/.test(text) ? text : encodeURIComponent(text.toWellFormed()));

/** A value as it travels in an address; nothing where there is none. */
export function toText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (value instanceof Date) return value.toISOString();
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
