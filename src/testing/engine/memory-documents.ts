import {
  type After,
  type Collection,
  type Column,
  type Columns,
  type Condition,
  checkQuery,
  type Document,
  type DocumentQuery,
  type Write,
} from "../../storage/host.ts";

type Fields = { readonly [field: string]: unknown };

/** What a write asks for cannot be done. Nothing of its append is. */
export class Refused extends TypeError {}

/** The documents of one collection, by their keys. */
export class MemoryCollection {
  #declared: Collection;
  #documents = new Map<string, Document & { readonly data: Fields }>();
  constructor(declared: Collection) {
    this.#declared = declared;
    this.declare(declared);
  }

  /** Indexes may come and go; columns may not change. */
  declare(collection: Collection): void {
    const names = collection.columns.map(({ name }) => name);
    if (new Set(names).size < names.length)
      throw new TypeError(`The collection "${collection.name}" declares a column twice.`);
    for (const index of collection.indexes) {
      const { columns, where } = "columns" in index ? index : { columns: index, where: undefined };
      const unknown = [...columns, ...(where ? [where.column] : [])].find((name) => !names.includes(name));
      if (unknown !== undefined)
        throw new TypeError(
          `The collection "${collection.name}" has an index on "${unknown}", which is no column of it.`,
        );
    }
    if (shapeOf(collection) !== shapeOf(this.#declared))
      throw new TypeError(`The collection "${collection.name}" is there already, with other columns.`);
    this.#declared = collection;
  }

  clear(): void {
    this.#documents = new Map();
  }

  /** The documents after these writes, all or none of them; nothing changes before `keep`. */
  draft(): Draft {
    const drafted = new Map(this.#documents);
    return {
      write: (write) => this.#write(drafted, write),
      keep: () => {
        this.#documents = drafted;
      },
    };
  }

  find(query: DocumentQuery): readonly Document[] {
    checkQuery(this.#declared, query);
    const { where = {}, key, orderBy, limit, after } = query;
    const tests = Object.entries(where).map(
      ([column, condition]) =>
        (document: { readonly data: Fields }) =>
          meets(toColumn(document.data[column]), condition),
    );
    const sign = orderBy?.descending ? -1 : 1;
    const placeOf = ({ key, data }: Document & { readonly data: Fields }): Required<After> => ({
      key,
      value: orderBy ? toColumn(data[orderBy.column]) : null,
    });
    const compare = (a: After, b: After): number =>
      sign * ((orderBy ? compareColumns(a.value ?? null, b.value ?? null) : 0) || compareColumns(a.key, b.key));
    return [...this.#documents.values()]
      .filter((document) => (key === undefined || document.key === key) && tests.every((test) => test(document)))
      .filter((document) => after === undefined || compare(placeOf(document), after) > 0)
      .sort((a, b) => compare(placeOf(a), placeOf(b)))
      .slice(0, Math.max(0, limit))
      .map(copy);
  }

  claim(query: DocumentQuery, set: Columns): readonly Document[] {
    for (const name of Object.keys(set)) this.#checkColumn(name);
    const draft = this.draft();
    const found = this.find(query);
    for (const { key } of found) draft.write({ collection: this.#declared.name, patch: key, data: set });
    draft.keep();
    return found.map(({ key }) => copy(this.#documents.get(key) as Document)); // it was found a moment ago
  }

  #write(documents: Map<string, Document & { readonly data: Fields }>, write: Write): void {
    if ("remove" in write) {
      documents.delete(write.remove);
      return;
    }
    const key = "put" in write ? write.put : "patch" in write ? write.patch : write.increment;
    const before = documents.get(key);
    if ("patch" in write && !before) return;
    const start = "increment" in write ? write.initial : write.data;
    if (typeof start === "string" && !before) throw new Refused(start);
    const given = JSON.parse(JSON.stringify(start)) as Fields; // and no text, where it is looked at
    const data =
      "put" in write
        ? given
        : "patch" in write
          ? { ...before?.data, ...given }
          : this.#add(write, before?.data ?? given);
    for (const { name, type } of this.#declared.columns) {
      const value = toColumn(data[name], () => refuse(`cannot hold ${JSON.stringify(data[name])}`, name, key));
      if (value !== null && typeof value !== (type === "text" ? "string" : "number"))
        refuse(`is a ${type} column and cannot hold ${JSON.stringify(value)}`, name, key);
      if (type === "text" && typeof data[name] === "boolean")
        refuse("is a text column and cannot hold a boolean", name, key);
    }
    documents.set(key, { key, data, revision: (before?.revision ?? 0) + 1 });
  }

  #add({ increment, by }: Extract<Write, { readonly increment: string }>, before: Fields): Fields {
    const added = Object.entries(by).map(([field, amount]) => {
      const value = before[field] ?? 0;
      return [field, typeof value === "number" ? value + amount : refuse("is no number", field, increment)] as const;
    });
    return { ...before, ...Object.fromEntries(added) };
  }

  #checkColumn(name: string): void {
    if (!this.#declared.columns.some((column) => column.name === name))
      throw new TypeError(`The collection "${this.#declared.name}" has no column "${name}".`);
  }
}
export interface Draft {
  readonly write: (write: Write) => void;
  readonly keep: () => void;
}

function refuse(why: string, field: string, key: string): never {
  throw new Refused(`The field "${field}" of the document "${key}" ${why}.`);
}

const copy = ({ key, data, revision }: Document): Document => ({
  key,
  revision,
  data: JSON.parse(JSON.stringify(data)),
});

const shapeOf = ({ columns }: Collection): string =>
  JSON.stringify(columns.map(({ name, type }) => [name, type]).sort());

function toColumn(value: unknown, otherwise: () => never = () => refuse("is no column", "", "")): Column {
  if (value === undefined || value === null) return null;
  if (typeof value === "boolean") return value ? 1 : 0;
  return typeof value === "string" || typeof value === "number" ? value : otherwise();
}

function meets(value: Column, condition: Condition): boolean {
  if ("equals" in condition) return value === condition.equals;
  if ("not" in condition) return value !== condition.not;
  if ("in" in condition) return value !== null && condition.in.includes(value);
  const { from, to } = condition;
  if (from === undefined && to === undefined) return true;
  return (
    value !== null &&
    (from === undefined || compareColumns(value, from) >= 0) &&
    (to === undefined || compareColumns(value, to) <= 0)
  );
}

/** Null is less than everything; text is compared by its UTF-8 bytes, which is not the order of JavaScript's strings. */
function compareColumns(a: Column, b: Column): number {
  if (a === null || b === null) return Number(b === null) - Number(a === null);
  if (typeof a === "number" && typeof b === "number") return a - b;
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}
