import { plainName } from "../adapt.ts";
import { type AnyContract, operationsOf, toCamelCase } from "../contract.ts";
import { componentName, toComponents } from "../openapi-components.ts";
import type { AnyCommand, Named, Operation } from "../operation.ts";
import type { Route } from "../route.ts";
import { type AnySchema, type JsonSchema, nothing, toJsonSchema } from "../schema.ts";
import { clientRuntime } from "./client-runtime.ts";
import { toTypes, typeName } from "./types.ts";

type Routed = Operation & Named & { readonly route: Route };

export interface ClientSourceOptions {
  readonly contracts: readonly AnyContract[];
  /** The ids of the commands that may go on as runs, beside those with signals. */
  readonly longRunning?: readonly string[];
}

/**
 * The TypeScript of a client for these contracts: one file without imports, for browsers and Node. A call never throws for
 * what the backend says; it gives back a result, or a failure that `code` tells apart.
 */
export function toClientSource({ contracts, longRunning = [] }: ClientSourceOptions): string {
  const parts = contracts
    .map((contract) => ({ contract, operations: operationsOf(contract).filter(isRouted) }))
    .filter(({ operations }) => operations.length > 0);
  const versions = parts.map(
    ({ contract }) => `${plainName(contract["~contract"].name)} ${contract["~contract"].version}`,
  );
  const longOnes = new Set(longRunning);
  return [
    `// Written by "trilith contracts client" from ${versions.join(", ")}. Do not edit it: write it anew.\n`,
    clientRuntime,
    ...parts.map(({ contract, operations }) => sourceOf(contract, operations, longOnes)),
    `\n/** Calls a backend with these contracts. */\nexport function createClient(options: ClientOptions) {\n  const caller = new Caller(options);\n  return {\n`,
    ...parts.map(({ contract }) => `    ${memberOf(contract)}: ${functionOf(contract)}(caller),\n`),
    "  } as const;\n}\nexport type Client = ReturnType<typeof createClient>;\n",
  ].join("");
}

const isRouted = (operation: Operation & Named): operation is Routed => operation.route !== undefined;
const jsonName = (contract: AnyContract): string => contract["~contract"].name;
const memberOf = (contract: AnyContract): string => toCamelCase(jsonName(contract)).replace("@", "V");
const functionOf = (contract: AnyContract): string => `${memberOf(contract)}Client`;

function sourceOf(contract: AnyContract, operations: readonly Routed[], longOnes: ReadonlySet<string>): string {
  const components = Object.assign({}, ...operations.map(componentsOf)) as { readonly [name: string]: JsonSchema };
  const failures = operations.map(
    (operation) => `export type ${failureName(operation)} = ${failureType(operation, isLong(operation, longOnes))};\n`,
  );
  const calls = operations.map((operation) => callOf(operation, jsonName(contract)));
  return `\n${toTypes(components)}${failures.join("")}\nfunction ${functionOf(contract)}(caller: Caller) {\n  return {\n${calls.join("")}  };\n}\n`;
}

const isLong = (operation: Operation & Named, longOnes: ReadonlySet<string>): boolean =>
  operation.kind === "command" &&
  (Object.keys((operation as AnyCommand).signals).length > 0 || longOnes.has(operation.id));

function componentsOf({ id, input, output, failures, ...rest }: Routed): { readonly [name: string]: JsonSchema } {
  const details = Object.entries(failures).filter(([, { details }]) => details);
  const { signals = {} } = rest as Partial<AnyCommand>;
  const parts: (readonly [string, AnySchema])[] = [
    ["Input", input],
    ...(output === nothing ? [] : [["Output", output] as const]),
    ...details.map(([code, { details }]) => [`${code}Details`, details as AnySchema] as const), // filtered above
    ...Object.entries(signals).map(([name, { schema }]) => [`${name}Signal`, schema] as const),
  ];
  return Object.assign(
    {},
    ...parts.map(([part, schema]) => toComponents(componentName(id, part), toJsonSchema(schema))),
  );
}

const failureName = ({ id }: Named): string => typeName(componentName(id, "Failure"));

function failureType({ id, failures }: Routed, isLong: boolean): string {
  const kinds = Object.entries(failures).map(
    ([code, { status, retry, details }]) =>
      `{ readonly kind: "failure"; readonly code: ${JSON.stringify(code)}; readonly status: ${status}; readonly message: string; readonly retry: ${JSON.stringify(retry)}${details ? `; readonly details: ${typeName(componentName(id, `${code}Details`))}` : ""} }`,
  );
  if (isLong) kinds.push("Pending");
  return kinds.length === 0 ? "never" : kinds.join("\n  | ");
}

function callOf(operation: Routed, contract: string): string {
  const { id, kind, input, output, route, failures, summary, deprecated } = operation;
  const name = id.slice(contract.length + 1);
  const outputType = output === nothing ? "void" : typeName(componentName(id, "Output"));
  const inputType = typeName(componentName(id, "Input"));
  const { required } = toJsonSchema(input);
  const needsInput = !Array.isArray(required) || required.length > 0;
  const described = {
    ...{ id: plainName(id), verb: route.verb, path: route.path, isCommand: kind === "command" },
    ...{ hasOutput: output !== nothing, failures: Object.keys(failures) },
  };
  const words = [summary, deprecated && `@deprecated since ${deprecated.since}. ${deprecated.instead ?? ""}`.trim()];
  const said = words.filter(Boolean).join(" ").replaceAll("*/", "* /");
  const call = `(input: ${inputType}${needsInput ? "" : " = {}"}, options: CallOptions = {}) =>
        caller.call(${JSON.stringify(described)}, input, options) as Promise<Result<${outputType}, ${failureName(operation)}>>`;
  const { signals = {} } = operation as Partial<AnyCommand>;
  const open = Object.entries(signals).filter(([, { access }]) => access !== undefined);
  const sent = open.map(
    ([signal]) =>
      `          ${signal}: (run: string, payload: ${typeName(componentName(id, `${signal}Signal`))}, options: CallOptions = {}) => caller.signal(run, ${JSON.stringify(signal)}, payload, options),\n`,
  );
  const value =
    open.length === 0 ? call : `Object.assign(${call}, {\n        signals: {\n${sent.join("")}        },\n      })`;
  return `${said ? `    /** ${said} */\n` : ""}    ${name}: ${value},\n`;
}
