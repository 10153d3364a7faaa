import { toStandardJsonSchema } from "@valibot/to-json-schema";
import {
  type AnyContract,
  command,
  contract,
  event,
  failure,
  personal,
  query,
  type Schema,
  signal,
  subject,
  upcast,
} from "trilith/contracts";
import * as v from "valibot";
import { z } from "zod";

/** A change of a contract, and what should be said of it. */
export interface Case {
  readonly group: string;
  readonly name: string;
  readonly level: "none" | "patch" | "minor" | "major";
  /** Every rule that is found, in any order. */
  readonly rules: readonly string[];
  readonly before: AnyContract;
  /** With the version that the change asks for, and a migration note where it is a major one. */
  readonly after: AnyContract;
  /** The same change under the version that was published. */
  readonly unannounced: AnyContract;
  /** What no version makes good: an upcaster is missing, a stored event is gone. */
  readonly hopeless: boolean;
}

type Level = Case["level"];
type Members = Parameters<typeof contract>[2];
const next = { none: "1.0.0", patch: "1.0.1", minor: "1.1.0", major: "2.0.0" } as const;
const hopelessRules = [
  "event.upcaster-missing",
  "event.history-changed",
  "event.version-lowered",
  "event.removed",
  "stored-input.upcaster-missing",
];

function toCase(
  group: string,
  name: string,
  level: Level,
  rules: readonly string[],
  before: Members,
  after: Members,
): Case {
  const found = level === "major" ? [...rules, "contract.described"] : rules;
  const migration = level === "major" ? { migration: "Call it as the guide says." } : {};
  return {
    group,
    name,
    level,
    rules: found,
    before: contract("seats", "1.0.0", before),
    after: contract("seats", { version: next[level], ...migration }, after),
    unannounced: contract("seats", { version: "1.0.0", ...migration }, after),
    hopeless: rules.some((rule) => hopelessRules.includes(rule)),
  };
}

type Any = Schema<any, any>;
type Row = readonly [name: string, before: Any, after: Any, level: Level, ...rules: string[]];
const inputs = (rows: readonly Row[]): readonly Case[] =>
  rows.map(([name, before, after, level, ...rules]) =>
    toCase("input", name, level, rules, { hold: command({ input: before }) }, { hold: command({ input: after }) }),
  );
const outputs = (rows: readonly Row[]): readonly Case[] =>
  rows.map(([name, before, after, level, ...rules]) =>
    toCase(
      "output",
      name,
      level,
      rules,
      { get: query({ input: z.object({}), output: before }) },
      { get: query({ input: z.object({}), output: after }) },
    ),
  );
const events = (rows: readonly Row[]): readonly Case[] =>
  rows.map(([name, before, after, level, ...rules]) =>
    toCase("event", name, level, rules, { Held: event(before) }, { Held: event(after) }),
  );

const o = z.object;
const field = (schema: z.ZodType): Any => o({ seat: schema });
const tree = (leaf: z.ZodType): z.ZodType => {
  const node: z.ZodType = o({
    value: leaf,
    get kids() {
      return z.array(node).optional();
    },
  });
  return node;
};
const valibot = (schema: v.GenericSchema): Any => toStandardJsonSchema(schema) as Any;
const shape = (name: string, more: z.ZodRawShape = {}) => o({ kind: z.literal(name), ...more });
const limited = (...limits: number[]) =>
  z.union(limits.map((limit, at) => shape(`${at}`, { limit: z.int().default(limit) })));
const named = (isPersonal: boolean): Any =>
  z.union([
    shape("a", { name: isPersonal ? personal(z.string()) : z.string() }),
    shape("b", { name: personal(z.string()) }),
  ]);

const accepted = inputs([
  ["nothing changes", field(z.string()), field(z.string()), "none"],
  ["the same is said in another library", field(z.string()), valibot(v.object({ seat: v.string() })), "none"],
  [
    "a description is added",
    field(z.string()),
    field(z.string().describe("As on the boarding pass.")),
    "patch",
    "schema.described",
  ],
  ["fields change their order", o({ a: z.string(), b: z.int() }), o({ b: z.int(), a: z.string() }), "none"],
  [
    "two spellings of one union",
    field(z.enum(["a", "b"])),
    field(z.union([z.literal("a"), z.literal("b")])),
    "patch",
    "schema.described",
  ],
  [
    "an optional field is added",
    o({ a: z.string() }),
    o({ a: z.string(), b: z.string().optional() }),
    "minor",
    "schema.widened",
  ],
  [
    "a field with a default is added",
    o({ a: z.string() }),
    o({ a: z.string(), b: z.string().default("x") }),
    "minor",
    "schema.widened",
  ],
  [
    "a required field is added",
    o({ a: z.string() }),
    o({ a: z.string(), b: z.string() }),
    "major",
    "input.missing-field",
  ],
  [
    "two required fields are added",
    o({}),
    o({ a: z.string(), b: z.string() }),
    "major",
    "input.missing-field",
    "input.missing-field",
  ],
  ["an optional field is removed", o({ a: z.string().optional() }), o({}), "major", "input.unknown-field"],
  ["a required field is removed", o({ a: z.string() }), o({}), "major", "input.unknown-field"],
  [
    "a field is renamed",
    o({ seat: z.string() }),
    o({ place: z.string() }),
    "major",
    "input.missing-field",
    "input.unknown-field",
  ],
  [
    "an optional field becomes required",
    o({ a: z.string().optional() }),
    o({ a: z.string() }),
    "major",
    "input.missing-field",
  ],
  [
    "a required field becomes optional",
    o({ a: z.string() }),
    o({ a: z.string().optional() }),
    "minor",
    "schema.widened",
  ],
  [
    "a field with a default becomes required",
    o({ a: z.string().default("x") }),
    o({ a: z.string() }),
    "major",
    "input.missing-field",
    "default.removed",
  ],
  [
    "a required field gets a default",
    o({ a: z.string() }),
    o({ a: z.string().default("x") }),
    "minor",
    "schema.widened",
    "default.added",
  ],
  [
    "a default changes",
    o({ limit: z.int().default(20) }),
    o({ limit: z.int().default(50) }),
    "major",
    "default.changed",
  ],
  [
    "a default is taken out of an optional field",
    o({ limit: z.int().default(20) }),
    o({ limit: z.int().optional() }),
    "minor",
    "default.removed",
  ],
  ["a text becomes a number", field(z.string()), field(z.number()), "major", "input.type"],
  ["a number becomes a whole one", field(z.number()), field(z.int()), "major", "input.type"],
  ["a whole number becomes any", field(z.int()), field(z.number()), "minor", "schema.widened"],
  ["null is accepted", field(z.string()), field(z.string().nullable()), "minor", "schema.widened"],
  ["null is no longer accepted", field(z.string().nullable()), field(z.string()), "major", "input.type"],
  ["a list stands where one item stood", field(z.string()), field(z.array(z.string())), "major", "input.type"],
  ["one of several types goes", field(z.union([z.string(), z.int()])), field(z.string()), "major", "input.type"],
  ["anything becomes something", field(z.unknown()), field(z.string()), "major", "input.type"],
  [
    "something becomes anything",
    field(z.string()),
    o({ seat: z.any().refine((x) => x !== undefined) }),
    "minor",
    "schema.widened",
  ],
  ["a value is added to an enum", field(z.enum(["a"])), field(z.enum(["a", "b"])), "minor", "schema.widened"],
  ["a value of an enum goes", field(z.enum(["a", "b"])), field(z.enum(["a"])), "major", "input.value"],
  ["an enum becomes any text", field(z.enum(["a"])), field(z.string()), "minor", "schema.widened"],
  ["any text becomes an enum", field(z.string()), field(z.enum(["a"])), "major", "input.value"],
  ["a constant changes", field(z.literal("a")), field(z.literal("b")), "major", "input.value"],
  ["a lower bound rises", field(z.number().min(0)), field(z.number().min(1)), "major", "input.range"],
  ["a lower bound falls", field(z.number().min(1)), field(z.number().min(0)), "minor", "schema.widened"],
  ["an upper bound falls", field(z.number().max(9)), field(z.number().max(8)), "major", "input.range"],
  ["a bound no longer counts itself", field(z.number().min(0)), field(z.number().positive()), "major", "input.range"],
  ["a bound is added", field(z.number()), field(z.number().max(100)), "major", "input.range"],
  [
    "cents instead of tenths",
    field(z.number().multipleOf(0.1)),
    field(z.number().multipleOf(0.01)),
    "minor",
    "schema.widened",
  ],
  ["tens instead of fives", field(z.number().multipleOf(5)), field(z.number().multipleOf(10)), "major", "input.range"],
  ["a least length is added", field(z.string()), field(z.string().min(1)), "major", "input.length"],
  ["a greatest length falls", field(z.string().max(9)), field(z.string().max(8)), "major", "input.length"],
  ["a greatest length rises", field(z.string().max(8)), field(z.string().max(9)), "minor", "schema.widened"],
  ["a pattern is added", field(z.string()), field(z.string().regex(/^[A-Z]{3}$/)), "major", "input.pattern"],
  [
    "a pattern lets in more",
    field(z.string().regex(/^[A-Z]{3}$/)),
    field(z.string().regex(/^[A-Z0-9]{3}$/)),
    "minor",
    "schema.widened",
  ],
  [
    "a pattern lets in less",
    field(z.string().regex(/^[A-Z0-9]{3}$/)),
    field(z.string().regex(/^[A-Z]{3}$/)),
    "major",
    "input.pattern",
  ],
  [
    "a pattern is said in another way",
    field(z.string().regex(/^[0-9]{2,3}$/)),
    field(z.string().regex(/^\d\d\d?$/)),
    "patch",
    "schema.described",
  ],
  [
    "a pattern becomes lengths",
    field(z.string().regex(/^.{2,3}$/)),
    field(z.string().min(2).max(3)),
    "minor",
    "schema.widened",
  ],
  [
    "a pattern that nobody can read",
    field(z.string().regex(/^(a|b)\1$/)),
    field(z.string().regex(/^(a|b|c)\1$/)),
    "major",
    "input.cannot-tell",
  ],
  ["an id is demanded", field(z.string()), field(z.uuid()), "major", "input.format"],
  ["an id is no longer demanded", field(z.uuid()), field(z.string()), "minor", "schema.widened"],
  ["an id of one version", field(z.uuid()), field(z.uuidv4()), "major", "input.pattern"],
  [
    "an instant with an offset",
    field(z.iso.datetime()),
    field(z.iso.datetime({ offset: true })),
    "minor",
    "schema.widened",
  ],
  [
    "an instant without an offset",
    field(z.iso.datetime({ offset: true })),
    field(z.iso.datetime()),
    "major",
    "input.pattern",
  ],
  ["a date becomes an instant", field(z.iso.date()), field(z.iso.datetime()), "major", "input.format"],
  ["an address of mail", field(z.string()), field(z.email()), "major", "input.format"],
  [
    "items may be more",
    field(z.array(z.string()).max(2)),
    field(z.array(z.string()).max(3)),
    "minor",
    "schema.widened",
  ],
  ["items must be more", field(z.array(z.string())), field(z.array(z.string()).min(1)), "major", "input.length"],
  ["items are narrower", field(z.array(z.string())), field(z.array(z.string().min(2))), "major", "input.length"],
  ["items are wider", field(z.array(z.int())), field(z.array(z.number())), "minor", "schema.widened"],
  ["a tuple grows", field(z.tuple([z.string()])), field(z.tuple([z.string(), z.int()])), "major", "input.length"],
  [
    "a tuple becomes a list",
    field(z.tuple([z.string(), z.string()])),
    field(z.array(z.string())),
    "minor",
    "schema.widened",
  ],
  ["a list becomes a tuple", field(z.array(z.string())), field(z.tuple([z.string()])), "major", "input.length"],
  [
    "a branch of a union is added",
    field(z.discriminatedUnion("kind", [shape("a")])),
    field(z.discriminatedUnion("kind", [shape("a"), shape("b")])),
    "minor",
    "schema.widened",
  ],
  [
    "a branch of a union goes",
    field(z.discriminatedUnion("kind", [shape("a"), shape("b")])),
    field(z.discriminatedUnion("kind", [shape("a")])),
    "major",
    "input.union",
  ],
  [
    "a branch of a union demands more",
    field(z.discriminatedUnion("kind", [shape("a"), shape("b")])),
    field(z.discriminatedUnion("kind", [shape("a"), shape("b", { row: z.int() })])),
    "major",
    "input.union",
  ],
  [
    "a branch of a union demands less",
    field(z.discriminatedUnion("kind", [shape("a", { row: z.int() })])),
    field(z.discriminatedUnion("kind", [shape("a", { row: z.int().optional() })])),
    "minor",
    "schema.widened",
  ],
  [
    "an intersection becomes an object",
    valibot(v.intersect([v.object({ a: v.string() }), v.object({ b: v.string() })])),
    o({ a: z.string(), b: z.string() }),
    "patch",
    "schema.described",
  ],
  [
    "an intersection demands more",
    valibot(v.intersect([v.object({ a: v.string() }), v.object({ b: v.string() })])),
    valibot(v.intersect([v.object({ a: v.string() }), v.object({ b: v.string(), c: v.number() })])),
    "major",
    "input.missing-field",
  ],
  [
    "a record takes fewer names",
    field(z.record(z.string(), z.int())),
    field(z.record(z.string().regex(/^[a-z]+$/), z.int())),
    "major",
    "input.pattern",
  ],
  [
    "a record takes other values",
    field(z.record(z.string(), z.int())),
    field(z.record(z.string(), z.string())),
    "major",
    "input.type",
  ],
  [
    "a record becomes an object",
    field(z.record(z.string(), z.string())),
    field(o({ a: z.string().optional() })),
    "major",
    "input.unknown-field",
  ],
  [
    "an open object is closed",
    field(z.looseObject({ a: z.string() })),
    field(o({ a: z.string() })),
    "major",
    "input.unknown-field",
  ],
  [
    "a strict object becomes a plain one",
    field(z.strictObject({ a: z.string() })),
    field(o({ a: z.string() })),
    "patch",
    "schema.described",
  ],
  ["a recursive shape widens", tree(z.int()), tree(z.number()), "minor", "schema.widened"],
  ["a recursive shape narrows", tree(z.number()), tree(z.int()), "major", "input.type"],
  [
    "a field deep inside is demanded",
    field(z.array(o({ a: o({}) }))),
    field(z.array(o({ a: o({ b: z.int() }) }))),
    "major",
    "input.missing-field",
  ],
  [
    "two things break in two places",
    o({ a: z.string(), b: z.number() }),
    o({ a: z.int(), b: z.number().min(1) }),
    "major",
    "input.type",
    "input.range",
  ],
  ["a field is marked as personal", field(z.string()), o({ seat: personal(z.string()) }), "minor", "personal.marked"],
  ["a field is no longer personal", o({ seat: personal(z.string()) }), field(z.string()), "major", "personal.dropped"],
  ["a default changes in one branch", limited(10, 20), limited(99, 20), "major", "default.changed"],
  ["defaults change places between branches", limited(10, 20), limited(20, 10), "major", "default.changed"],
  ["a branch comes with another default", limited(10), limited(10, 20), "minor", "schema.widened"],
  [
    "branches change their order",
    limited(10, 20),
    z.union([...limited(10, 20).options].reverse()),
    "patch",
    "schema.described",
  ],
  [
    "a default moves into a union",
    field(z.string().default("a")),
    field(z.string().nullable().default("a")),
    "minor",
    "schema.widened",
  ],
  ["a field of one branch is no longer personal", named(true), named(false), "major", "personal.dropped"],
  [
    "a default changes under a pattern",
    z.looseRecord(z.string().regex(/^a/), o({ a: z.int().default(1) })),
    z.looseRecord(z.string().regex(/^a/), o({ a: z.int().default(2) })),
    "major",
    "default.changed",
  ],
  [
    "cents end a cent earlier",
    field(z.number().min(0).max(0.29).multipleOf(0.01)),
    field(z.number().min(0).max(0.28).multipleOf(0.01)),
    "major",
    "input.range",
  ],
  [
    "another field says whose data it is",
    o({ a: subject(z.string()), b: z.string() }),
    o({ a: z.string(), b: subject(z.string()) }),
    "major",
    "subject.changed",
    "subject.changed",
  ],
  [
    "a list is read only",
    field(z.array(z.string())),
    field(z.array(z.string()).readonly()),
    "patch",
    "schema.access-mark",
  ],
]);

const returned = outputs([
  [
    "an optional field is added",
    o({ a: z.string() }),
    o({ a: z.string(), b: z.string().optional() }),
    "minor",
    "schema.narrowed",
  ],
  ["a required field is added", o({ a: z.string() }), o({ a: z.string(), b: z.string() }), "minor", "schema.narrowed"],
  ["a required field goes", o({ a: z.string(), b: z.string() }), o({ a: z.string() }), "major", "output.missing-field"],
  [
    "an optional field goes",
    o({ a: z.string(), b: z.string().optional() }),
    o({ a: z.string() }),
    "minor",
    "schema.narrowed",
  ],
  [
    "a required field becomes optional",
    o({ a: z.string() }),
    o({ a: z.string().optional() }),
    "major",
    "output.missing-field",
  ],
  [
    "an optional field becomes required",
    o({ a: z.string().optional() }),
    o({ a: z.string() }),
    "minor",
    "schema.narrowed",
  ],
  [
    "a field is added for strict readers",
    z.strictObject({ a: z.string() }),
    z.strictObject({ a: z.string(), b: z.string() }),
    "major",
    "output.unknown-field",
  ],
  ["null may come", field(z.string()), field(z.string().nullable()), "major", "output.type"],
  ["null no longer comes", field(z.string().nullable()), field(z.string()), "minor", "schema.narrowed"],
  ["a value of an enum may come", field(z.enum(["a"])), field(z.enum(["a", "b"])), "major", "output.value"],
  ["a value of an enum no longer comes", field(z.enum(["a", "b"])), field(z.enum(["a"])), "minor", "schema.narrowed"],
  ["any number comes", field(z.int()), field(z.number()), "major", "output.type"],
  ["whole numbers come", field(z.number()), field(z.int()), "minor", "schema.narrowed"],
  ["a range widens", field(z.number().min(0)), field(z.number().min(-1)), "major", "output.range"],
  ["a range narrows", field(z.number().min(-1)), field(z.number().min(0)), "minor", "schema.narrowed"],
  ["a text may be empty", field(z.string().min(1)), field(z.string()), "major", "output.length"],
  ["an id is any text", field(z.uuid()), field(z.string()), "major", "output.format"],
  ["a text is an id", field(z.string()), field(z.uuid()), "minor", "schema.narrowed"],
  ["a list may be empty", field(z.array(z.string()).min(1)), field(z.array(z.string())), "major", "output.length"],
  [
    "a branch may come",
    field(z.discriminatedUnion("kind", [shape("a")])),
    field(z.discriminatedUnion("kind", [shape("a"), shape("b")])),
    "major",
    "output.union",
  ],
  [
    "a branch no longer comes",
    field(z.discriminatedUnion("kind", [shape("a"), shape("b")])),
    field(z.discriminatedUnion("kind", [shape("a")])),
    "minor",
    "schema.narrowed",
  ],
  ["a number where an object was", field(o({})), field(z.number()), "major", "output.type"],
  ["a default changes", field(z.string().default("a")), field(z.string().default("b")), "major", "default.changed"],
  ["items are other ones", z.array(z.string()), z.array(z.int()), "major", "output.type"],
]);

const facts = events([
  ["nothing changes", field(z.string()), field(z.string()), "none"],
  [
    "an optional field is added",
    o({ a: z.string() }),
    o({ a: z.string(), b: z.string().optional() }),
    "minor",
    "schema.narrowed",
  ],
  [
    "a field is added and a version is not",
    o({ a: z.string() }),
    o({ a: z.string(), b: z.string() }),
    "major",
    "stored-event.missing-field",
    "event.upcaster-missing",
  ],
  [
    "a field goes and a version stays",
    o({ a: z.string(), b: z.string() }),
    o({ a: z.string() }),
    "major",
    "new-event.missing-field",
  ],
  [
    "a type changes",
    field(z.string()),
    field(z.int()),
    "major",
    "stored-event.type",
    "new-event.type",
    "event.upcaster-missing",
  ],
  ["a value is added to an enum", field(z.enum(["a"])), field(z.enum(["a", "b"])), "major", "new-event.value"],
  [
    "a value of an enum goes",
    field(z.enum(["a", "b"])),
    field(z.enum(["a"])),
    "major",
    "stored-event.value",
    "event.upcaster-missing",
  ],
  [
    "a bound tightens",
    field(z.number()),
    field(z.number().min(0)),
    "major",
    "stored-event.range",
    "event.upcaster-missing",
  ],
  ["a bound loosens", field(z.number().min(0)), field(z.number()), "major", "new-event.range"],
]);

type Op = Parameters<typeof command>[0];
const base = { input: field(z.string()) };
const op =
  (before: object, after: object, level: Level, ...rules: string[]) =>
  (group: string, name: string): Case =>
    toCase(
      group,
      name,
      level,
      rules,
      { hold: command({ ...base, ...before } as Op) },
      { hold: command({ ...base, ...after } as Op) },
    );
const members =
  (before: Members, after: Members, level: Level, ...rules: string[]) =>
  (group: string, name: string): Case =>
    toCase(group, name, level, rules, before, after);
const routed = { http: "PUT /seats/{seat}", access: "public" };
const SoldOut = failure(409, "Sold out.");
const details = (schema: z.ZodType) => failure(409, "Sold out.", { details: schema });
const hold = command(base);
const now = o({ a: z.string(), b: z.string() });
const then_ = o({ a: z.string() });
const up = upcast(then_, (old) => ({ ...old, b: "" }));
const led = upcast(
  then_,
  (old) => ({ ...old, b: "" }),
  ({ a }) => ({ a }),
);
const later = o({ a: z.string(), b: z.string(), c: z.string() });
const approved = (schema: Any = o({ by: z.string() }), access?: string) => ({
  approved: signal(schema, access ? { access: access as "public" } : {}),
});

type Change = (group: string, name: string) => Case;
const rest: { readonly [group: string]: { readonly [name: string]: Change } } = {
  operation: {
    "is added": members({ hold }, { hold, release: hold }, "minor", "operation.added"),
    "is removed": members(
      { hold, get: query({ ...base, output: z.string() }) },
      { hold },
      "major",
      "operation.removed",
    ),
    "is renamed": members({ hold }, { keep: hold }, "major", "operation.renamed"),
    "becomes a command": members(
      { hold: query({ ...base, output: z.string() }) },
      { hold: command({ ...base, output: z.string() }) },
      "major",
      "operation.kind",
    ),
    "becomes a query": members(
      { hold: command({ ...base, output: z.string() }) },
      { hold: query({ ...base, output: z.string() }) },
      "major",
      "operation.kind",
    ),
    "answers with something": op({}, { output: z.string() }, "major", "output.excluded"),
    "has another summary": op({ summary: "Holds." }, { summary: "Holds a seat." }, "patch", "operation.described"),
    "is deprecated": op({}, { deprecated: { since: "2026-01-31" } }, "minor", "operation.deprecated"),
    "gets a last day": op(
      { deprecated: { since: "2026-01-31" } },
      { deprecated: { since: "2026-01-31", sunset: "2026-12-31" } },
      "minor",
      "operation.deprecated",
    ),
    "is no longer deprecated": op({ deprecated: { since: "2026-01-31" } }, {}, "patch", "operation.undeprecated"),
    "no longer promises one effect": op({}, { idempotent: false }, "major", "idempotency.dropped"),
    "promises one effect": op({ idempotent: false }, {}, "minor", "idempotency.promised"),
    "gives up earlier": op({ timeout: "5s" }, { timeout: "2s" }, "major", "timeout.lowered"),
    "gives up at all": op({}, { timeout: "5s" }, "major", "timeout.lowered"),
    "gives up later": op({ timeout: "2s" }, { timeout: "5s" }, "minor", "timeout.raised"),
    "never gives up": op({ timeout: "2s" }, {}, "minor", "timeout.raised"),
    "says the same time otherwise": op({ timeout: "2s" }, { timeout: "2000ms" }, "none"),
  },
  route: {
    "is added": op({}, routed, "minor", "route.added"),
    "is removed": op(routed, {}, "major", "route.removed"),
    "has another path": op(routed, { ...routed, http: "PUT /places/{seat}" }, "major", "route.changed"),
    "has another verb": op(routed, { ...routed, http: "POST /seats/{seat}" }, "major", "route.changed"),
    "has its parameters in another order": op(
      { input: now, http: "GET /move/{a}/{b}", access: "public" },
      { input: now, http: "GET /move/{b}/{a}", access: "public" },
      "major",
      "route.changed",
    ),
    "calls its parameters otherwise": op(
      { input: o({ a: z.string(), b: z.string().optional() }), http: "GET /seats/{a}", access: "public" },
      { input: o({ a: z.string().optional(), b: z.string() }), http: "GET /seats/{b}", access: "public" },
      "major",
      "input.missing-field",
      "route.parameter-renamed",
    ),
    "has a parameter less": op(routed, { ...routed, http: "PUT /seats" }, "major", "route.changed"),
    "wants a scope": op(routed, { ...routed, access: "seats:hold" }, "major", "access.demanded"),
    "wants another scope": op(
      { ...routed, access: "seats:hold" },
      { ...routed, access: "seats:write" },
      "major",
      "access.demanded",
    ),
    "is open to everybody": op({ ...routed, access: "seats:hold" }, routed, "minor", "access.opened"),
  },
  failure: {
    "is added": op({}, { failures: { SoldOut } }, "major", "failure.added"),
    "is removed": op({ failures: { SoldOut } }, {}, "minor", "failure.removed"),
    "has another status": op(
      { failures: { SoldOut } },
      { failures: { SoldOut: failure(410, "Sold out.") } },
      "major",
      "failure.status",
    ),
    "says otherwise whether to repeat": op(
      { failures: { SoldOut } },
      { failures: { SoldOut: failure(409, "Sold out.", { retry: "later" }) } },
      "minor",
      "failure.retry",
    ),
    "has another sentence": op(
      { failures: { SoldOut } },
      { failures: { SoldOut: failure(409, "No seat is left.") } },
      "patch",
      "failure.described",
    ),
    "gets details": op(
      { failures: { SoldOut } },
      { failures: { SoldOut: details(o({ left: z.int() })) } },
      "minor",
      "failure.details-added",
    ),
    "loses its details": op(
      { failures: { SoldOut: details(o({ left: z.int() })) } },
      { failures: { SoldOut } },
      "major",
      "failure.details-removed",
    ),
    "has wider details": op(
      { failures: { SoldOut: details(o({ left: z.int() })) } },
      { failures: { SoldOut: details(o({ left: z.number() })) } },
      "major",
      "failure.type",
    ),
    "has narrower details": op(
      { failures: { SoldOut: details(o({ left: z.number() })) } },
      { failures: { SoldOut: details(o({ left: z.int() })) } },
      "minor",
      "schema.narrowed",
    ),
    "has another name": op(
      { failures: { SoldOut } },
      { failures: { Full: SoldOut } },
      "major",
      "failure.added",
      "failure.removed",
    ),
  },
  signal: {
    "is added": op({}, { signals: approved() }, "minor", "signal.added"),
    "is removed": op({ signals: approved() }, {}, "major", "signal.removed"),
    "demands more": op(
      { signals: approved() },
      { signals: approved(o({ by: z.string(), why: z.string() })) },
      "major",
      "signal.missing-field",
    ),
    "takes more": op(
      { signals: approved() },
      { signals: approved(o({ by: z.string(), why: z.string().optional() })) },
      "minor",
      "schema.widened",
    ),
    "wants a scope": op(
      { signals: approved(undefined, "public") },
      { signals: approved(undefined, "seats:approve") },
      "major",
      "access.demanded",
    ),
    "cannot be sent from outside": op(
      { signals: approved(undefined, "seats:approve") },
      { signals: approved() },
      "major",
      "signal.closed",
    ),
    "can be sent from outside": op(
      { signals: approved() },
      { signals: approved(undefined, "seats:approve") },
      "minor",
      "access.opened",
    ),
  },
  history: {
    "progress is told": op({}, { progress: then_ }, "minor", "progress.added"),
    "progress is no longer told": op({ progress: then_ }, {}, "major", "progress.removed"),
    "progress tells more": op({ progress: then_ }, { progress: now }, "minor", "schema.narrowed"),
    "progress tells less": op({ progress: now }, { progress: then_ }, "major", "progress.missing-field"),
    "progress tells something else": op(
      { progress: o({ done: z.int() }) },
      { progress: o({ done: z.string() }) },
      "major",
      "progress.type",
    ),
    "an event is added": members({ hold }, { hold, Held: event(then_) }, "minor", "event.added"),
    "an event is removed": members({ hold, Held: event(then_) }, { hold }, "major", "event.removed"),
    "an event has a new version with an upcaster": members(
      { Held: event(then_) },
      { Held: event(now, { version: 2, from: [up] }) },
      "major",
      "event.version-raised",
    ),
    "an event has a new version with a way down": members(
      { Held: event(then_) },
      { Held: event(now, { version: 2, from: [led] }) },
      "minor",
      "event.led-down",
    ),
    "an event has two new versions with ways down": members(
      { Held: event(then_) },
      {
        Held: event(later, {
          version: 3,
          from: [
            led,
            upcast(
              now,
              (old) => ({ ...old, c: "" }),
              ({ a, b }) => ({ a, b }),
            ),
          ],
        }),
      },
      "minor",
      "event.led-down",
    ),
    "an event leads down only to a version that older readers do not know": members(
      { Held: event(then_) },
      {
        Held: event(later, {
          version: 3,
          from: [
            up,
            upcast(
              now,
              (old) => ({ ...old, c: "" }),
              ({ a, b }) => ({ a, b }),
            ),
          ],
        }),
      },
      "major",
      "event.version-raised",
    ),
    "a way down comes to a version that was published": members(
      { Held: event(now, { version: 2, from: [up] }) },
      { Held: event(now, { version: 2, from: [led] }) },
      "none",
    ),
    "an upcaster does not read what was stored": members(
      { Held: event(then_) },
      { Held: event(now, { version: 2, from: [upcast(o({ c: z.string() }), () => ({ a: "", b: "" }))] }) },
      "major",
      "stored-event.missing-field",
      "event.history-changed",
      "event.version-raised",
    ),
    "an upcaster reads less than before": members(
      { Held: event(now, { version: 2, from: [up] }) },
      { Held: event(now, { version: 2, from: [upcast(o({ a: z.int() }), () => ({ a: "", b: "" }))] }) },
      "major",
      "stored-event.type",
      "event.history-changed",
    ),
    "an event goes back to an earlier version": members(
      { Held: event(now, { version: 2, from: [up] }) },
      { Held: event(now) },
      "major",
      "event.version-lowered",
    ),
    "an input of runs changes without a way": op(
      { signals: approved(), input: then_ },
      { signals: approved(), input: now },
      "major",
      "input.missing-field",
      "stored-input.upcaster-missing",
    ),
    "an input of runs changes with a way": op(
      { signals: approved(), input: then_ },
      { signals: approved(), input: now, earlier: [up] },
      "major",
      "input.missing-field",
    ),
    "the way for stored inputs goes": op(
      { signals: approved(), input: now, earlier: [up] },
      { signals: approved(), input: now },
      "major",
      "stored-input.upcaster-missing",
    ),
    "the way for stored inputs goes, with nothing else that says that they are stored": op(
      { input: now, earlier: [up] },
      { input: now },
      "major",
      "stored-input.upcaster-missing",
    ),
    "the way for stored inputs is replaced": op(
      { signals: approved(), input: now, earlier: [up] },
      { signals: approved(), input: now, earlier: [upcast(o({ z: z.string() }), () => ({ a: "", b: "" }))] },
      "major",
      "stored-input.upcaster-missing",
    ),
    "a way for stored inputs is added": op(
      { signals: approved(), input: now },
      { signals: approved(), input: now, earlier: [up] },
      "patch",
      "contract.described",
    ),
    "an input of runs changes with a way from elsewhere": op(
      { signals: approved(), input: then_ },
      { signals: approved(), input: now, earlier: [upcast(o({ z: z.string() }), () => ({ a: "", b: "" }))] },
      "major",
      "input.missing-field",
      "stored-input.upcaster-missing",
    ),
  },
};

export const catalogue: readonly Case[] = [
  ...accepted,
  ...returned,
  ...facts,
  ...Object.entries(rest).flatMap(([group, changes]) =>
    Object.entries(changes).map(([name, change]) => change(group, name)),
  ),
];
