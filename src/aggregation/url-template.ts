/** The names in braces of an address: `"https://a.test/{iata}"` gives `"iata"`. */
export type Params<U extends string> = U extends `${string}{${infer Name}}${infer Rest}` ? Name | Params<Rest> : never;

/** An address whose path and query have parameters in braces. Its host has none: input never chooses who is asked. */
export interface UrlTemplate {
  readonly text: string;
  readonly origin: string;
  readonly path: string;
  readonly query: string;
  readonly params: readonly string[];
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
  const params = [...(path + query).matchAll(/\{([^{}]+)\}/g)].map(([, name]) => name as string);
  if (/[{}]/.test((path + query).replaceAll(/\{[^{}]+\}/g, "")))
    throw new TypeError(`The braces in "${text}" do not pair up.`);
  return Object.freeze({ text, origin, path, query, params: Object.freeze([...new Set(params)]) });
}

export type Filled = { readonly url: URL } | { readonly problem: string };
/** Several values for a template's only parameter: `?iata=DAL,HOU` or `?iata=DAL&iata=HOU`. */
export interface Keys {
  readonly values: readonly string[];
  readonly as: "list" | "repeated";
}

/**
 * Fills in the parameters, encoded. `origin` stands in for scheme, host and port, and may carry a path prefix; `keys`
 * stand in for the only parameter.
 */
export function fillIn(
  template: UrlTemplate,
  input: { readonly [name: string]: unknown },
  origin?: string,
  keys?: Keys,
): Filled {
  const texts = new Map<string, string>();
  for (const name of template.params) {
    const text = keys ? keys.values.map(encode).join(",") : encode(toText(input[name]) ?? "");
    if (text === "") return { problem: `needs "${name}", which was not given` };
    texts.set(name, text);
  }
  const fill = (part: string): string =>
    part.includes("{") ? part.replaceAll(/\{([^{}]+)\}/g, (_, name: string) => texts.get(name) ?? "") : part;
  const path = fill(template.path);
  // A URL parser resolves "..", encoded or not, and a parameter would climb out of the path that was meant.
  const climbs = (text: string): boolean => text.split("/").some((part) => /^(\.|%2e){1,2}$/i.test(part));
  if (climbs(path) && !climbs(template.path)) return { problem: "cannot be asked for a name made of dots" };
  const query = keys?.as === "repeated" ? repeated(template.query, keys.values) : fill(template.query);
  return { url: new URL(`${(origin ?? template.origin).replace(/\/+$/, "")}${path}${query}`) };
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

function toText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (value instanceof Date) return value.toISOString();
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
