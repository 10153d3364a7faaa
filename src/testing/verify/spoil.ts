import type * as FastCheck from "fast-check";
import { hasBody, type JsonSchema, type Operation, toJsonSchema } from "../../contracts/index.ts";

/** One way to make a valid input wrong. */
export type Spoil = (input: unknown) => unknown;

/**
 * Ways in which an input becomes one that its contract does not take: a demanded field is left out, a field has another
 * type, one is there that nobody declared. What travels in an address is text, so there only the first and the last count.
 */
export function toSpoils(
  fc: typeof FastCheck,
  operation: Operation,
): FastCheck.Arbitrary<readonly [string, Spoil]> | undefined {
  const schema = toJsonSchema(operation.input) as JsonSchema & {
    readonly properties?: object;
    readonly required?: readonly string[];
  };
  const { route } = operation;
  const names = Object.keys(schema.properties ?? {}).filter((name) => !route?.params.includes(name));
  const required = (schema.required ?? []).filter((name) => names.includes(name));
  const typed = route && !hasBody(route.verb) ? [] : names;
  const spoils: (readonly [string, Spoil])[] = [
    ...required.map((name) => [`without /${name}`, (input: unknown) => without(input, name)] as const),
    ...typed.flatMap((name) => [
      [`/${name} is a list of lists`, (input: unknown) => ({ ...(input as object), [name]: [[["x"]]] })] as const,
      [`/${name} is null`, (input: unknown) => ({ ...(input as object), [name]: null })] as const,
    ]),
    ["/nobodyDeclaredThis is there", (input: unknown) => ({ ...(input as object), nobodyDeclaredThis: "x" })],
  ];
  return spoils.length === 0 ? undefined : fc.constantFrom(...spoils);
}

const without = (input: unknown, name: string): unknown => {
  const { [name]: _gone, ...rest } = input as Record<string, unknown>;
  return rest;
};
