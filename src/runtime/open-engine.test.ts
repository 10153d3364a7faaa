import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

test("a driver that is not installed is said to be missing, and asked for by nobody else", async () => {
  const code = `
    import { registerHooks } from "node:module";
    registerHooks({ resolve(specifier, context, next) {
      if (specifier !== "pg") return next(specifier, context);
      throw Object.assign(new Error("Cannot find package 'pg'"), { code: "ERR_MODULE_NOT_FOUND" });
    } });
    const { openEngine } = await import(process.argv[1]);
    const postgres = { reveal: () => "postgres://nobody@127.0.0.1:1/none" };
    await openEngine({ data: ".", postgres }, () => {}).catch((error) => console.log(error.message));
  `;
  const file = new URL("./open-engine.ts", import.meta.url).href;
  const flags = ["--conditions=trilith-source", "--input-type=module", "-e", code, file];
  const { stdout } = await promisify(execFile)(process.execPath, flags);
  expect(stdout).toContain("Install it beside trilith: npm install pg@8");
});
