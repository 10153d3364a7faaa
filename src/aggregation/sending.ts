import type { Fetch, HttpPlan } from "./fetch.ts";
import { toHeaders } from "./headers.ts";
import { type Params, paramsIn } from "./url-template.ts";

/** What a request over HTTP has beside its address, as plain data. */
export interface SendPlan {
  readonly method: "GET" | "POST";
  /** Lower-case names; values with parameters in braces. */
  readonly headers: { readonly [name: string]: string };
  /** JSON, in which a text like `"{iata}"` stands for the parameter. */
  readonly body?: unknown;
  /** Whether it may be sent again, after a failure or beside itself. */
  readonly idempotent: boolean;
}

/** Whole texts in braces, anywhere in a body; what else is in braces, as in a GraphQL document, is text. */
type BodyParams<B> = B extends string
  ? B extends `{${infer Name}}`
    ? Name extends `${string}${" " | "\n" | "{" | "}" | "," | ":"}${string}`
      ? never
      : Name
    : never
  : B extends readonly (infer Item)[]
    ? BodyParams<Item>
    : B extends object
      ? { [K in keyof B]: BodyParams<B[K]> }[keyof B]
      : never;

type AnySent = Fetch<any, any>; // its types are said by the signature below

/**
 * The same answer, asked for with more than an address: with a JSON `body` (by POST, unless said otherwise), or with
 * `headers` that carry parameters. What is not given is left out: a header, a field of the body, an item of a list in it.
 * Of a batch, the parameter in a body is the list of its keys.
 *
 * A POST may change something, and nobody but its service knows whether. Only where `idempotent` says that asking twice is
 * like asking once is it repeated and hedged.
 *
 * @example
 * get: sending(json("https://cities.test/graphql", z.object({ data: z.object({ city: City.nullable() }) })), {
 *   body: { query: "query ($id: ID!) { city(id: $id) { name } }", variables: { id: "{city}" } },
 *   idempotent: true,
 * })
 */
export function sending<
  P extends string,
  Answer,
  const B = never,
  const H extends { readonly [name: string]: string } = {},
>(
  fetch: Fetch<P, Answer>,
  how: {
    readonly method?: "GET" | "POST";
    readonly body?: B;
    readonly headers?: H;
    readonly idempotent?: boolean;
  },
): Fetch<P | BodyParams<B> | Params<H[keyof H]>, Answer>;
export function sending(
  fetch: Fetch<string, unknown>,
  {
    body,
    headers = {},
    method = body === undefined ? "GET" : "POST",
    idempotent = method === "GET",
  }: Partial<SendPlan>,
): AnySent {
  const { plan } = fetch;
  if (plan.via !== "http")
    throw new TypeError(
      "Only what is asked over HTTP has a method, a body and headers; an adapter of one's own sends its own.",
    );
  if (method === "GET" && body !== undefined)
    throw new TypeError(
      `What is asked of "${plan.url.text}" has a body, and a GET has none. Leave out the method, or the body.`,
    );
  const send: SendPlan = {
    method,
    headers: toHeaders(`What is asked of "${plan.url.text}"`, headers),
    ...(body !== undefined && { body: frozen(body) }),
    idempotent,
  };
  const params = [...plan.params, ...namesIn(body), ...Object.values(headers).flatMap(paramsIn)];
  const sent: HttpPlan = { ...plan, send, params: Object.freeze([...new Set(params)]) };
  return Object.freeze({ kind: "fetch", plan: Object.freeze(sent) });
}

/** The parameter that a text in a body stands for, where it does. */
export const namedBy = (text: string): string | undefined => /^\{([^{}\s,:]+)\}$/.exec(text)?.[1];

function namesIn(body: unknown): readonly string[] {
  if (typeof body === "string") return [namedBy(body)].filter((name) => name !== undefined);
  return typeof body === "object" && body !== null ? Object.values(body).flatMap(namesIn) : [];
}

/** A copy, which nobody changes any more. What JSON cannot say is refused with the sentence of whoever writes JSON. */
const frozen = (body: unknown): unknown => deep(JSON.parse(JSON.stringify(body)));
function deep(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  for (const inside of Object.values(value)) deep(inside);
  return Object.freeze(value);
}
