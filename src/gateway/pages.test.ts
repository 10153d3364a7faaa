import { expect, test } from "vitest";
import { pagesOf } from "./pages.ts";

const url = "http://127.0.0.1:4400";
const pages = (console: "on" | "key" | "off", { host = "127.0.0.1", built = true } = {}) => {
  const settings = { console, host } as Parameters<typeof pagesOf>[0]["settings"]; // it looks at these two
  return pagesOf({ settings, ...(built && { assets: "/somewhere" }) }, url);
};
const docs = { name: "API docs", url: `${url}/docs` };
const board = { name: "console", url: `${url}/console` };

test("the console and the API's page are where they are served, and a console that is off is nowhere", () => {
  expect(pages("on")).toEqual([board, docs]);
  expect(pages("off")).toEqual([docs]);
});

test("a console that asks for a key is told with the scope that it asks for", () => {
  const guarded = { ...board, note: "with the scope console:read" };
  expect(pages("key")).toEqual([guarded, docs]);
  expect(pages("on", { host: "0.0.0.0" })).toEqual([guarded, docs]);
});

test("what was not built is not promised", () => {
  expect(pages("on", { built: false })).toEqual([
    { ...board, note: "once npm run build was run" },
    { name: "API docs", url: `${url}/openapi.json`, note: "as a page once npm run build was run" },
  ]);
});
