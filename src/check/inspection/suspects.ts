import {
  type AnyContract,
  type AnySchema,
  eventsOf,
  type JsonSchema,
  operationsOf,
  toJsonSchema,
} from "../../contracts/index.ts";
import type { InspectedStorage } from "./backend-shape.ts";
import type { Suspect } from "./inspection.ts";
import { soundsPersonal } from "./personal-names.ts";

/** The fields of a contract that sound like personal data and say nothing of it. */
export function suspectsOf(contract: AnyContract): readonly Suspect[] {
  const { name } = contract["~contract"];
  const owner = { kind: "contract", name } as const;
  const suspects: Suspect[] = [];
  const look = (member: string, side: string, schema: AnySchema): void => {
    for (const { path, field } of fieldsOf(schema))
      suspects.push({ owner, member, field, about: `${name}.${member} ${side} ${path}`.replaceAll(/ +/g, " ") });
  };
  for (const operation of operationsOf(contract)) {
    const member = operation.id.slice(name.length + 1);
    look(member, "input", operation.input);
    look(member, "output", operation.output);
    for (const [failure, { details }] of Object.entries(operation.failures))
      if (details) look(member, failure, details);
    for (const [signal, { schema }] of Object.entries(("signals" in operation && operation.signals) || {}))
      look(member, signal, schema);
  }
  for (const [member, { schema }] of eventsOf(contract)) look(member, "", schema);
  return suspects;
}

/** The same of what a store keeps. */
export function suspectsIn(store: InspectedStorage): readonly Suspect[] {
  return Object.values(store.parts).flatMap((part) => {
    const schema = part.kind === "entity" ? part.state : part.kind === "read model" ? part.row : undefined;
    if (!schema) return [];
    const owner = { kind: part.kind === "entity" ? "entity" : "readModel", name: part.name } as const;
    return fieldsOf(schema).map(({ path, field }) => ({ owner, field, about: `${part.kind} ${part.name} ${path}` }));
  });
}

interface Field {
  readonly field: string;
  /** A JSON Pointer; `*` stands for the items of a list. */
  readonly path: string;
}

function fieldsOf(schema: AnySchema): readonly Field[] {
  let root: JsonSchema;
  try {
    root = toJsonSchema(schema);
  } catch {
    return []; // no JSON Schema: what has none is refused where it is used
  }
  const fields: Field[] = [];
  const seen = new Set<unknown>();
  const look = (given: unknown, path: string): void => {
    if (typeof given !== "object" || given === null || isMarked(given) || seen.has(given)) return;
    seen.add(given);
    const part = given as JsonSchema;
    for (const [field, inside] of Object.entries((part.properties ?? {}) as object)) {
      if (soundsPersonal(field) && !isCovered(root, inside)) fields.push({ field, path: `${path}/${field}` });
      else look(inside, `${path}/${field}`);
    }
    for (const inside of [part.items, part.additionalProperties, ...listOf(part.prefixItems)])
      look(inside, `${path}/*`);
    for (const inside of [...listOf(part.anyOf), ...listOf(part.oneOf), ...listOf(part.allOf)]) look(inside, path);
    if (typeof part.$ref === "string") look(atPointer(root, part.$ref), path);
  };
  look(root, "");
  return fields;
}

/** Whether a field says what it is, as a whole or in each of its parts; or cannot hold what its name sounds like. */
function isCovered(root: JsonSchema, given: unknown, seen: ReadonlySet<unknown> = new Set()): boolean {
  if (typeof given !== "object" || given === null || seen.has(given)) return true;
  const part = given as JsonSchema;
  if (isMarked(part) || part.type === "boolean" || part.type === "null" || "const" in part || "enum" in part)
    return true;
  const again = (inside: unknown): boolean => isCovered(root, inside, new Set([...seen, given]));
  if (typeof part.$ref === "string") return again(atPointer(root, part.$ref));
  if (part.properties) return Object.values(part.properties).every(again);
  if (part.items) return again(part.items);
  const branches = [...listOf(part.anyOf), ...listOf(part.oneOf), ...listOf(part.allOf)];
  return branches.length > 0 && branches.every(again);
}

const isMarked = (part: object): boolean => "x-personal" in part || "x-subject" in part;
const listOf = (part: unknown): readonly unknown[] => (Array.isArray(part) ? part : []);

function atPointer(root: JsonSchema, ref: string): unknown {
  let at: unknown = root;
  for (const name of ref.slice(1).split("/").filter(Boolean)) {
    const key = decodeURIComponent(name).replaceAll("~1", "/").replaceAll("~0", "~");
    at = typeof at === "object" && at !== null ? (at as { readonly [key: string]: unknown })[key] : undefined;
  }
  return at;
}
