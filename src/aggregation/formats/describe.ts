import { type AnySchema, type JsonSchema, toJsonSchema } from "../../contracts/index.ts";

/** Only a help (required columns, repeated elements, what is personal); a schema that cannot describe itself is still checked. */
export function describe(schema: AnySchema): JsonSchema {
  try {
    return toJsonSchema(schema);
  } catch {
    return {};
  }
}
