import { printSchema } from "graphql";
import { expect, test } from "vitest";
import { z } from "zod";
import { command, contract, query, signal } from "../../contracts/index.ts";
import { toSchema } from "./schema.ts";

interface Tree {
  label: string;
  children?: Tree[] | undefined;
}
const Tree: z.ZodType<Tree> = z
  .object({
    label: z.string(),
    get children() {
      return z.array(Tree).optional();
    },
  })
  .describe("A tree.");
const Card = z.object({ kind: z.literal("card"), digits: z.string() });
const Cash = z.object({ kind: z.literal("cash") });
const Shops = contract("book-shops", "1.0.0", {
  find: query({
    input: z.object({
      id: z.uuid(),
      near: z.object({ lat: z.number(), lon: z.number() }).optional(),
      tags: z.array(z.string()).optional(),
      sort: z.enum(["name", "-name"]).default("name"),
    }),
    output: z.object({
      id: z.uuid(),
      name: z.string().describe("As painted on the door."),
      owner: z.string().nullable(),
      opened: z.iso.date().optional(),
      seen: z.iso.datetime().optional(),
      books: z.int(),
      floor: z.int().min(-5).max(200),
      open: z.boolean(),
      rating: z.number().optional(),
      state: z.enum(["open", "closed for now"]),
      pays: z.union([Card, Cash]),
      shelves: z.array(z.object({ "shelf-no": z.int().max(9).min(0) })),
      anything: z.unknown(),
      byName: z.record(z.string(), z.number()),
      tree: Tree,
    }),
    http: "GET /shops/{id}",
    access: "shops:read",
    summary: "One shop.",
  }),
  names: query({ input: z.object({}), output: z.array(z.string()), http: "GET /shops", access: "public" }),
  inside: query({ input: z.object({}), output: z.string() }),
  close: command({ input: z.object({ id: z.uuid() }), http: "DELETE /shops/{id}", access: "shops:write" }),
  order: command({
    input: z.object({ id: z.uuid(), titles: z.array(z.string()) }),
    output: z.object({ total: z.number() }),
    signals: { paid: signal(z.object({})) },
    http: "POST /shops/{id}/orders",
    access: "shops:order",
  }),
});

test("a schema says what the contracts say, in the words of GraphQL", () => {
  const schema = toSchema({ contracts: [Shops], longRunning: [], call: async () => ({}) });
  const text = printSchema(schema)
    .replaceAll(/"""[\s\S]*?"""/g, "")
    .replaceAll(/\n\s*\n/g, "\n")
    .replaceAll(
      /\(\s+([^()]*?)\s+\)/g,
      (_, args: string) =>
        `(${args
          .trim()
          .split(/\s*\n\s*/)
          .join(", ")})`,
    );
  for (const part of [
    "bookShopsFind(id: UUID!, near: BookShopsFindNearInput, tags: [String!], sort: BookShopsFindSortInput): BookShopsFind",
    "bookShopsNames: [String!]",
    "bookShopsClose(id: UUID!, idempotencyKey: String): Boolean",
    "bookShopsOrder(id: UUID!, titles: [String!]!, idempotencyKey: String): BookShopsOrderOutcome",
    "type BookShopsOrderOutcome {\n  run: ID\n  result: BookShopsOrder\n}",
    "input BookShopsFindNearInput {\n  lat: Float!\n  lon: Float!\n}",
    "enum BookShopsFindState {\n  open\n  closed_for_now\n}",
    "union BookShopsFindPays = BookShopsFindPaysCard | BookShopsFindPaysCash",
    "name: String!",
    "owner: String\n",
    "opened: Date\n",
    "seen: DateTime\n",
    "books: SafeInt!",
    "floor: Int!",
    "open: Boolean!",
    "rating: Float\n",
    "shelves: [BookShopsFindShelves!]!",
    "type BookShopsFindShelves {\n  shelf_no: Int!\n}",
    "anything: JSON\n",
    "byName: JSON!",
    "tree: BookShopsFindTree!",
    "type BookShopsFindTree {\n  label: String!\n  children: [BookShopsFindTree!]\n}",
  ])
    expect(text).toContain(part);
  expect(text).not.toContain("inside");
  expect(schema.getType("BookShopsFind")?.description).toBeUndefined();
  expect(printSchema(schema)).toContain("As painted on the door.");
  expect(printSchema(schema)).toContain("One shop. `GET /shops/{id}`. Needs the scope `shops:read`.");
});

test("a backend without queries has a schema all the same", () => {
  const schema = toSchema({ contracts: [], longRunning: [], call: async () => ({}) });
  expect(printSchema(schema)).toContain("none: Boolean");
});
