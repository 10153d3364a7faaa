import type { Part } from "../../contracts/index.ts";
import type { Reading } from "../reading/reading.ts";
import { everySource, type FieldScope } from "../scope.ts";
import { Telling } from "../telling.ts";
import type { AnyView } from "../view.ts";

/** What a list says around its items. */
export interface Around {
  readonly complete: boolean;
  readonly missing: readonly string[];
  readonly found: number;
  readonly next?: string;
}
/** A page before its items are asked for more. */
export interface Begun {
  readonly found: number;
  readonly items: readonly unknown[];
  readonly next?: string;
}
/** How a page comes about. */
interface Making {
  readonly begin: (readings: ReadonlyMap<string, Reading>) => Begun;
  /** Brings a page into the form of the contract; `undefined` where it breaks it. */
  readonly check: (around: Around, items: readonly unknown[]) => Promise<unknown>;
}

/**
 * Tells of a page of a list while its sources are still answering: first what the lists that are there come to, then the
 * page of all of them, then what its items are asked for, field by field. Nothing is told before every required source
 * has a list. A page of some of the lists is not complete, and has no `next`: where it ends may still change.
 */
export class GrowingList {
  readonly #view: AnyView;
  readonly #nested: { readonly [field: string]: FieldScope };
  readonly #making: Making;
  readonly #telling: Telling;
  readonly #readings = new Map<string, Reading>();
  /** Once all lists are there: the page, and which nested fields it waits for. */
  #page: { readonly around: Around; items: readonly unknown[]; waiting: readonly string[] } | undefined;
  constructor(
    view: AnyView,
    nested: { readonly [field: string]: FieldScope },
    making: Making,
    tell: (part: Part) => void,
  ) {
    this.#view = view;
    this.#nested = nested;
    this.#making = making;
    this.#telling = new Telling(() => this.#part(), tell);
  }

  add(reading: Reading): void {
    this.#readings.set(reading.source, reading);
    this.#telling.changed();
  }

  /** All lists are there; the items of the page are asked for more. */
  enriching(around: Around, items: readonly unknown[]): void {
    this.#page = { around, items, waiting: Object.keys(this.#nested) };
    this.#telling.changed();
  }

  /** The items with some of their nested fields; others are waited for. */
  enriched(items: readonly unknown[], waiting: readonly string[]): void {
    if (!this.#page) return;
    this.#page = { ...this.#page, items, waiting };
    this.#telling.changed();
  }

  /** From here on nothing more is told. */
  [Symbol.dispose](): void {
    this.#telling.end();
  }

  #part(): Promise<Part | undefined> {
    return this.#page ? this.#partOfAll(this.#page) : this.#partOfSome();
  }

  async #partOfAll({
    around,
    items,
    waiting,
  }: {
    readonly around: Around;
    readonly items: readonly unknown[];
    readonly waiting: readonly string[];
  }): Promise<Part | undefined> {
    // When everything is there, the answer tells it itself.
    if (waiting.length === 0) return undefined;
    const wire = await this.#making.check(around, items);
    return wire === undefined ? undefined : { wire, pending: this.#sourcesOf(waiting) };
  }

  async #partOfSome(): Promise<Part | undefined> {
    const { scope, require } = this.#view;
    const names = scope.sources.map(({ name }) => name);
    const isThere = (name: string): boolean =>
      ["fresh", "stale"].includes(this.#readings.get(name)?.meta.state ?? "down");
    const waiting = names.filter((name) => !this.#readings.has(name));
    const hasOne = names.some((name) => Array.isArray(this.#readings.get(name)?.value));
    if (waiting.length === 0 || !hasOne || !require.every(isThere)) return undefined;
    // In the order of declaration, whoever came first.
    const readings = names.flatMap((name) => this.#readings.get(name) ?? []);
    const { found, items } = this.#making.begin(new Map(readings.map((reading) => [reading.source, reading])));
    const partial = readings.filter(isPartial).map(({ source }) => source);
    const missing = names.filter((name) => waiting.includes(name) || partial.includes(name));
    const wire = await this.#making.check({ complete: false, missing, found }, items);
    if (wire === undefined) return undefined;
    return { wire, pending: [...waiting, ...this.#sourcesOf(Object.keys(this.#nested))] };
  }

  #sourcesOf(fields: readonly string[]): readonly string[] {
    const sources = fields.flatMap((field) => everySource(this.#nested[field] as FieldScope)); // one of its own fields
    return [...new Set(sources.map(({ name }) => name))];
  }
}

/** Whether something that this source has may not be there. */
export const isPartial = ({ meta, value }: Reading): boolean =>
  (meta.state !== "fresh" && meta.state !== "stale" && meta.state !== "missing") ||
  meta.complete === false ||
  (value !== undefined && !Array.isArray(value));
