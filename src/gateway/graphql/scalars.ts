import {
  GraphQLBoolean,
  GraphQLError,
  GraphQLFloat,
  GraphQLInt,
  GraphQLScalarType,
  GraphQLString,
  valueFromASTUntyped,
} from "graphql";
import type { JsonSchema } from "../../contracts/index.ts";

/** The scalars that contracts need beside GraphQL's own. The contract's own check decides what is valid; these say what is meant. */
export interface Scalars {
  readonly json: GraphQLScalarType;
  of(schema: JsonSchema): GraphQLScalarType;
}

export function createScalars(): Scalars {
  const text = (name: string, description: string): GraphQLScalarType =>
    new GraphQLScalarType({
      name,
      description,
      serialize: (value) => value as string, // it was validated by the contract
      parseValue: (value) => {
        if (typeof value === "string") return value;
        throw new GraphQLError(`${name} is written as text.`);
      },
    });
  const formats = new Map([
    ["date-time", text("DateTime", "An instant, ISO 8601: `2026-01-31T12:00:00Z`.")],
    ["date", text("Date", "A day, ISO 8601: `2026-01-31`.")],
    ["uuid", text("UUID", "A UUID (RFC 9562).")],
  ]);
  const safeInt = new GraphQLScalarType({
    name: "SafeInt",
    description: "A whole number of up to 53 bits: what JSON can say. GraphQL's own `Int` has 32.",
    serialize: (value) => value as number, // it was validated by the contract
    parseValue: (value) => {
      if (Number.isSafeInteger(value)) return value;
      throw new GraphQLError("SafeInt is a whole number of up to 53 bits.");
    },
  });
  const json = new GraphQLScalarType({
    name: "JSON",
    description: "Any JSON value, where the contract says what GraphQL's types cannot.",
    serialize: (value) => value,
    parseValue: (value) => value,
    parseLiteral: (node, variables) => valueFromASTUntyped(node, variables),
  });
  return {
    json,
    of({ type, format, minimum, maximum, exclusiveMinimum, exclusiveMaximum }) {
      if (type === "boolean") return GraphQLBoolean;
      if (type === "number") return GraphQLFloat;
      if (type === "string") return formats.get(String(format)) ?? GraphQLString;
      if (type !== "integer") return json;
      const [low, high] = [minimum ?? exclusiveMinimum, maximum ?? exclusiveMaximum];
      const fits = typeof low === "number" && typeof high === "number" && low >= -(2 ** 31) && high < 2 ** 31;
      return fits ? GraphQLInt : safeInt;
    },
  };
}
