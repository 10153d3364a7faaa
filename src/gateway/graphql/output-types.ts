import {
  GraphQLEnumType,
  type GraphQLFieldConfig,
  type GraphQLFieldConfigMap,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  type GraphQLScalarType,
  GraphQLUnionType,
} from "graphql";
import { fitsSchema, type JsonSchema } from "../../contracts/index.ts";
import type { Context } from "./context.ts";
import { refuseDegraded } from "./degraded.ts";
import { toNames, toTypeName } from "./names.ts";
import type { Scalars } from "./scalars.ts";
import { type Shape, toShape } from "./shape.ts";

type Field = GraphQLFieldConfig<unknown, Context>;

/** A type of answers that may be null where nobody says otherwise. */
export type OutputType =
  | GraphQLScalarType
  | GraphQLEnumType
  | GraphQLObjectType
  | GraphQLUnionType
  | GraphQLList<OutputType | GraphQLNonNull<OutputType>>;

/** The type of one operation's answer, with every type inside it. */
export function toOutputType(root: JsonSchema, name: string, scalars: Scalars): OutputType {
  return new OutputTypes(root, scalars).typeOf(root, name).type;
}

class OutputTypes {
  readonly #root: JsonSchema;
  readonly #scalars: Scalars;
  /** By reference: a schema that contains itself is a type that does. */
  readonly #defined = new Map<string, OutputType>();
  readonly #names = new Set<string>();
  constructor(root: JsonSchema, scalars: Scalars) {
    this.#root = root;
    this.#scalars = scalars;
  }

  typeOf(schema: unknown, name: string): { readonly type: OutputType; readonly nullable: boolean } {
    const { shape, nullable, description, ref } = toShape(this.#root, schema);
    const known = ref === undefined ? undefined : this.#defined.get(ref);
    if (known) return { type: known, nullable };
    const type = this.#toType(shape, name, description);
    const own = ref ?? (schema === this.#root ? "#" : undefined);
    if (own !== undefined) this.#defined.set(own, type);
    return { type, nullable };
  }

  #toType(shape: Shape, wanted: string, description: string | undefined): OutputType {
    if (shape.kind === "scalar") return this.#scalars.of(shape.schema);
    if (shape.kind === "list") {
      const items = this.typeOf(shape.items, wanted);
      return new GraphQLList(items.nullable ? items.type : new GraphQLNonNull(items.type));
    }
    const name = this.#free(wanted);
    const about = { name, ...(description !== undefined && { description }) };
    if (shape.kind === "enum") return toEnum(shape.values, about);
    if (shape.kind === "union") return this.#toUnion(shape.branches, about);
    // Fields are made when they are asked for, for one of them may lead back here.
    return new GraphQLObjectType({ ...about, fields: () => this.#toFields(shape, name) });
  }

  #toFields(shape: Shape & { readonly kind: "object" }, parent: string): GraphQLFieldConfigMap<unknown, Context> {
    const names = toNames([...shape.fields.keys()]);
    const fields = [...shape.fields].map(([property, { schema, required }]): [string, Field] => {
      const { type, nullable } = this.typeOf(schema, `${parent}${toTypeName(property)}`);
      const { description } = toShape(this.#root, schema);
      const field: Field = {
        type: required && !nullable ? new GraphQLNonNull(type) : type,
        ...(description !== undefined && { description }),
        extensions: { property },
        resolve(value, _args, context) {
          const found = (value as { readonly [property: string]: unknown })[property];
          if (found === undefined || found === null) refuseDegraded(context, value, property);
          return found;
        },
      };
      return [names.get(property) ?? property, field];
    });
    return Object.fromEntries(fields);
  }

  #toUnion(branches: readonly JsonSchema[], about: { readonly name: string }): GraphQLUnionType {
    const types = branches.map((branch, at) => ({
      branch,
      type: this.typeOf(branch, `${about.name}${constantOf(this.#root, branch) ?? at + 1}`).type as GraphQLObjectType, // only objects are united
    }));
    return new GraphQLUnionType({
      ...about,
      types: types.map(({ type }) => type),
      resolveType: (value) =>
        (types.find(({ branch }) => fitsSchema(this.#root, branch, value, "whole")) ?? types[0])?.type.name,
    });
  }

  #free(wanted: string): string {
    let name = wanted;
    for (let count = 2; this.#names.has(name); count++) name = `${wanted}${count}`;
    this.#names.add(name);
    return name;
  }
}

/** An enum whose values are spelled as GraphQL can, and are on the inside what the contract says. */
export function toEnum(
  values: readonly string[],
  about: { readonly name: string; readonly description?: string },
): GraphQLEnumType {
  const names = toNames(values);
  const reserved = new Set(["true", "false", "null"]);
  const entries = values.map((value) => {
    const name = names.get(value) ?? value;
    return [reserved.has(name) ? `${name}_` : name, { value }] as const;
  });
  return new GraphQLEnumType({ ...about, values: Object.fromEntries(entries) });
}

/** What tells the branches of a union apart, where one field is a constant. */
function constantOf(root: JsonSchema, branch: JsonSchema): string | undefined {
  const { shape } = toShape(root, branch);
  if (shape.kind !== "object") return undefined;
  for (const { schema } of shape.fields.values()) {
    const inside = toShape(root, schema).shape;
    if (inside.kind === "enum" && inside.values.length === 1) return toTypeName(inside.values[0] ?? "") || undefined;
  }
  return undefined;
}
