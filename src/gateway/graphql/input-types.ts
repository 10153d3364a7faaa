import {
  type GraphQLEnumType,
  type GraphQLFieldConfigArgumentMap,
  GraphQLInputObjectType,
  GraphQLList,
  GraphQLNonNull,
  type GraphQLScalarType,
} from "graphql";
import type { JsonSchema } from "../../contracts/index.ts";
import { toNames, toTypeName } from "./names.ts";
import { toEnum } from "./output-types.ts";
import type { Scalars } from "./scalars.ts";
import { type Shape, type Shaped, toShape } from "./shape.ts";

/** The arguments of one operation, and the way back from what was given to the contract's own words. */
export interface Arguments {
  readonly args: GraphQLFieldConfigArgumentMap;
  toInput(given: { readonly [argument: string]: unknown }): unknown;
}

/** The fields of an operation's input as arguments; an input that is no object is one argument, `input`. */
export function toArguments(root: JsonSchema, name: string, scalars: Scalars): Arguments {
  const types = new InputTypes(root, scalars);
  const { shape } = toShape(root, root);
  if (shape.kind !== "object") {
    if (isEmptyObject(root)) return { args: {}, toInput: () => ({}) };
    return { args: { input: { type: new GraphQLNonNull(scalars.json) } }, toInput: ({ input }) => input };
  }
  return { args: types.fieldsOf(shape, name), toInput: (given) => types.back(shape, given) };
}

const isEmptyObject = ({ type, properties }: JsonSchema): boolean =>
  type === "object" && Object.keys((properties as object | undefined) ?? {}).length === 0;

type Inside =
  | GraphQLScalarType
  | GraphQLEnumType
  | GraphQLInputObjectType
  | GraphQLList<Inside | GraphQLNonNull<Inside>>;

class InputTypes {
  readonly #root: JsonSchema;
  readonly #scalars: Scalars;
  readonly #defined = new Map<string, Inside>();
  readonly #names = new Set<string>();
  constructor(root: JsonSchema, scalars: Scalars) {
    this.#root = root;
    this.#scalars = scalars;
  }

  fieldsOf(
    shape: Shape & { readonly kind: "object" },
    parent: string,
  ): { [name: string]: { type: Inside | GraphQLNonNull<Inside>; description?: string } } {
    const names = toNames([...shape.fields.keys()]);
    const fields = [...shape.fields].map(([property, { schema, required }]) => {
      const shaped = toShape(this.#root, schema);
      const type = this.#typeOf(shaped, `${parent}${toTypeName(property)}`);
      const { description } = shaped;
      return [
        names.get(property) ?? property,
        {
          type: required && !shaped.nullable ? new GraphQLNonNull(type) : type,
          ...(description !== undefined && { description }),
        },
      ] as const;
    });
    return Object.fromEntries(fields);
  }

  /** In the contract's own words. A null that the contract does not take is as good as nothing given. */
  back(shape: Shape, given: unknown): unknown {
    if (shape.kind === "list" && Array.isArray(given)) {
      const items = toShape(this.#root, shape.items);
      return given.map((item) => this.back(items.shape, item));
    }
    if (shape.kind !== "object" || typeof given !== "object" || given === null) return given;
    const names = toNames([...shape.fields.keys()]);
    const fields = [...shape.fields].flatMap(([property, { schema }]): readonly [string, unknown][] => {
      const value = (given as { readonly [name: string]: unknown })[names.get(property) ?? property];
      const inside = toShape(this.#root, schema);
      if (value === undefined || (value === null && !inside.nullable)) return [];
      return [[property, this.back(inside.shape, value)]];
    });
    return Object.fromEntries(fields);
  }

  #typeOf({ shape, description, ref }: Shaped, wanted: string): Inside {
    const known = ref === undefined ? undefined : this.#defined.get(ref);
    if (known) return known;
    const type = this.#toType(shape, wanted, description);
    if (ref !== undefined) this.#defined.set(ref, type);
    return type;
  }

  #toType(shape: Shape, wanted: string, description: string | undefined): Inside {
    if (shape.kind === "scalar") return this.#scalars.of(shape.schema);
    // GraphQL has no unions of inputs; the contract's own check tells them apart.
    if (shape.kind === "union") return this.#scalars.json;
    if (shape.kind === "list") {
      const items = toShape(this.#root, shape.items);
      const type = this.#typeOf(items, wanted);
      return new GraphQLList(items.nullable ? type : new GraphQLNonNull(type));
    }
    let name = `${wanted}Input`;
    for (let count = 2; this.#names.has(name); count++) name = `${wanted}Input${count}`;
    this.#names.add(name);
    const about = { name, ...(description !== undefined && { description }) };
    if (shape.kind === "enum") return toEnum(shape.values, about);
    return new GraphQLInputObjectType({ ...about, fields: () => this.fieldsOf(shape, wanted) });
  }
}
