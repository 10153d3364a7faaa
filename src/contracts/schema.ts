import type { StandardJSONSchemaV1, StandardSchemaV1 } from "@standard-schema/spec";

/** A schema that validates (Standard Schema) and describes itself (Standard JSON Schema). Zod 4 is one as it is. */
export interface Schema<In = unknown, Out = In> {
  readonly "~standard": StandardSchemaV1.Props<In, Out> & StandardJSONSchemaV1.Props<In, Out>;
}
export type AnySchema = Schema<any, any>; // whatever it reads and writes
/** What is written: the JSON that goes in. */
export type In<S extends AnySchema> = NonNullable<S["~standard"]["types"]>["input"];
/** What is read: the value that validation gives back. */
export type Out<S extends AnySchema> = NonNullable<S["~standard"]["types"]>["output"];

/** One thing that is wrong with a value: a sentence, and where. `path` is a JSON Pointer (RFC 6901). */
export interface Issue {
  readonly path: string;
  readonly message: string;
}
export type Validated<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/** Checks a value against its schema and gives back what validation made of it. */
export async function validate<S extends AnySchema>(schema: S, value: unknown): Promise<Validated<Out<S>>> {
  return validateAtOnce(schema, value);
}

/** As `validate`, and without a promise where the schema can: for what is in the way of every call. */
export function validateAtOnce<S extends AnySchema>(
  schema: S,
  value: unknown,
): Validated<Out<S>> | Promise<Validated<Out<S>>> {
  const result = schema["~standard"].validate(value);
  return result instanceof Promise ? result.then(toValidated<Out<S>>) : toValidated<Out<S>>(result);
}

function toValidated<T>(result: StandardSchemaV1.Result<unknown>): Validated<T> {
  if (!result.issues) return { ok: true, value: result.value as T }; // what the schema reads
  return { ok: false, issues: result.issues.map(({ path = [], message }) => ({ path: toPointer(path), message })) };
}

export type JsonSchema = { readonly [keyword: string]: unknown };

/** The JSON Schema (2020-12) of what may be written. The wire carries nothing but this side of a schema. */
export function toJsonSchema(schema: AnySchema): JsonSchema {
  const standard = schema["~standard"];
  if (typeof standard?.jsonSchema?.input !== "function") {
    throw new TypeError(
      `This ${standard?.vendor ?? "unknown"} schema has no JSON Schema. Wrap it in its library's Standard JSON Schema adapter (for Valibot: toStandardJsonSchema of @valibot/to-json-schema).`,
    );
  }
  const { $schema: _dialect, ...described } = standard.jsonSchema.input({ target: "draft-2020-12" });
  return described;
}

/** The schema of operations that answer with nothing. */
export const nothing: Schema<void> = Object.freeze({
  "~standard": Object.freeze({
    version: 1,
    vendor: "trilith",
    validate: () => ({ value: undefined }),
    jsonSchema: Object.freeze({ input: () => ({ not: {} }), output: () => ({ not: {} }) }),
  } as const),
});

function toPointer(path: readonly (PropertyKey | StandardSchemaV1.PathSegment)[]): string {
  return path
    .map((segment) => String(typeof segment === "object" ? segment.key : segment))
    .map((segment) => `/${segment.replaceAll("~", "~0").replaceAll("/", "~1")}`)
    .join("");
}
