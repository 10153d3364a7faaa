import { toCanonicalJson } from "../../contracts/index.ts";
import { isRecord } from "../plain.ts";

/** A schema, to be met or to be broken. References inside it are looked up in its own document. */
export interface Literal {
  readonly schema: unknown;
  readonly document: unknown;
  readonly met: boolean;
}

export const meet = (schema: unknown, document: unknown = schema): Literal => ({ schema, document, met: true });
export const breakIt = (schema: unknown, document: unknown = schema): Literal => ({ schema, document, met: false });
export const opposite = ({ schema, document, met }: Literal): Literal => ({ schema, document, met: !met });

/** Schemas by what they say: equal ones of two documents are one, so what did not change need not be looked into. */
export class Names {
  readonly #names = new Map<string, number>();
  readonly #seen = new WeakMap<object, number>();

  of({ schema, document }: Literal): number {
    const known = typeof schema === "object" && schema !== null ? this.#seen.get(schema) : undefined;
    if (known !== undefined) return known;
    const text = toCanonicalJson(schema);
    // With references it means something in its own document only.
    const full = text.includes('"$ref"') ? `${text} in ${this.#documentName(document)}` : text;
    const name = this.#names.get(full) ?? this.#names.size;
    this.#names.set(full, name);
    if (isRecord(schema)) this.#seen.set(schema, name);
    return name;
  }

  readonly #documents = new Map<string, number>();
  #documentName(document: unknown): number {
    const text = toCanonicalJson(document);
    const name = this.#documents.get(text) ?? this.#documents.size;
    this.#documents.set(text, name);
    return name;
  }
}
