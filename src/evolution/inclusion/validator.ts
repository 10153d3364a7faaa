import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { multiplePrecision } from "./numbers.ts";

/** The independent judge: what this engine claims of a value is claimed only if Ajv says the same. */
export class Validator {
  readonly #ajv = new Ajv2020({
    strict: false,
    allErrors: true,
    logger: false,
    validateFormats: true,
    multipleOfPrecision: multiplePrecision,
  });
  readonly #compiled = new WeakMap<object, ValidateFunction>();

  constructor() {
    addFormats.default(this.#ajv);
  }

  isValid(schema: unknown, value: unknown): boolean {
    return this.#compile(schema)(value) === true;
  }

  /** What is wrong with a value: where, and which keyword says so. The first that is not a mere frame around others. */
  refusals(schema: unknown, value: unknown): readonly Refusal[] {
    const validate = this.#compile(schema);
    if (validate(value)) return [];
    return (validate.errors ?? []).map(({ instancePath, keyword, params, message = "" }) => ({
      path: instancePath,
      keyword,
      params,
      message,
    }));
  }

  #compile(schema: unknown): ValidateFunction {
    if (typeof schema === "boolean") return this.#ajv.compile(schema);
    const known = this.#compiled.get(schema as object);
    if (known) return known;
    // Without its id: two versions of one schema may have the same.
    const { $id: _id, ...rest } = schema as Record<string, unknown>;
    const compiled = this.#ajv.compile(rest);
    this.#compiled.set(schema as object, compiled);
    return compiled;
  }
}

export interface Refusal {
  /** A JSON Pointer into the value. */
  readonly path: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message: string;
}
