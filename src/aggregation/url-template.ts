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
  /** The path, and each pair of the query, as text and names of parameters in turn. */
  readonly parts: { readonly path: readonly string[]; readonly pairs: readonly (readonly string[])[] };
}

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
  return Object.freeze({
    ...{ text, origin, path, query },
    params: Object.freeze([...new Set(params)]),
    pathParams: Object.freeze([...new Set(paramsIn(path))]),
    parts: Object.freeze({ path: inTurn(path), pairs: Object.freeze(query.slice(1).split("&").map(inTurn)) }),
  });
}

const inTurn = (part: string): readonly string[] => Object.freeze(part.split(/\{([^{}]+)\}/));

/** The names in braces, in their order. */
export const paramsIn = (text: string): readonly string[] =>
  [...text.matchAll(/\{([^{}]+)\}/g)].map(([, name]) => name as string);

export type Filled = { readonly url: URL } | { readonly problem: string };
/** Several values for a template's only parameter: `?iata=DAL,HOU` or `?iata=DAL&iata=HOU`. */
export interface Keys {
  readonly values: readonly string[];
  readonly as: "list" | "repeated";
}

/**
 * Fills in the parameters, encoded. A part of the query whose parameter is not given is left out. `origin` stands in for
 * scheme, host and port, and may carry a path prefix; `keys`
 * stand in for the only parameter.
 */
export function fillIn(
  template: UrlTemplate,
  input: { readonly [name: string]: unknown },
  origin?: string,
  keys?: Keys,
): Filled {
  const texts = new Map<string, string>();
  for (const name of template.params)
    texts.set(name, keys ? keys.values.map(encode).join(",") : encode(toText(input[name]) ?? ""));
  const textOf = (name: string): string | undefined => texts.get(name);
  for (const name of template.pathParams) if (!textOf(name)) return { problem: `needs "${name}", which was not given` };
  const path = filled(template.parts.path, textOf) ?? "";
  // A URL parser resolves "..", encoded or not, and a parameter would climb out of the path that was meant.
  const climbs = (text: string): boolean => text.split("/").some((part) => /^(\.|%2e){1,2}$/i.test(part));
  if (climbs(path) && !climbs(template.path)) return { problem: "cannot be asked for a name made of dots" };
  const query = keys?.as === "repeated" ? repeated(template.query, keys.values) : optional(template, textOf);
  return { url: new URL(`${(origin ?? template.origin).replace(/\/+$/, "")}${path}${query}`) };
}

/** A text with its parameters in their places; nothing where one of them is not given. */
export function fillText(template: string, textOf: (param: string) => string | undefined): string | undefined {
  return filled(inTurn(template), textOf);
}

function filled(parts: readonly string[], textOf: (param: string) => string | undefined): string | undefined {
  let text = "";
  for (const [at, part] of parts.entries()) {
    const piece = at % 2 === 0 ? part : textOf(part);
    if (piece === undefined || (piece === "" && at % 2 === 1)) return undefined;
    text += piece;
  }
  return text;
}

/** `?iata={iata}&lang={lang}` without `lang` is `?iata=DAL`. */
function optional({ query, parts }: UrlTemplate, textOf: (param: string) => string | undefined): string {
  if (!query.includes("{")) return query;
  const given = parts.pairs.map((pair) => filled(pair, textOf)).filter((pair) => pair !== undefined);
  return given.length === 0 ? "" : `?${given.join("&")}`;
}

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
const encode = (text: string): string => encodeURIComponent(text.toWellFormed());

/** A value as it travels in an address; nothing where there is none. */
export function toText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (value instanceof Date) return value.toISOString();
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
