import {
  type AnyQuery,
  type Duration,
  type In,
  type JsonSchema,
  type Named,
  toJsonSchema,
} from "../../contracts/index.ts";
import type { MatchingPlan } from "../match/matching.ts";
import type { AnyNested, Nested } from "../nested.ts";
import type { Unusable } from "../normalise/unusable.ts";
import type { Candidate, FieldPlan } from "../rules.ts";
import type { FieldScope } from "../scope.ts";
import type { AnySource } from "../source.ts";
import { type Order, plansIn, toOrder } from "../union.ts";
import { type Frozen, toPlans, toView, type View } from "../view.ts";

/** What a page of a list looks like in a contract. Its `items` are what the rules make of the records. */
export interface Listed<Item> {
  readonly items: readonly Item[];
  /** Whether every source had everything; without that, something may be missing from the list and nobody knows what. */
  readonly complete: boolean;
  /** Where there is a further page: what to hand in as `after`. */
  readonly next?: string | undefined;
  /** The sources of which not everything is there. */
  readonly missing?: readonly string[] | undefined;
  /** How many there are on all pages together. */
  readonly found?: number | undefined;
}
type ItemOf<Op extends AnyQuery> = In<Op["output"]> extends { readonly items: readonly (infer Item)[] } ? Item : never;
type ListOf<K extends PropertyKey, V, P extends string> = Candidate<
  readonly { readonly [F in K]?: Frozen<NonNullable<V>> | Unusable | null | undefined }[],
  P
>;
/** One rule a field of an item, over sources of lists; `nested` for what is asked for on one page alone. */
type ItemRules<Item, P extends string> = {
  readonly [K in keyof Item]: ListOf<K, Item[K], P> | Nested<Frozen<NonNullable<Item[K]>>, keyof Item & string>;
};

/** A list fused from several, as plain data. */
export interface ListPlan {
  /** The fields that records of the same thing share, or how it is found out that they are. */
  readonly same: { readonly by: readonly string[] } | { readonly matching: MatchingPlan };
  /** The field of a record with its instant, for `latest`. */
  readonly asOf?: string;
  /** What every item of a page gets beside what its records say. */
  readonly nested: { readonly [field: string]: FieldScope };
  readonly where: { readonly [field: string]: (item: any, wanted: any) => boolean }; // the item as fused, the input as checked
  readonly orderBy: readonly Order[];
  readonly sortable: readonly string[];
  readonly size: { readonly usual: number; readonly most: number };
}

/**
 * Declares how a query for a list is answered: the lists of several sources are read, records of the same thing are
 * found and fused field by field, then filtered, ordered and cut into pages. The query's input may have `after` (the
 * cursor that `next` gave), `limit` and `sort` (like `"name,-city"`, of `sortable`). Throws for what cannot be meant.
 */
export function list<
  Op extends AnyQuery & Named & { readonly output: { readonly "~standard": { readonly types?: Accepts | undefined } } },
  const R extends readonly AnySource[] = [],
>(
  operation: Op,
  parts: {
    readonly budget: Duration;
    readonly require?: R;
    /** The field or fields that records of the same thing have in common, or `matching(…)`. */
    readonly same: (keyof ItemOf<Op> & string) | readonly (keyof ItemOf<Op> & string)[] | MatchingPlan;
    readonly fields: NoInfer<ItemRules<ItemOf<Op>, keyof In<Op["input"]> & string>>;
    /** The field of a record with the instant of which it speaks, for `latest`. */
    readonly asOf?: string;
    /** By field of the input: which items it asks for. Not asked where the input leaves it out. Pure. */
    readonly where?: {
      readonly [K in keyof In<Op["input"]>]?: (
        item: Partial<ItemOf<Op>>,
        wanted: NonNullable<In<Op["input"]>[K]>,
      ) => boolean;
    };
    /** Where `sort` says nothing else. What is equal here is ordered by what makes it the same, so a page has one order. */
    readonly orderBy?: readonly `${"" | "-"}${keyof ItemOf<Op> & string}`[];
    /** What `sort` may name. */
    readonly sortable?: readonly (keyof ItemOf<Op> & string)[];
    /** How many items a page has: 50 unless the caller's `limit` says otherwise, and never more than 200. */
    readonly size?: { readonly usual?: number; readonly most?: number };
  },
): View<Op["id"], Op> {
  const { same, asOf, where = {}, orderBy = [], sortable = [], size = {} } = parts;
  const { most = 200, usual = Math.min(50, most) } = size;
  if (![usual, most].every((count) => Number.isInteger(count) && count > 0 && count <= 10_000) || usual > most)
    throw new TypeError(`The pages of ${operation.id} have 1 to 10,000 items, and usually no more than at most.`);
  const rules = Object.entries(parts.fields as { readonly [field: string]: AnyRule }); // every rule carries its plan
  const nested = Object.fromEntries(rules.filter((rule): rule is [string, AnyNested] => rule[1].kind === "nested"));
  const fields = toPlans(
    Object.fromEntries(rules.filter((rule): rule is [string, FieldRule] => rule[1].kind === "rule")),
  );
  const isDated = Object.values(fields).some((plan) => plan.kind === "choice" && plan.by === "latest");
  if (isDated && asOf === undefined)
    throw new TypeError(
      `${operation.id} takes the latest of several records, so \`asOf\` must say where their instant is.`,
    );
  refuseMore(operation);
  refusePersonal(operation, [
    ...orderBy.map((text) => toOrder(text).field),
    ...sortable,
    ...("compare" in Object(same) ? [] : ([same].flat() as string[])),
  ]);
  const plan: ListPlan = {
    same: toSame(same),
    ...(asOf !== undefined && { asOf }),
    nested: plansIn(nested),
    where: where as ListPlan["where"],
    orderBy: orderBy.map(toOrder),
    sortable,
    size: { usual, most },
  };
  return toView(operation, parts, fields, Object.freeze(plan));
}
interface Accepts {
  readonly input: Listed<any>; // whatever its items are
  readonly output: unknown;
}
type FieldRule = { readonly kind: "rule"; readonly plan: FieldPlan };
type AnyRule = FieldRule | Nested<any, any>; // each was checked against its field

function toSame(same: string | readonly string[] | MatchingPlan): ListPlan["same"] {
  if (typeof same === "string") return { by: [same] };
  if (!("compare" in same)) return { by: same };
  return { matching: same };
}

/** A cursor says where an item stands, and travels in addresses, which are logged everywhere. */
function refusePersonal(operation: AnyQuery & Named, fields: readonly string[]): void {
  const item = itemSchema(toJsonSchema(operation.output)).properties ?? {};
  for (const field of fields)
    if (JSON.stringify((item as { readonly [name: string]: unknown })[field] ?? null).includes('"x-personal":true'))
      throw new TypeError(
        `${operation.id} cannot be ordered by "${field}" or matched with it alone: it is personal, and a cursor would carry it.`,
      );
}

/** What the contract says of one item. */
export function itemSchema(output: JsonSchema): JsonSchema {
  const at = (schema: unknown, name: string): unknown =>
    typeof schema === "object" && schema !== null ? (schema as JsonSchema)[name] : undefined;
  return (at(at(at(output, "properties"), "items"), "items") ?? {}) as JsonSchema; // no schema says nothing
}

/** An answer that the contract wants more of than a list has could never be given. */
function refuseMore(operation: AnyQuery & Named): void {
  const { required } = toJsonSchema(operation.output);
  const given = ["items", "complete", "next", "missing", "found"];
  const more = (Array.isArray(required) ? required : []).filter((name) => !given.includes(name));
  if (more.length > 0 || (Array.isArray(required) && required.includes("next")))
    throw new TypeError(
      `${operation.id} must answer with what a list has: items, complete, and if it likes next (optional), missing and found; not with ${more.join(", ") || "a next that is always there"}.`,
    );
}
