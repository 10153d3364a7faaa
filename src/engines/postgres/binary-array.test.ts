import fc from "fast-check";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase, type TestDatabase } from "../../../test/shared-postgres.ts";
import { toBigintArray, toBooleanArray, toIntegerArray, toTextArray, toUuidArray } from "./binary-array.ts";

let postgres: TestDatabase;
let client: Client;
beforeAll(async () => {
  postgres = await openDatabase();
  client = new Client(postgres.url);
  await client.connect();
}, 120_000);
afterAll(async () => {
  await client.end();
  await postgres.remove();
});

async function there(type: string, values: Buffer): Promise<unknown> {
  const { rows } = await client.query(`select array_to_json($1::${type}[])::text as value`, [values]);
  return JSON.parse(rows[0].value as string);
}
const some = { minLength: 1, maxLength: 20 };
const text = fc.string({ unit: "grapheme" }).filter((one) => !one.includes("\0") && one.isWellFormed());

test("what is written is what PostgreSQL reads", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.option(text), some),
      fc.array(fc.integer(), some),
      fc.array(fc.option(fc.maxSafeInteger()), some),
      fc.array(fc.boolean(), some),
      fc.array(fc.uuid(), some),
      async (texts, integers, bigints, booleans, uuids) => {
        expect(await there("text", toTextArray(texts))).toEqual(texts);
        expect(await there("integer", toIntegerArray(integers))).toEqual(integers);
        expect(await there("bigint", toBigintArray(bigints))).toEqual(bigints);
        expect(await there("boolean", toBooleanArray(booleans))).toEqual(booleans);
        expect(await there("uuid", toUuidArray(uuids))).toEqual(uuids);
      },
    ),
    { numRuns: 25 },
  );
});
