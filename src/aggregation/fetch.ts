import { type AnyQuery, type AnySchema, type In, type Named, type Out, toJsonSchema } from "../contracts/index.ts";
import type { CustomPlan } from "./custom.ts";
import type { PagingPlan } from "./paged.ts";
import type { SendPlan } from "./sending.ts";
import { type Params, toUrlTemplate, type UrlTemplate } from "./url-template.ts";

/** Where to ask and what must come back. Parameters in braces are filled in, encoded, from the view's input. */
export interface Fetch<P extends string, Answer> {
  readonly kind: "fetch";
  readonly plan: FetchPlan;
  readonly given?: P;
  readonly answer?: Answer;
}

/** The same as plain data, for the code that runs it. */
export type FetchPlan = HttpPlan | CallPlan | CustomPlan;
export interface HttpPlan {
  readonly via: "http";
  readonly format: "json" | "ndjson" | "csv" | "xml";
  readonly url: UrlTemplate;
  /** Of the whole answer for JSON, of one record for the other formats. */
  readonly schema: AnySchema;
  /** For XML: the names that lead to the records, from the root. */
  readonly rows?: readonly string[];
  readonly paging?: PagingPlan;
  /** Where it is more than a GET without parameters in its headers. */
  readonly send?: SendPlan;
  readonly params: readonly string[];
}
export interface CallPlan {
  readonly via: "call";
  readonly operation: string;
  /** Of what it answers. */
  readonly schema: AnySchema;
  readonly params: readonly string[];
}

/** One JSON document (RFC 8259). */
export function json<const U extends string, S extends AnySchema>(url: U, answer: S): Fetch<Params<U>, Out<S>> {
  return over("json", url, answer);
}

/** One JSON document a line. */
export function ndjson<const U extends string, S extends AnySchema>(
  url: U,
  record: S,
): Fetch<Params<U>, readonly Out<S>[]> {
  return over("ndjson", url, record);
}

/** RFC 4180 with a header line. Columns are text: a schema that wants anything else must coerce. */
export function csv<const U extends string, S extends AnySchema>(
  url: U,
  row: S & TextColumns<In<S>>,
): Fetch<Params<U>, readonly Out<S>[]> {
  return over("csv", url, row);
}

/**
 * The elements at a path from the root, as in `"airports.airport"` or `"airports/airport"`. Text stays text, an
 * attribute is a field with `@` before its name. A document type declaration is refused, and with it every entity that expands or points outside.
 */
export function xml<const U extends string, S extends AnySchema>(
  url: U,
  rows: string,
  row: S,
): Fetch<Params<U>, readonly Out<S>[]> {
  // A name may hold a dot, so with a slash only slashes separate.
  const path = rows.split(rows.includes("/") ? "/" : ".");
  if (path.length < 2 || path.some((name) => name === "")) {
    throw new TypeError(`"${rows}" does not lead from the root to the records. Write it like "airports.airport".`);
  }
  return over("xml", url, row, Object.freeze(path));
}

/** Another contract's query, asked with those fields of the view's input that its own input declares. */
export function call<Op extends AnyQuery>(operation: Op): Fetch<keyof In<Op["input"]> & string, Out<Op["output"]>> {
  const { id } = operation as Op & Partial<Named>;
  if (!id) throw new TypeError("call() wants a query that belongs to a contract, like call(Fares.quote).");
  const params = Object.freeze(Object.keys((toJsonSchema(operation.input).properties as object | undefined) ?? {}));
  return Object.freeze({
    kind: "fetch",
    plan: Object.freeze({ via: "call", operation: id, schema: operation.output, params }),
  });
}

/** Accepts a row whose every column may be text; otherwise a sentence that names those that may not. */
export type TextColumns<Row> = { [K in keyof Row]: string } extends Row
  ? unknown
  : {
      "a CSV column is text, use a coercing schema for": {
        [K in keyof Row]: string extends Row[K] ? never : K;
      }[keyof Row];
    };

type AnyFetch = Fetch<any, any>; // the plan knows nothing of types: what is given and comes back say the signatures above
function over(format: HttpPlan["format"], text: string, schema: AnySchema, rows?: readonly string[]): AnyFetch {
  const url = toUrlTemplate(text);
  const plan: HttpPlan = { via: "http", format, url, schema, params: url.params, ...(rows && { rows }) };
  return Object.freeze({ kind: "fetch", plan: Object.freeze(plan) });
}
