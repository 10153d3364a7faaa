import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { Parser } from "@asyncapi/parser";
import { command, contract, event, signal, toArazzo, toAsyncApi, toOpenApi } from "trilith/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import trips1 from "../examples/trips/backend.ts";
import trips2 from "./evolution/trips-2/backend.ts";

const root = resolve(import.meta.dirname, "..");
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "trilith-documents-"));
});
afterAll(() => rm(folder, { recursive: true }));

const tree: z.ZodType = z.object({
  name: z.string(),
  get parts() {
    return z.array(tree);
  },
});
const Odd = contract("odd-ones", "1.0.0", {
  grow: command({
    input: z.object({ tree }),
    progress: z.object({ done: z.int() }),
    signals: { pruned: signal(tree, { access: "public" }), inner: signal(z.string()) },
    http: "PUT /trees/{name}" as never,
    access: "public",
  }),
  Grown: event(tree),
});
const about = { title: "trips", version: "1.0.0" };
const longRunning = ["trips.book", "trips@1.book"];
const served = {
  first: trips1.serves,
  second: [...trips2.serves, ...trips2.composition.older.map(({ contract }) => contract)],
};

describe("the AsyncAPI document", () => {
  it.each([
    ["the example", served.first],
    ["two versions", served.second],
    ["shapes that contain themselves", [Odd]],
  ])("of %s is valid to AsyncAPI's own parser", { timeout: 120_000 }, async (_, contracts) => {
    const { document, diagnostics } = await new Parser().parse(JSON.stringify(toAsyncApi({ ...about, contracts })));
    expect(diagnostics.filter(({ severity }) => severity === 0)).toEqual([]);
    expect(document?.version()).toBe("3.0.0");
  });

  it("tells events, signals from outside, and progress", () => {
    const { operations, channels } = toAsyncApi({ ...about, contracts: [Odd] }) as {
      operations: Record<string, { action: string }>;
      channels: Record<string, { address: string }>;
    };
    expect(Object.entries(operations).map(([name, { action }]) => `${action} ${name}`)).toEqual([
      "send tellOddOnesGrownEvent",
      "receive takeOddOnesGrowPrunedSignal",
      "send tellOddOnesGrowProgress",
    ]);
    expect(Object.values(channels).map(({ address }) => address)).toEqual([
      "odd-ones.Grown",
      "/runs/{run}/signals/pruned",
      "/runs/{run}/progress",
    ]);
  });
});

describe("the Arazzo document", () => {
  it.each([
    ["the example", served.first],
    ["two versions", served.second],
  ])("of %s passes Redocly's rules", { timeout: 120_000 }, async (name, contracts) => {
    const place = await mkdtemp(join(folder, name.replace(" ", "-")));
    await writeFile(
      join(place, "openapi.json"),
      JSON.stringify(toOpenApi({ ...about, contracts, longRunning, server: "https://trips.test" })),
    );
    await writeFile(
      join(place, "arazzo.json"),
      JSON.stringify(toArazzo({ ...about, contracts, longRunning, openApi: "openapi.json" })),
    );
    await writeFile(join(place, "redocly.yaml"), "extends: [spec]\n");
    const cli = join(root, "node_modules/@redocly/cli/bin/cli.js");
    const run = promisify(execFile)(process.execPath, [cli, "lint", "arazzo.json", "--format=json"], {
      cwd: place,
      env: { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true", CI: "true" },
    });
    const { stdout, stderr } = await run.catch((error: { stdout: string; stderr: string }) => error);
    const { totals, problems } = JSON.parse(stdout) as {
      totals: { errors: number };
      problems: { message: string; location: unknown }[];
    };
    expect(
      [totals.errors, problems.map(({ message, location }) => [message, JSON.stringify(location).slice(0, 300)])],
      stderr,
    ).toEqual([0, []]);
  });

  it("has a step for each signal that comes from outside, and is not there without workflows", () => {
    const { workflows } = toArazzo({ ...about, contracts: trips1.serves }) as {
      workflows: { steps: { stepId: string }[] }[];
    };
    expect(workflows[0]?.steps.map(({ stepId }) => stepId)).toEqual(["begin", "send-approved", "follow"]);
    expect(toArazzo({ ...about, contracts: [contract("none", "1.0.0", {})] })).toBeUndefined();
  });
});

describe("the OpenAPI document", () => {
  it("shows the examples of operations", () => {
    const { paths } = toOpenApi({ ...about, contracts: trips1.serves }) as {
      paths: Record<string, Record<string, any>>;
    }; // looked into below
    expect(paths["/trips"]?.post.requestBody.content["application/json"].examples["example-1"].value).toMatchObject({
      traveller: "Ada Lovelace",
    });
    expect(paths["/airports/{iata}"]?.get.parameters[0]).toMatchObject({ name: "iata", example: "ABQ" });
    expect(
      paths["/airports/{iata}"]?.get.responses[200].content["application/json"].examples["example-1"].value,
    ).toEqual({
      name: "Albuquerque International Sunport",
      city: "Albuquerque",
    });
  });
});
