import { expect, it } from "vitest";
import { hasPhrase, wordsOf } from "./words.ts";

it.each([
  ["firstName", ["first", "name"]],
  ["FIRST_NAME", ["first", "name"]],
  ["first-name", ["first", "name"]],
  ["HTTPServer2", ["http", "server2"]],
  ["größeÄndern", ["größeändern"]],
  ["", []],
])("%s is made of its words", (name, words) => expect(wordsOf(name)).toEqual(words));

it("a phrase is found as whole words, one after the other, and in the plural", () => {
  const found = (name: string, phrase: string): boolean => hasPhrase(wordsOf(name), wordsOf(phrase));
  expect(found("userAccounts", "user account")).toBe(true);
  expect(found("activities", "activity")).toBe(true);
  expect(found("boxes", "box")).toBe(true);
  expect(found("accountUser", "user account")).toBe(false);
  expect(found("tasked", "task")).toBe(false);
});
