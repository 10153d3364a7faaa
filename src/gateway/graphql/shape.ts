import { type JsonSchema, resolveSchema } from "../../contracts/index.ts";

/** What a JSON Schema comes to in the words of GraphQL, which knows fewer. */
export type Shape =
  | {
      readonly kind: "object";
      readonly fields: ReadonlyMap<string, { readonly schema: unknown; readonly required: boolean }>;
    }
  | { readonly kind: "list"; readonly items: unknown }
  | { readonly kind: "enum"; readonly values: readonly string[] }
  | { readonly kind: "union"; readonly branches: readonly JsonSchema[] }
  | { readonly kind: "scalar"; readonly schema: JsonSchema };
export interface Shaped {
  readonly shape: Shape;
  readonly nullable: boolean;
  readonly description?: string;
  /** Where it is defined, so that one definition is one type. */
  readonly ref?: string;
}

/** Reads a schema: references followed, `null` taken out, intersections of objects put together. */
export function toShape(root: JsonSchema, given: unknown): Shaped {
  if (typeof given !== "object" || given === null) return { shape: { kind: "scalar", schema: {} }, nullable: true };
  const schema = given as JsonSchema;
  const { description } = schema;
  const about = typeof description === "string" ? { description } : {};
  if (typeof schema.$ref === "string") {
    return { ref: schema.$ref, ...toShape(root, resolveSchema(root, schema.$ref)), ...about };
  }
  const branches = [schema.anyOf, schema.oneOf].find(Array.isArray) as readonly JsonSchema[] | undefined;
  if (branches) return { ...toUnion(root, branches), ...about };
  if (Array.isArray(schema.allOf)) return { ...toIntersection(root, schema), ...about };
  if (Array.isArray(schema.type)) {
    const others = schema.type.filter((type) => type !== "null");
    const nullable = others.length < schema.type.length;
    const plain = { ...schema, type: others.length === 1 ? others[0] : undefined };
    return { ...toShape(root, plain), nullable, ...about };
  }
  // What says nothing about its value may be anything, null as well.
  const nullable = schema.type === "null" || (schema.type === undefined && !("enum" in schema) && !("const" in schema));
  return { shape: toPlain(schema), nullable, ...about };
}

function toPlain(schema: JsonSchema): Shape {
  const values = "const" in schema ? [schema.const] : schema.enum;
  if (Array.isArray(values) && values.length > 0 && values.every((value) => typeof value === "string"))
    return { kind: "enum", values };
  if (Array.isArray(values)) return { kind: "scalar", schema: {} };
  if (schema.type === "array" && !Array.isArray(schema.prefixItems)) return { kind: "list", items: schema.items };
  const properties = Object.entries((schema.properties ?? {}) as { readonly [name: string]: unknown });
  // An object with names of anybody's choice is no type of GraphQL's.
  if (schema.type !== "object" || properties.length === 0 || typeof schema.additionalProperties === "object")
    return { kind: "scalar", schema };
  const required = Array.isArray(schema.required) ? schema.required : [];
  const fields = properties.map(([name, part]) => [name, { schema: part, required: required.includes(name) }] as const);
  return { kind: "object", fields: new Map(fields) };
}

function toUnion(root: JsonSchema, branches: readonly JsonSchema[]): Shaped {
  const shaped = branches.map((branch) => ({ branch, ...toShape(root, branch) }));
  const others = shaped.filter(({ branch }) => branch.type !== "null");
  const nullable = others.length < shaped.length || others.some((one) => one.nullable);
  const [only] = others;
  if (only && others.length === 1) return { ...only, nullable };
  if (others.every(({ shape }) => shape.kind === "enum")) {
    const values = others.flatMap(({ shape }) => (shape.kind === "enum" ? shape.values : []));
    return { shape: { kind: "enum", values: [...new Set(values)] }, nullable };
  }
  if (others.length > 0 && others.every(({ shape }) => shape.kind === "object"))
    return { shape: { kind: "union", branches: others.map(({ branch }) => branch) }, nullable };
  return { shape: { kind: "scalar", schema: {} }, nullable };
}

function toIntersection(root: JsonSchema, { allOf, ...own }: JsonSchema): Shaped {
  const parts = [...(allOf as readonly unknown[]), ...(own.properties === undefined ? [] : [own])].map((part) =>
    toShape(root, part),
  );
  const [only] = parts;
  if (only && parts.length === 1) return only;
  if (!parts.every(({ shape }) => shape.kind === "object"))
    return { shape: { kind: "scalar", schema: {} }, nullable: true };
  const fields = parts.flatMap(({ shape }) => (shape.kind === "object" ? [...shape.fields] : []));
  return { shape: { kind: "object", fields: new Map(fields) }, nullable: parts.every(({ nullable }) => nullable) };
}
