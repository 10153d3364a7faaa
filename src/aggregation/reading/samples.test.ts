import { describe, expect, test } from "vitest";
import { z } from "zod";
import { personal } from "../../contracts/index.ts";
import { type AnySource, csv, json, source } from "../index.ts";
import { Samples } from "./samples.ts";
import type { Sample } from "./tried.ts";

const Person = z.object({
  id: z.int(),
  name: personal(z.string()),
  address: z.object({ street: personal(z.string()), country: z.string() }).optional(),
});
const open = source("open", { get: json("https://s.test/{id}", z.object({ n: z.number() })) });
const closed = source("closed", { get: json("https://s.test/{id}", Person) });
const saidBy = (declared: AnySource, sample: Sample, credentials?: string) => {
  const samples = new Samples(declared.plan, credentials);
  samples.add(0, "It was not good.", sample);
  return samples.list()[0]?.said;
};

describe("a sample is for a person, and shows", () => {
  test("what was said, as it was", () => {
    expect(saidBy(open, { said: { error: "too many requests", n: null } })).toBe(
      '{"error":"too many requests","n":null}',
    );
    expect(saidBy(open, { text: "<!doctype html><h1>Error</h1>" })).toBe("<!doctype html><h1>Error</h1>");
  });

  test("no secret: neither what it was asked with nor what looks like one", () => {
    const said = {
      access_token: "abc",
      "x-api-key": "def",
      password: "ghi",
      echo: "asked with Bearer s3cr3t-t0ken",
      again: "s3cr3t-t0ken",
      other: "Authorization: Basic dXNlcjpwYXNz",
      jwt: "eyJhbGciOiJI.eyJzdWIiOiIx.sig",
    };
    const shown = saidBy(open, { said }, "Bearer s3cr3t-t0ken");
    for (const secret of ["abc", "def", "ghi", "s3cr3t", "dXNlcjpwYXNz", "eyJ"]) expect(shown).not.toContain(secret);
  });

  test("nothing that is personal, wherever it stands in place of what was promised", () => {
    expect(saidBy(closed, { said: { id: "x", name: "Ada", address: { street: "Row 1", country: "GB" } } })).toBe(
      '{"id":"x","name":"[personal]","address":{"street":"[personal]","country":"GB"}}',
    );
    for (const said of [
      { id: 1, fullName: "Ada" },
      { id: 1, name: "Ada", address: "Ada, Row 1" },
      { id: { name: "Ada" } },
      ["Ada"],
      "Ada",
    ])
      expect(saidBy(closed, { said })).not.toContain("Ada");
    expect(saidBy(closed, { text: '{"name":"Ada"' })).toBe(
      "[13 characters, not shown: answers of this source hold personal data]",
    );
  });

  test("one record of a list by the schema of a record", () => {
    const people = source("people", { batch: json("https://s.test/?of={id}", z.array(Person)), match: "id" });
    expect(saidBy(people, { said: { id: "x", name: "Ada" } })).toBe('{"id":"x","name":"[personal]"}');
    const rows = csv("https://s.test/?of={id}", z.object({ id: z.string(), name: personal(z.string()) }));
    expect(saidBy(source("rows", { batch: rows, match: "id" }), { said: { id: "x", name: "Ada" } })).not.toContain(
      "Ada",
    );
  });

  test("the last five, and of each as much as one reads", () => {
    const samples = new Samples(open.plan, undefined);
    for (let at = 0; at < 9; at++) samples.add(at, "It was not good.", { said: "x".repeat(10_000) });
    expect(samples.list().map(({ at }) => at)).toEqual([4, 5, 6, 7, 8]);
    expect(samples.list()[0]?.said).toHaveLength(2_001);
  });
});
