import { expect, test } from "vitest";
import { z } from "zod";
import { json, source } from "./index.ts";

const get = json("https://s.test/{key}", z.object({ n: z.number() }));

test.each([
  ["a header that is none", { headers: { "x y": "1" } }],
  ["a header with a line break in its value", { headers: { x: "1\r\ny: 2" } }],
  ["a header of the connection", { headers: { "Content-Length": "1" } }],
  ["a token in a header that is none", { tokenIn: "bad header\n" }],
  ["a token in a header of the connection", { tokenIn: "Host" }],
])("a source does not send %s", (_, parts) => {
  expect(() => source("s", { get, ...parts })).toThrow('The source "s" cannot send the header');
});

test("a source has no credentials in the code", () => {
  expect(() => source("s", { get, headers: { Authorization: "Bearer abc" } })).toThrow("TRILITH_SOURCE_<NAME>_TOKEN");
});
