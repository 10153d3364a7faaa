import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";

// Compilers slow down in proportion to the types that they instantiate, and that number is the same on every machine.
// A contract must cost its users so much an operation, and not more for each operation that it has already.
const root = resolve(import.meta.dirname, "../..");
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trilith-types-"));
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
});
afterAll(() => rm(folder, { recursive: true }));

it("declaring an operation and calling it costs the compiler the same, however large the contract", async () => {
  const [few, more, most] = [await instantiations(10), await instantiations(40), await instantiations(160)];
  const [early, late] = [(more - few) / 30, (most - more) / 120];
  expect(early).toBeGreaterThan(500); // else nothing was measured
  expect(early).toBeLessThan(1_500); // 969 when this was written
  expect(late).toBeLessThan(early * 1.1);
}, 120_000);

async function instantiations(operations: number): Promise<number> {
  const file = join(folder, `contract-${operations}.ts`);
  await writeFile(file, source(operations));
  const options = { extends: join(root, "tsconfig.json"), files: [file], include: [], references: [] };
  const config = join(folder, `tsconfig.${operations}.json`);
  await writeFile(config, JSON.stringify({ ...options, compilerOptions: { incremental: false } }));
  const tsc = join(root, "node_modules/typescript/lib/tsc.js");
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, "-p", config, "--extendedDiagnostics"]);
  return Number(/^Instantiations:\s+(\d+)/m.exec(stdout)?.[1]);
}

function source(operations: number): string {
  const members = Array.from(
    { length: operations },
    (_, n) => `
  put${n}: command({
    input: Seat.extend({ n${n}: z.int() }), output: z.object({ ticket${n}: z.string() }),
    failures: { SoldOut${n}: failure(409, "No seat is left.") }, http: "POST /seats${n}/{flight}", access: "seats:put",
  }),`,
  );
  const calls = Array.from(
    { length: operations },
    (_, n) => `
export const ticket${n}: string = (await client.put${n}({ flight: "UA1", traveller: "Ada", n${n}: ${n} })).ticket${n};`,
  );
  return `
import { type Client, command, contract, failure } from ${JSON.stringify(join(root, "src/contracts/index.ts"))};
import { z } from "zod";
const Seat = z.object({ flight: z.string(), traveller: z.string() });
export const Seats = contract("seats", "1.0.0", {${members.join("")}
});
declare const client: Client<typeof Seats>;${calls.join("")}
`;
}
