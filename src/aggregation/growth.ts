import type { Part } from "../contracts/index.ts";
import { type Assembled, assemble } from "./assemble.ts";
import type { Gathering } from "./gathering.ts";
import type { Reading } from "./reading/reading.ts";
import type { FieldPlan } from "./rules.ts";
import { everySource, type FieldScope } from "./scope.ts";
import { Telling } from "./telling.ts";
import type { AnyView } from "./view.ts";

/** Brings what was fused into the form of the contract; `undefined` where it breaks it. */
type Check = (fields: { readonly [field: string]: unknown }) => Promise<unknown>;

/**
 * Tells of an answer while its sources are still answering: what the rules make of those that have. Nothing is told
 * before every required source has a value, for until then the answer may still be a failure. A field whose default
 * would count waits for the rest.
 */
export class Growth {
  readonly #view: AnyView;
  readonly #check: Check;
  readonly #telling: Telling;
  readonly #readings = new Map<string, Reading>();
  readonly #settled = new Map<string, Assembled>();
  constructor(view: AnyView, check: Check, tell: (part: Part) => void) {
    this.#view = view;
    this.#check = check;
    this.#telling = new Telling(() => this.#part(), tell);
  }

  /** Hears of every source of a scope, each as soon as it has answered. */
  follow(gathering: Gathering, { sources }: FieldScope): void {
    for (const source of sources) void Promise.resolve(gathering.read(source)).then((reading) => this.#add(reading));
  }

  #add(reading: Reading): void {
    this.#readings.set(reading.source, reading);
    this.#telling.changed();
  }

  /** A field that is as it will be. */
  settle(field: string, assembled: Assembled): void {
    this.#settled.set(field, assembled);
    if (isDeep(this.#view.scope.fields[field])) this.#telling.changed();
  }

  /** From here on nothing more is told. */
  end(): void {
    this.#telling.end();
  }

  async #part(): Promise<Part | undefined> {
    const pending = this.#pending();
    const fields = this.#fused(pending);
    const wire = fields && (await this.#check(fields));
    return wire === undefined ? undefined : { wire, pending };
  }

  /** The sources that are waited for, those of what is nested in a list included. */
  #pending(): readonly string[] {
    const { sources, fields } = this.#view.scope;
    const asked = sources.map(({ name }) => name).filter((name) => !this.#readings.has(name));
    const nested = Object.entries(fields).flatMap(([name, plan]) =>
      plan.kind === "union" && !this.#settled.has(name) ? Object.values(plan.nested).flatMap(everySource) : [],
    );
    return [...new Set([...asked, ...nested.map(({ name }) => name)])];
  }

  #fused(pending: readonly string[]): { readonly [field: string]: unknown } | undefined {
    const isThere = (name: string): boolean =>
      ["fresh", "stale"].includes(this.#readings.get(name)?.meta.state ?? "down");
    // When everything is there, the answer tells it itself.
    const { fields } = this.#view.scope;
    if (pending.length === 0 || !this.#view.require.every(isThere)) return undefined;
    const known = Object.entries(fields).flatMap(([name, plan]): readonly [string, unknown][] => {
      // What is nested in a list is asked for once the list is there, and the contract may want it.
      if (isDeep(plan) && !this.#settled.has(name)) return [];
      const { value, meta } = this.#settled.get(name) ?? assemble(name, plan, this.#readings);
      const waits = meta.state === "default" && plan.sources.some((source) => pending.includes(source.name));
      return value === undefined || waits ? [] : [[name, value]];
    });
    return known.length === 0 ? undefined : Object.fromEntries(known);
  }
}

const isDeep = (plan: FieldPlan | undefined): boolean => plan?.kind === "union" && Object.keys(plan.nested).length > 0;
