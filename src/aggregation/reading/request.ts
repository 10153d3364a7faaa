import type { HttpPlan } from "../fetch.ts";
import { isHeaderText } from "../headers.ts";
import { namedBy } from "../sending.ts";
import { fill, fillIn, inTurn, type Keys, toText } from "../url-template.ts";

type Input = { readonly [name: string]: unknown };
/** One request, with its parameters in their places, or a sentence's end that says why there is none. */
export type Filled =
  | {
      readonly url: URL;
      readonly method: "GET" | "POST";
      /** Where it has any of its own. */
      readonly headers?: { readonly [name: string]: string };
      readonly body?: string;
    }
  | { readonly problem: string };

/** Fills in what a source is asked with. `keys` stand in for the only parameter of a batch. */
export function toRequest(plan: HttpPlan, input: Input, origin?: string, keys?: Keys): Filled {
  const lacking = lackingIn(plan, input, keys);
  if (lacking !== undefined) return { problem: `needs "${lacking}", which was not given` };
  const filled = fillIn(plan.url, input, origin, keys);
  if ("problem" in filled) return filled;
  const { send } = plan;
  if (!send) return { url: filled.url, method: "GET" };
  const headers: { [name: string]: string } = {};
  for (const [name, template] of Object.entries(send.headers)) {
    const text = fill(inTurn(template), (param) => keys?.values.join(",") ?? toText(input[param]));
    if (text === undefined) continue;
    if (!isHeaderText(text))
      return { problem: `cannot be asked: what was given does not fit into the header "${name}"` };
    headers[name] = text;
  }
  if (send.body === undefined) return { url: filled.url, method: send.method, headers };
  const body = fillBody(send.body, (param) => (keys ? keys.values : input[param]));
  return {
    url: filled.url,
    method: send.method,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body, (_, value) => (typeof value === "bigint" ? String(value) : value)),
  };
}

/**
 * The parameter without which nothing can be asked: one that is part of the path, or, where none at all is given, the
 * first. What else is not given is left out.
 */
export function lackingIn({ url, params }: HttpPlan, input: Input, keys?: Keys): string | undefined {
  if (keys) return keys.values.some((key) => key !== "") ? undefined : params[0];
  const isGiven = (name: string): boolean => (toText(input[name]) ?? "") !== "";
  return url.pathParams.find((name) => !isGiven(name)) ?? (params.some(isGiven) ? undefined : params[0]);
}

function fillBody(template: unknown, given: (param: string) => unknown): unknown {
  if (typeof template === "string") {
    const name = namedBy(template);
    return name === undefined ? template : (given(name) ?? undefined);
  }
  if (Array.isArray(template))
    return template.map((item) => fillBody(item, given)).filter((item) => item !== undefined);
  if (typeof template !== "object" || template === null) return template;
  return Object.fromEntries(Object.entries(template).map(([name, inside]) => [name, fillBody(inside, given)]));
}
