import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { readSettings, SettingsError, upstreamName } from "./settings.ts";
import { settingsAsMarkdown } from "./settings-table.ts";

const sentencesOf = (environment: { readonly [name: string]: string }): readonly string[] => {
  try {
    readSettings(environment);
  } catch (failure) {
    if (failure instanceof SettingsError) return failure.sentences;
    throw failure;
  }
  return [];
};

test("an empty environment gives the defaults, frozen", () => {
  const settings = readSettings({ PATH: "/bin", PORT: "" });
  expect(settings).toEqual({
    watchdogMs: 30_000,
    host: "127.0.0.1",
    port: 4400,
    data: ".data",
    log: "info",
    bodyLimit: 1_048_576,
    patienceMs: 10_000,
    shutdownMs: 10_000,
    leaseMs: 5_000,
    console: "on",
    graphqlIntrospection: true,
    keysFile: ".data/keys.json",
    supervised: false,
    sources: {},
    remotes: {},
  });
  expect(Object.isFrozen(settings)).toBe(true);
});

test("every setting is read as its kind", () => {
  const settings = readSettings({
    HOST: "::1",
    PORT: "0",
    TRILITH_DATA: "there",
    TRILITH_LOG: "debug",
    TRILITH_BODY_LIMIT: "1.5 KiB",
    TRILITH_PATIENCE: "250ms",
    TRILITH_SHUTDOWN: "1 minute",
    TRILITH_CONSOLE: "off",
    TRILITH_JWT_ISSUER: "https://issuer.test/",
    TRILITH_JWT_AUDIENCE: "trips",
    TRILITH_JWT_JWKS: "jwks.json",
    TRILITH_OTLP_URL: "http://localhost:4318/",
    TRILITH_SUPERVISED: "ON",
    TRILITH_SOURCE_SEAT_MAPS_URL: "https://seats.test",
    TRILITH_REMOTE_PAYMENTS_TOKEN: "s3cret",
    TRILITH_POSTGRES: "postgres://ada:s3cret@db.test/trips?sslmode=require",
  });
  expect(settings).toMatchObject({
    ...{ host: "::1", port: 0, data: "there", log: "debug", bodyLimit: 1_536, patienceMs: 250, shutdownMs: 60_000 },
    ...{ console: "off", keysFile: "there/keys.json", otlpUrl: "http://localhost:4318", supervised: true },
    jwt: { issuer: "https://issuer.test/", audience: "trips", jwks: "jwks.json" },
    sources: { [upstreamName("seat-maps")]: { url: "https://seats.test" } },
  });
  expect(settings.remotes[upstreamName("payments")]?.token?.reveal()).toBe("s3cret");
  expect(settings.postgres?.reveal()).toBe("postgres://ada:s3cret@db.test/trips?sslmode=require");
});

test("a bad value is refused by name, with what would do", () => {
  expect(sentencesOf({ PORT: "abc" })).toEqual(['PORT: "abc" is not a port; give a number from 0 to 65535.']);
});

test.each([
  ["HOST", "not a host"],
  ["PORT", "65536"],
  ["PORT", "-1"],
  ["TRILITH_LOG", "loud"],
  ["TRILITH_BODY_LIMIT", "0"],
  ["TRILITH_BODY_LIMIT", "1 MB"],
  ["TRILITH_PATIENCE", "10"],
  ["TRILITH_CONSOLE", "maybe"],
  ["TRILITH_OTLP_URL", "localhost:4318"],
  ["TRILITH_SOURCE_DELAYS_URL", "ftp://delays.test"],
])("%s does not take %j", (name, value) => {
  const sentences = sentencesOf({ [name]: value });
  expect(sentences).toHaveLength(1);
  expect(sentences[0]).toContain(`${name}: ${JSON.stringify(value)} is `);
});

test("everything that is wrong is said in one go", () => {
  const sentences = sentencesOf({ PORT: "x", TRILITH_PATIENCE: "soon", TRILITH_JWT_ISSUER: "me", TRILITH_PORT: "1" });
  expect(sentences.map((sentence) => sentence.split(":")[0])).toEqual([
    "PORT",
    "TRILITH_PATIENCE",
    "TRILITH_JWT_AUDIENCE",
    "TRILITH_JWT_JWKS",
    "TRILITH_PORT",
  ]);
});

test.each([
  ["TRILITH_BODY_LIMT", "TRILITH_BODY_LIMIT"],
  ["TRILITH_SORCE_DELAYS_URL", "TRILITH_SOURCE_DELAYS_URL"],
  ["TRILITH_REMOTE_PAYMENTS_TOKN", "TRILITH_REMOTE_PAYMENTS_TOKEN"],
])("the unknown name %s is refused with the nearest known one", (name, known) => {
  expect(sentencesOf({ [name]: "secret-value" })).toEqual([
    `${name}: there is no such setting; did you mean ${known}?`,
  ]);
});

test("a secret is shown by nothing but the one who asks for it", () => {
  const settings = readSettings({ TRILITH_SOURCE_DELAYS_TOKEN: "s3cret", TRILITH_POSTGRES: "postgres://a:s3cret@db" });
  for (const shown of [
    inspect(settings, { depth: 9 }),
    JSON.stringify(settings),
    `${settings.sources.DELAYS?.token}`,
  ]) {
    expect(shown).toContain("[secret]");
    expect(shown).not.toContain("s3cret");
  }
});

test("a password in an address is refused and not shown", () => {
  expect(sentencesOf({ TRILITH_OTLP_URL: "http://user:hunter2@localhost" })).toEqual([
    'TRILITH_OTLP_URL: "http://…@localhost" is not an address; write it like "https://example.com", without a user name or a password in it.',
  ]);
});

test("a database that is none is refused, and its password not shown", () => {
  expect(sentencesOf({ TRILITH_POSTGRES: "mysql://ada:hunter2@db.test/trips" })).toEqual([
    'TRILITH_POSTGRES: its value is not the address of a PostgreSQL database; write it like "postgres://user:password@host:5432/database".',
  ]);
});

test("the guide's table is the code's", () => {
  const guide = readFileSync(new URL("../../docs/guides/configuration.md", import.meta.url), "utf8");
  const [, table] = /<!-- settings -->\n([\s\S]*)\n<!-- \/settings -->/.exec(guide) ?? [];
  expect(table).toBe(settingsAsMarkdown());
});
