import { join } from "node:path";
import { nearest } from "./nearest.ts";
import { type Secret, toSecret } from "./secret.ts";
import { namedSettings, type Setting, type SettingValues, settingsTable } from "./settings-table.ts";

/** The configuration of a backend, from its environment. Frozen; printing it shows no secret. */
export interface Settings
  extends Omit<SettingValues, "postgres" | "jwtIssuer" | "jwtAudience" | "jwtJwks" | "otlpUrl"> {
  /** Where there is one, it is used instead of SQLite. */
  readonly postgres?: Secret;
  readonly jwt?: { readonly issuer: string; readonly audience: string; readonly jwks: string };
  readonly otlpUrl?: string;
  /** By name in capitals with underscores; see `upstreamName`. */
  readonly sources: Upstreams;
  readonly remotes: Upstreams;
}
export type Upstreams = { readonly [name: string]: Upstream };
export interface Upstream {
  readonly url?: string;
  readonly token?: Secret;
  /** Of a source: whether its name may lead to an inner address. */
  readonly inner?: boolean;
}
export type Environment = { readonly [name: string]: string | undefined };

/** Everything that is wrong with the environment, in one go. Each sentence begins with the name of its setting. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
  readonly code = "BadSettings";
  readonly sentences: readonly string[];
  constructor(sentences: readonly string[]) {
    super(sentences.join("\n"));
    this.sentences = sentences;
  }
}

/** Reads the settings. An empty value is none. Throws a `SettingsError` that names every bad value and unknown name. */
export function readSettings(environment: Environment): Settings {
  const problems: string[] = [];
  const read = createReader(environment, problems);
  const { postgres, keysFile, jwtIssuer, jwtAudience, jwtJwks, otlpUrl, ...plain } = readTable(read);
  const jwt = { issuer: jwtIssuer, audience: jwtAudience, jwks: jwtJwks };
  const upstreams = readUpstreams(environment, problems);
  problems.push(...halfJwt(jwt), ...unknownNames(environment));
  if (problems.length > 0) throw new SettingsError(problems);
  const inProduction = environment.NODE_ENV === "production" && !environment.TRILITH_CONSOLE;
  return Object.freeze({
    ...(plain as Omit<SettingValues, OwnWay>), // each has a default, and nothing was refused
    ...(inProduction && { console: "key" as const }),
    ...upstreams,
    ...(postgres !== undefined && { postgres: toSecret(postgres) }),
    keysFile: keysFile ?? join(String(plain.data), "keys.json"),
    ...(jwt.issuer !== undefined && { jwt: Object.freeze(jwt) as NonNullable<Settings["jwt"]> }), // all three or none, as checked
    ...(otlpUrl !== undefined && { otlpUrl }),
  });
}

/** The name of a source or a contract as settings write it: `seat-maps` and `seatMaps` are `SEAT_MAPS`. */
export const upstreamName = (name: string): string =>
  name
    .replaceAll(/([a-z\d])([A-Z])/g, "$1_$2")
    .replaceAll(/[^a-zA-Z\d]+/g, "_")
    .toUpperCase();

type OwnWay = "postgres" | "keysFile" | "jwtIssuer" | "jwtAudience" | "jwtJwks" | "otlpUrl";
type Reader = <T>(setting: Setting<T>) => T | undefined;

const readTable = (read: Reader): { readonly [K in keyof SettingValues]: SettingValues[K] | undefined } =>
  Object.fromEntries(Object.entries(settingsTable).map(([key, setting]) => [key, read(setting as Setting)])) as {
    readonly [K in keyof SettingValues]: SettingValues[K] | undefined; // each by its own row's kind
  };

function createReader(environment: Environment, problems: string[]): Reader {
  return ({ name, kind, default: usual, secret }) => {
    const given = environment[name] || usual;
    if (given === undefined) return undefined;
    const value = kind.read(given.trim());
    if (value === undefined) problems.push(`${name}: ${secret ? "its value" : quoted(given)} ${kind.refusal}`);
    return value;
  };
}

/** An address may hold a password where none should be; that is not shown either. */
const quoted = (given: string): string => JSON.stringify(given.replaceAll(/\/\/[^@/]*@/g, "//…@"));

function readUpstreams(environment: Environment, problems: string[]): { sources: Upstreams; remotes: Upstreams } {
  const found = { sources: {} as Record<string, Upstream>, remotes: {} as Record<string, Upstream> };
  const read = createReader(environment, problems);
  for (const name of Object.keys(environment)) {
    const setting = namedSettings.find((one) => toPattern(one.name).test(name));
    const [, upstream] = (setting && toPattern(setting.name).exec(name)) ?? [];
    if (!setting || !upstream) continue;
    const value = read({ ...setting, name });
    if (value === undefined) continue;
    found[setting.of][upstream] = Object.freeze({
      ...found[setting.of][upstream],
      [setting.part]: setting.secret ? toSecret(String(value)) : value,
    });
  }
  return { sources: Object.freeze(found.sources), remotes: Object.freeze(found.remotes) };
}

const toPattern = (name: string): RegExp => new RegExp(`^${name.replace("<NAME>", "([A-Z0-9]+(?:_[A-Z0-9]+)*)")}$`);

function halfJwt(jwt: { readonly [part: string]: string | undefined }): readonly string[] {
  const { jwtIssuer, jwtAudience, jwtJwks } = settingsTable;
  const names: { readonly [part: string]: string } = {
    issuer: jwtIssuer.name,
    audience: jwtAudience.name,
    jwks: jwtJwks.name,
  };
  const missing = Object.keys(jwt).filter((part) => jwt[part] === undefined);
  if (missing.length === 0 || missing.length === 3) return [];
  return missing.map((part) => `${names[part]}: is missing; ${Object.values(names).join(", ")} belong together.`);
}

/** A misspelt name would be passed over in silence, and the default used. */
function unknownNames(environment: Environment): readonly string[] {
  const known = Object.values(settingsTable).map(({ name }): string => name);
  return Object.keys(environment)
    .filter((name) => name.startsWith("TRILITH_") && !known.includes(name))
    .filter((name) => !namedSettings.some((setting) => toPattern(setting.name).test(name)))
    .map((name) => {
      const middle = name.split("_").slice(2, -1).join("_") || "<NAME>";
      const named = namedSettings.map((setting) => setting.name.replace("<NAME>", middle));
      return `${name}: there is no such setting; did you mean ${nearest(name, [...known, ...named])}?`;
    });
}
