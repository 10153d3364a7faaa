import { type AnySchema, type JsonSchema, maskPersonal } from "../../contracts/index.ts";
import { describe } from "../formats/describe.ts";
import type { SourcePlan } from "../source.ts";
import { type Mask, toMask } from "./secrecy.ts";
import type { Sample } from "./tried.ts";

/** An answer that could not be used, for a person who looks into it. Masked: secrets, and what is personal. */
export interface InvalidSample {
  /** In ms since 1970. */
  readonly at: number;
  readonly problem: string;
  /** What was said, as JSON or as it came; at most 2,000 characters. */
  readonly said: string;
}

const most = 5;
const longest = 2_000;

/** The last few invalid answers of a source. Nothing is held that is not masked already. */
export class Samples {
  readonly #source: SourcePlan;
  readonly #hidden: Mask;
  readonly #kept: InvalidSample[] = [];
  #schema: JsonSchema | undefined;
  constructor(source: SourcePlan, credentials: string | undefined) {
    this.#source = source;
    this.#hidden = toMask(credentials);
  }

  add(at: number, problem: string, sample: Sample): void {
    // One broken record of a batch is the trouble of every key that may be its own.
    const last = this.#kept.at(-1);
    if (last?.problem === problem && last.at === at) return;
    this.#schema ??= describe(this.#source.fetch.schema);
    const said = this.#hidden(toText(this.#schema, sample));
    this.#kept.push({ at, problem, said: said.length > longest ? `${said.slice(0, longest)}…` : said });
    if (this.#kept.length > most) this.#kept.shift();
  }

  list(): readonly InvalidSample[] {
    return [...this.#kept];
  }
}

/** Whether anything that a schema speaks of is somebody's personal data. */
export const isPersonal = (schema: AnySchema): boolean => marked(describe(schema));
const marked = (schema: JsonSchema): boolean => JSON.stringify(schema).includes('"x-personal":true');

function toText(schema: JsonSchema, { said, text }: Sample): string {
  const personal = marked(schema);
  if (said === undefined) {
    // Text that cannot be parsed has no fields that could be told apart.
    return personal
      ? `[${text?.length ?? 0} characters, not shown: answers of this source hold personal data]`
      : (text ?? "");
  }
  const speaksOfOne = schema.type === "array" && !Array.isArray(said);
  const own = speaksOfOne && isRecord(schema.items) ? schema.items : schema;
  const open = personal ? onlyDeclared(own, maskPersonal(own, said)) : said;
  return (
    JSON.stringify(open, (name, value) => (secretNames.test(name) && value !== null ? "[secret]" : toPlain(value))) ??
    ""
  );
}

// What JSON cannot say, it says as text.
const toPlain = (value: unknown): unknown => (typeof value === "bigint" ? String(value) : value);

const secretNames = /^(.*authorization|.*token|.*secret|.*passw(or)?d|.*api[-_]?key|(set-)?cookie|.*credentials?)$/i;

/**
 * Where a schema knows of personal data, a value is shown only where the schema says what it is: anything may stand in
 * a field that nobody declared, or where a list was promised and a text came.
 */
function onlyDeclared(schema: unknown, value: unknown): unknown {
  if (value === null || value === "[personal]") return value;
  const { properties, items } = isRecord(schema) ? schema : {};
  if (Array.isArray(value)) return isRecord(items) ? value.map((item) => onlyDeclared(items, item)) : "[list]";
  if (isRecord(value)) {
    if (!isRecord(properties)) return "[object]";
    return Object.fromEntries(
      Object.entries(value).map(([name, field]) => [
        name,
        Object.hasOwn(properties, name) ? onlyDeclared(properties[name], field) : "[undeclared]",
      ]),
    );
  }
  return isRecord(schema) && holdsNothing(schema) ? value : `[${typeof value}]`;
}

/** Whether a schema speaks of plain values alone. */
const holdsNothing = ({ type, anyOf, oneOf, allOf, $ref }: JsonSchema): boolean => {
  const parts = [anyOf, oneOf].flatMap((branches) => (Array.isArray(branches) ? branches : []));
  if ($ref !== undefined || allOf !== undefined) return false;
  return ![type].flat().some((one) => one === "object" || one === "array") && parts.every(holdsNothing);
};

const isRecord = (value: unknown): value is { readonly [name: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value);
