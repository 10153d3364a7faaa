import type * as FastCheck from "fast-check";
import {
  type AnyContract,
  type AnySchema,
  type Named,
  nothing,
  type Operation,
  toCanonicalJson,
  toJsonSchema,
  toProjection,
  validate,
} from "../../contracts/index.ts";
import { loadFastCheck, Values } from "../values/values.ts";
import { toSpoils } from "./spoil.ts";
import { type Ended, type Implementation, type Target, toTarget } from "./target.ts";

export interface VerifyOptions {
  /** How many random calls a rule gets, beside the examples. 50 unless told. */
  readonly runs?: number;
  /** The same seed draws the same calls; a report tells its own. */
  readonly seed?: number;
  /** By their names; all that can be reached unless told. */
  readonly operations?: readonly string[];
  /**
   * A reading of what is kept, as plain JSON. Where it is given, a query has to leave it as it was, and a repetition under
   * the same key too.
   */
  readonly observe?: () => Promise<unknown>;
}

export type VerifiedRule = "valid input" | "invalid input" | "repetition" | "reading";
export interface Verified {
  readonly operation: string;
  readonly rule: VerifiedRule;
  readonly runs: number;
  /** The smallest call that was found to break the rule; nothing where it holds. */
  readonly broken?: { readonly why: string; readonly input: unknown; readonly shrunk: number };
}
export interface Verification {
  readonly ok: boolean;
  readonly seed: number;
  readonly verified: readonly Verified[];
  /** For people: what holds, and what does not with its counterexample. */
  readonly text: string;
}

/**
 * Calls an implementation of a contract again and again: valid inputs have to give valid outputs or declared failures,
 * invalid ones have to be refused, a repetition under the same key has to give the same answer. What breaks a rule is
 * shrunk to the smallest input that does. Effects are real: verify what may be written to.
 */
export async function verify(
  contract: AnyContract,
  implementation: Implementation,
  options: VerifyOptions = {},
): Promise<Verification> {
  const fc = await loadFastCheck();
  const { seed = Math.floor(Math.random() * 2 ** 31), runs = 50, operations: wanted } = options;
  const target = toTarget(contract, implementation);
  const { name } = contract["~contract"];
  const chosen = target.operations.filter(({ id }) => !wanted || wanted.includes(id.slice(name.length + 1)));
  const unknown = wanted?.find((one) => !target.operations.some(({ id }) => id === `${name}.${one}`));
  if (unknown !== undefined) throw new TypeError(`"${name}" has no operation "${unknown}" that can be reached there.`);
  const verifier = new Verifier(fc, target, { seed, runs, observe: options.observe });
  const verified: Verified[] = [];
  for (const operation of chosen) verified.push(...(await verifier.all(operation)));
  const ok = verified.every(({ broken }) => broken === undefined);
  return { ok, seed, verified, text: inWords(contract, verified, seed) };
}

interface Settings {
  readonly seed: number;
  readonly runs: number;
  readonly observe: (() => Promise<unknown>) | undefined;
}
/** Says why a rule is broken by this input; nothing where it is not. */
type Trial = (input: unknown) => Promise<string | undefined>;

class Verifier {
  readonly #fc: typeof FastCheck;
  readonly #values: Values;
  readonly #target: Target;
  readonly #settings: Settings;
  #keys = 0;
  constructor(fc: typeof FastCheck, target: Target, settings: Settings) {
    this.#fc = fc;
    this.#values = new Values(fc);
    this.#target = target;
    this.#settings = settings;
  }

  async all(operation: Operation & Named): Promise<readonly Verified[]> {
    const { observe } = this.#settings;
    return [
      await this.#holds(operation, "valid input", (input) => this.#answersWell(operation, input)),
      ...(await this.#refuses(operation)),
      ...(operation.kind === "command" && operation.idempotent
        ? [await this.#holds(operation, "repetition", (input) => this.#repeatsWell(operation, input))]
        : []),
      ...(operation.kind === "query" && observe
        ? [await this.#holds(operation, "reading", (input) => this.#changesNothing(operation, input, observe))]
        : []),
    ];
  }

  async #holds(operation: Operation & Named, rule: VerifiedRule, trial: Trial): Promise<Verified> {
    const fc: typeof FastCheck = this.#fc;
    const property = fc.asyncProperty(this.#values.arbitrary(operation.input), async (input) => {
      fc.pre(await this.#isCallable(operation, input));
      const why = await trial(input);
      if (why !== undefined) throw new Broken(why);
    });
    const examples = operation.examples.map(({ input }): [unknown] => [input]);
    return this.#report(operation, rule, await fc.check(property, { ...this.#parameters, examples }));
  }

  async #refuses(operation: Operation & Named): Promise<readonly Verified[]> {
    const fc: typeof FastCheck = this.#fc;
    // In a backend, what is invalid is refused before a provider is asked.
    const spoils = this.#target.isOutside ? toSpoils(fc, operation) : undefined;
    if (!spoils) return [];
    const project = toProjection(toJsonSchema(operation.input));
    const property = fc.asyncProperty(this.#values.arbitrary(operation.input), spoils, async (input, [how, spoil]) => {
      fc.pre(await this.#isCallable(operation, input));
      const spoilt = spoil(input);
      const { value, findUndeclared } = project(spoilt);
      fc.pre(findUndeclared().length > 0 || !(await validate(operation.input, value)).ok);
      const ended = await this.#target.call(operation, spoilt, this.#nextKey(operation));
      const isRefused = ended.kind === "fault" && (ended.code === "InvalidInput" || ended.code === "MalformedBody");
      if (!isRefused) throw new Broken(`An input ${how} has to be refused as InvalidInput; ${said(ended)}`, spoilt);
    });
    return [this.#report(operation, "invalid input", await fc.check(property, this.#parameters))];
  }

  async #answersWell(operation: Operation & Named, input: unknown): Promise<string | undefined> {
    return wrongWith(operation, await this.#target.call(operation, input, this.#nextKey(operation)));
  }

  async #repeatsWell(operation: Operation & Named, input: unknown): Promise<string | undefined> {
    const { observe } = this.#settings;
    const key = this.#nextKey(operation);
    const first = await this.#target.call(operation, input, key);
    const between = observe && toCanonicalJson(await observe());
    const second = await this.#target.call(operation, input, key);
    if (toCanonicalJson(first) !== toCanonicalJson(second))
      return `The same call under the same key has to end the same way. First: ${said(first)} Then: ${said(second)}`;
    if (observe && toCanonicalJson(await observe()) !== between)
      return "The same call under the same key took effect again: what is kept is not as it was after the first.";
    return undefined;
  }

  async #changesNothing(
    operation: Operation & Named,
    input: unknown,
    observe: () => Promise<unknown>,
  ): Promise<string | undefined> {
    const before = toCanonicalJson(await observe());
    await this.#target.call(operation, input, undefined);
    return toCanonicalJson(await observe()) === before ? undefined : "A query changed what is kept.";
  }

  /** Whether the schema itself takes it, and whether it can travel: an address has no empty segments. */
  async #isCallable({ input: schema, route }: Operation, input: unknown): Promise<boolean> {
    if (!(await validate(schema, input)).ok) return false;
    if (!this.#target.isOutside || !route) return true;
    const fields = input as Record<string, unknown>;
    return route.params.every(
      (name) => !["", ".", "..", "undefined"].includes(String(fields[name])) && !/[\0\\/]/.test(String(fields[name])),
    );
  }

  #report<T extends [unknown, ...unknown[]]>(
    operation: Operation & Named,
    rule: VerifiedRule,
    details: FastCheck.RunDetails<T>,
  ): Verified {
    const { failed, numRuns, numShrinks, counterexample, errorInstance, numSkips } = details;
    const about = { operation: operation.id, rule, runs: numRuns };
    if (!failed) return about;
    if (!counterexample)
      return {
        ...about,
        broken: {
          why: `Of ${numSkips} inputs that were drawn the schema took nearly none: it asks for more than its JSON Schema says, or for patterns and lengths that are not met together by chance. Give the operation examples, or leave it out.`,
          ...{ input: undefined, shrunk: 0 },
        },
      };
    const broken = errorInstance instanceof Broken ? errorInstance : undefined;
    const why = broken?.message ?? (errorInstance instanceof Error ? errorInstance.message : String(errorInstance));
    const input = broken && "input" in broken ? broken.input : counterexample[0];
    return { ...about, broken: { why, input: input ?? counterexample[0], shrunk: numShrinks } };
  }

  get #parameters(): { readonly seed: number; readonly numRuns: number; readonly maxSkipsPerRun: number } {
    return { seed: this.#settings.seed, numRuns: this.#settings.runs, maxSkipsPerRun: 50 };
  }

  #nextKey({ kind }: Operation): string | undefined {
    return kind === "command" ? `verify-${this.#settings.seed}-${this.#keys++}` : undefined;
  }
}

class Broken extends Error {
  readonly input: unknown;
  constructor(why: string, input?: unknown) {
    super(why);
    this.input = input;
  }
}

async function wrongWith(operation: Operation & Named, ended: Ended): Promise<string | undefined> {
  if (ended.kind === "odd") return ended.why;
  if (ended.kind === "fault")
    return `A valid input ended with ${ended.code} (${ended.status}), which no contract declares: ${ended.detail}`;
  if (ended.kind === "failure") {
    const declared = Object.hasOwn(operation.failures, ended.code) ? operation.failures[ended.code] : undefined;
    if (!declared) return `It ended with ${ended.code}, which is none of its failures.`;
    const trouble = declared.details && (await troubleOf(declared.details, ended.details));
    return trouble && `The details of ${ended.code} break the contract: ${trouble}`;
  }
  if (operation.output === nothing)
    return ended.output === undefined ? undefined : "It answered with something, and its contract promises nothing.";
  const trouble = await troubleOf(operation.output, ended.output);
  return trouble && `Its output breaks the contract: ${trouble}. It was ${JSON.stringify(ended.output)}`;
}

async function troubleOf(schema: AnySchema, value: unknown): Promise<string | undefined> {
  const read = await validate(schema, value);
  return read.ok ? undefined : read.issues.map(({ path, message }) => `${path || "/"}: ${message}`).join("; ");
}

function said(ended: Ended): string {
  if (ended.kind === "answer") return `it answered ${JSON.stringify(ended.output) ?? "with nothing"}.`;
  if (ended.kind === "odd") return ended.why;
  return `it ended with ${ended.code}.`;
}

function inWords(contract: AnyContract, verified: readonly Verified[], seed: number): string {
  const { name, version } = contract["~contract"];
  const lines = verified.flatMap(({ operation, rule, runs, broken }) =>
    broken
      ? [
          `✗ ${operation}: ${rule}`,
          `    ${broken.why}`,
          `    with ${JSON.stringify(broken.input)} (shrunk ${broken.shrunk} times)`,
        ]
      : [`✓ ${operation}: ${rule} (${runs} calls)`],
  );
  return [`${name} ${version}, seed ${seed}`, ...lines].join("\n");
}
