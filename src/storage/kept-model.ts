import {
  type AnyEvent,
  type JsonSchema,
  type Named,
  type Projection,
  toJsonSchema,
  toProjection,
} from "../contracts/index.ts";
import type { Collection, Write } from "./engine.ts";
import type { EventMeta } from "./entity.ts";
import { Generations } from "./generations.ts";
import { checkJson } from "./json.ts";
import { parse } from "./parse.ts";
import type { AnyReadModel, RowHandler, Rows } from "./read-model.ts";

type Fields = { readonly [field: string]: unknown };
type Asked =
  | { readonly kind: "put"; readonly row: unknown }
  | { readonly kind: "patch"; readonly key: unknown; readonly fields: Fields }
  | { readonly kind: "increment"; readonly key: unknown; readonly by: { readonly [field: string]: number } }
  | { readonly kind: "remove"; readonly key: unknown };

type AnyRows = Rows<unknown, any, any>; // whatever the rows are
/** For how many keys it is remembered what an increment starts from, and that it fits the schema. */
const rememberedKeys = 20_000;

/** A read model as one store keeps it: its collection, the name of its reader, and what events write into it. */
export class KeptModel {
  readonly model: AnyReadModel;
  readonly collection: Collection;
  /** Each version has a table and a reader of its own, so that a new one is built beside the old. */
  readonly reader: string;
  readonly events: readonly (AnyEvent & Named)[];
  readonly #handlers = new Map<string, RowHandler>();
  readonly #project: Projection;
  readonly #zeros: Fields;
  readonly #starts = new Generations<{ readonly key: unknown; readonly start: Fields | string }>(rememberedKeys);
  readonly #describe: string;
  constructor(store: string, model: AnyReadModel) {
    this.model = model;
    this.reader = `${store}.${model.name}@${model.version}`;
    this.#describe = `The read model "${model.name}" of the store "${store}"`;
    const schema = toJsonSchema(model.row);
    this.#project = toProjection(schema);
    const properties = (schema.properties ?? {}) as { readonly [name: string]: JsonSchema };
    const columns = [...new Set(model.indexes.flat())].map((name) => ({
      name,
      type: this.#columnType(name, properties[name]),
    }));
    this.collection = { name: this.reader, columns, indexes: model.indexes };
    const required = (schema.required ?? []) as readonly string[];
    this.#zeros = Object.fromEntries(
      required.filter((name) => properties[name] && typesOf(properties[name]).has("number")).map((name) => [name, 0]),
    );
    const declared = Object.entries(model.events).filter((entry): entry is [string, AnyEvent & Named] =>
      isEvent(entry[1]),
    );
    for (const [name, event] of declared) {
      const handler = model.on[name];
      if (handler) this.#handlers.set(event.id, handler);
    }
    this.events = declared.filter(([name]) => model.on[name]).map(([, event]) => event);
    const unknown = Object.keys(model.on).find((name) => !declared.some(([event]) => event === name));
    if (unknown !== undefined)
      throw new TypeError(`${this.#describe} handles "${unknown}", which is not one of its events.`);
  }

  /** What an event writes: data only, in the order in which its handler asked. At once where the schema of its rows can be. */
  writes(type: string, value: unknown, meta: EventMeta): readonly Write[] | Promise<readonly Write[]> {
    const handler = this.#handlers.get(type);
    if (!handler) return [];
    const asked: Asked[] = [];
    const rows: AnyRows = {
      put: (row) => void asked.push({ kind: "put", row }),
      patch: (key, fields) => void asked.push({ kind: "patch", key, fields }),
      increment: (key, by) => void asked.push({ kind: "increment", key, by: by as { [field: string]: number } }), // FieldsOf<any> forgets that they are numbers
      remove: (key) => void asked.push({ kind: "remove", key }),
    };
    const returned: unknown = handler(value, rows, meta);
    if (returned instanceof Promise) {
      returned.catch(() => {}); // it is refused here, and must not end the process later
      throw new TypeError(`${this.#describe} handles ${type} with a promise. It may write rows, and wait for nothing.`);
    }
    const writes: Write[] = [];
    for (const [index, one] of asked.entries()) {
      const write = this.#toWrite(one, type);
      if (write instanceof Promise) return this.#finish(writes, write, asked.slice(index + 1), type);
      writes.push(write);
    }
    return writes;
  }

  async #finish(
    writes: Write[],
    next: Promise<Write>,
    rest: readonly Asked[],
    type: string,
  ): Promise<readonly Write[]> {
    writes.push(await next);
    for (const one of rest) writes.push(await this.#toWrite(one, type));
    return writes;
  }

  /** A row as it is read. */
  async read(data: unknown): Promise<unknown> {
    return parse(
      this.model.row,
      data,
      () => `${this.#describe} holds a row that does not fit its schema. Raise its version, so that it is built anew`,
    );
  }

  #toWrite(asked: Asked, type: string): Write | Promise<Write> {
    const collection = this.collection.name;
    switch (asked.kind) {
      case "put": {
        const data = this.#project(asked.row).value as Fields;
        checkJson(data, `${this.#describe}, on ${type}: a row`);
        const row = parse(
          this.model.row,
          data,
          () => `${this.#describe}, on ${type}, puts a row that does not fit its schema`,
        );
        const toPut = (row: unknown): Write => ({
          collection,
          put: this.toKey((row as Fields)[this.model.key]), // as the schema of the rows gave it
          data,
        });
        return row instanceof Promise ? row.then(toPut) : toPut(row);
      }
      case "patch": {
        const data = this.#project(asked.fields).value as Fields;
        checkJson(data, `${this.#describe}, on ${type}: a patch`);
        return { collection, patch: this.toKey(asked.key), data };
      }
      case "increment": {
        checkJson(asked.by, `${this.#describe}, on ${type}: an increment`);
        const key = this.toKey(asked.key);
        const start = this.#start(key, asked.key, type);
        const toIncrement = (initial: Fields | string): Write => ({
          collection,
          increment: key,
          by: asked.by,
          initial,
        });
        return start instanceof Promise ? start.then(toIncrement) : toIncrement(start);
      }
      case "remove":
        return { collection, remove: this.toKey(asked.key) };
    }
  }

  /** What a row begins with that is incremented before it was put; or why it cannot, which matters only if there is none. */
  #start(name: string, key: unknown, type: string): Fields | string | Promise<Fields | string> {
    // A number and the same number as text are one key, and two values of its field.
    const known = this.#starts.get(name);
    if (known && known.key === key) return known.start;
    const initial = { ...this.#zeros, ...this.model.initial, [this.model.key]: key };
    const keep = <T extends Fields | string>(start: T): T => {
      this.#starts.set(name, { key, start });
      return start;
    };
    const refuse = (error: unknown): string => {
      if (error instanceof TypeError) return keep(error.message);
      throw error;
    };
    // Said without the row: the sentence is kept with the parked event, and what is in a row may be somebody's secret.
    const describe = (): string =>
      `${this.#describe}, on ${type}, increments a row that is not there. Put it first, or say in "initial" what it starts from, for what there is of it does not fit its schema`;
    try {
      const checked = parse(this.model.row, initial, describe);
      return checked instanceof Promise ? checked.then(() => keep(initial), refuse) : keep(initial);
    } catch (error) {
      return refuse(error);
    }
  }

  toKey(key: unknown): string {
    if (typeof key === "string" && key.isWellFormed() && !key.includes("\u0000")) return key;
    if (typeof key === "number" || typeof key === "boolean") return String(key);
    throw new TypeError(`${this.#describe} has no row with the key ${JSON.stringify(key)}.`);
  }

  #columnType(name: string, schema: JsonSchema | undefined): "text" | "number" {
    const types = schema ? typesOf(schema) : new Set<string>();
    types.delete("null");
    const [type] = types;
    if (types.size === 1 && (type === "string" || type === "number")) return type === "string" ? "text" : "number";
    throw new TypeError(
      `${this.#describe} has an index on "${name}", which has to be text, a number or a boolean in the schema of its rows, and nothing else beside it.`,
    );
  }
}

/** The JSON types that a schema allows; integers and booleans are kept as numbers. */
function typesOf({ type, anyOf, oneOf, enum: values, const: value }: JsonSchema): Set<string> {
  const kept = (name: string): string => (name === "integer" || name === "boolean" ? "number" : name);
  if (typeof type === "string") return new Set([kept(type)]);
  if (Array.isArray(type)) return new Set(type.map((name) => kept(String(name))));
  const branches = (anyOf ?? oneOf) as readonly JsonSchema[] | undefined;
  if (branches) return new Set(branches.flatMap((branch) => [...typesOf(branch)]));
  const constants: readonly unknown[] = Array.isArray(values) ? values : value === undefined ? [] : [value];
  return new Set(constants.map((constant) => (constant === null ? "null" : kept(typeof constant))));
}

const isEvent = (member: unknown): member is AnyEvent & Named =>
  typeof member === "object" && member !== null && (member as { kind?: unknown }).kind === "event" && "id" in member;
