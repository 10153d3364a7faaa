import {
  type AnyContract,
  type AnySchema,
  type Operation,
  operationsOf,
  toJsonSchema,
  toProjection,
  validate,
} from "../../contracts/index.ts";
import type { InspectedOperation } from "./inspection.ts";

/** Every operation of a contract with the number of its examples, and what is wrong with them. */
export function wrongExamplesOf(contract: AnyContract): Promise<readonly InspectedOperation[]> {
  return Promise.all(
    operationsOf(contract).map(async (operation) => {
      // A contract of another release of the package may have none.
      const examples = (operation.examples as Operation["examples"] | undefined) ?? [];
      const inInput = ofSchema(operation.input);
      const wrong = [
        ...(await Promise.all(examples.map((example, at) => wrongWith(operation, example, `Example ${at + 1}`)))),
        ...(await Promise.all(inInput.map((value) => wrongValue(operation.input, value, "An example of its input")))),
        ...(await Promise.all(
          ofSchema(operation.output).map((value) => wrongValue(operation.output, value, "An example of its output")),
        )),
      ];
      return { id: operation.id, examples: examples.length + inInput.length, wrong: wrong.flat() };
    }),
  );
}

async function wrongWith(
  { input, output, failures }: Operation,
  example: Operation["examples"][number],
  name: string,
): Promise<readonly string[]> {
  const { failure } = example;
  const wrong = [...(await wrongValue(input, example.input, `The input of ${name.toLowerCase()}`))];
  if (failure !== undefined && "output" in example) wrong.push(`${name} has an output and a failure.`);
  if (failure !== undefined && !Object.hasOwn(failures, failure))
    wrong.push(`${name} ends with ${failure}, which is none of its failures.`);
  if ("output" in example)
    wrong.push(...(await wrongValue(output, example.output, `The output of ${name.toLowerCase()}`)));
  return wrong;
}

async function wrongValue(schema: AnySchema, value: unknown, name: string): Promise<readonly string[]> {
  const read = await validate(schema, value);
  if (!read.ok)
    return read.issues.map(({ path, message }) => `${name} is wrong at ${path === "" ? "its root" : path}: ${message}`);
  const undeclared = toProjection(toJsonSchema(schema))(value).findUndeclared();
  return undeclared.map((path) => `${name} has ${path}, which its schema does not declare.`);
}

function ofSchema(schema: AnySchema): readonly unknown[] {
  const { examples } = toJsonSchema(schema);
  return Array.isArray(examples) ? examples : [];
}
