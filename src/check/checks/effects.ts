import { isListed, networkGlobals, networkPackages } from "../known-packages.ts";
import type { RuleId } from "../rules/catalogue.ts";

export type Effect = Extract<RuleId, `pure/${string}`>;

/** Which rule a name breaks that is used inside a function which is acted out again; of `Date` itself see below. */
export function effectOf(meaning: string): Effect | undefined {
  for (const [effect, names] of effects)
    if (names.some((name) => meaning === name || meaning.startsWith(`${name}.`))) return effect;
  const builtin = /^node:[\w/]+/.exec(meaning)?.[0];
  if (builtin !== undefined) return effectOfBuiltin(builtin, meaning.slice(builtin.length + 1));
  const [packageName = ""] = /^(@[^/]+\/)?[^/.]+/.exec(meaning) ?? [];
  if (isListed(packageName, randomPackages)) return "pure/random";
  return /[./]/.test(meaning) && isListed(packageName, networkPackages) ? "pure/io" : undefined;
}

const effects: readonly (readonly [Effect, readonly string[]])[] = [
  [
    "pure/clock",
    [
      "Date.now",
      "performance",
      "process.hrtime",
      "process.uptime",
      "Temporal.Now",
      "luxon.DateTime.now",
      "luxon.DateTime.local",
      "luxon.DateTime.utc",
    ],
  ],
  ["pure/random", ["Math.random", "crypto.randomUUID", "crypto.getRandomValues", "crypto.subtle.generateKey"]],
  [
    "pure/timer",
    [
      "setTimeout",
      "setInterval",
      "setImmediate",
      "requestAnimationFrame",
      "scheduler",
      "AbortSignal.timeout",
      "process.nextTick",
    ],
  ],
  ["pure/environment", ["process", "Deno", "Bun", "navigator"]],
  [
    "pure/io",
    [
      ...networkGlobals,
      "console",
      "localStorage",
      "sessionStorage",
      "indexedDB",
      "caches",
      "BroadcastChannel",
      "Worker",
      "alert",
      "prompt",
    ],
  ],
];

/** Node's own modules in which nothing depends on when or where they are asked. */
const harmless = [
  "assert",
  "assert/strict",
  "buffer",
  "events",
  "path",
  "path/posix",
  "path/win32",
  "querystring",
  "string_decoder",
  "url",
  "util",
  "util/types",
  "punycode",
  "async_hooks",
  "stream",
  "zlib",
];

function effectOfBuiltin(module: string, member: string): Effect | undefined {
  const name = module.slice("node:".length);
  if (name === "crypto")
    return /^(random|generate|getRandomValues|createDiffieHellman)/.test(member) ? "pure/random" : undefined;
  if (name === "perf_hooks") return "pure/clock";
  if (name === "timers/promises") return "pure/timer";
  if (name === "os") return "pure/environment";
  return harmless.includes(name) ? undefined : "pure/io";
}

const randomPackages = [
  "uuid",
  "nanoid",
  "ulid",
  "ulidx",
  "uuidv7",
  "cuid",
  "@paralleldrive/cuid2",
  "ksuid",
  "shortid",
  "hyperid",
];

/** Libraries that ask the clock when they are called with nothing. */
export const clockWhenBare: ReadonlySet<string> = new Set([
  "Date",
  "dayjs.default",
  "moment.default",
  "dayjs",
  "moment",
]);
