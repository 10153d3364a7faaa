import {
  type ConsoleAccess,
  consoleAccess,
  databaseUrl,
  duration,
  durationOrOff,
  host,
  type Kind,
  type LogLevel,
  level,
  onOff,
  path,
  port,
  size,
  text,
  url,
  urlOrPath,
} from "./setting-kinds.ts";

export interface Setting<T = unknown> {
  readonly name: string;
  readonly kind: Kind<T>;
  /** As one would write it. A default that depends on another setting says so in `meaning`. */
  readonly default?: string;
  readonly meaning: string;
  /** Never printed, not even when it is wrong. */
  readonly secret?: true;
}

/** What the settings are once they are read. */
export interface SettingValues {
  readonly host: string;
  readonly port: number;
  readonly data: string;
  readonly postgres: string;
  readonly log: LogLevel;
  /** Bytes. */
  readonly bodyLimit: number;
  readonly patienceMs: number;
  readonly shutdownMs: number;
  readonly leaseMs: number;
  /** 0 is never. */
  readonly watchdogMs: number;
  readonly console: ConsoleAccess;
  readonly graphqlIntrospection: boolean;
  readonly keysFile: string;
  readonly jwtIssuer: string;
  readonly jwtAudience: string;
  readonly jwtJwks: string;
  readonly otlpUrl: string;
  readonly supervised: boolean;
}
type Table = { readonly [K in keyof SettingValues]: Setting<SettingValues[K]> };
export interface NamedSetting extends Setting<string | boolean> {
  readonly of: "sources" | "remotes";
  readonly part: "url" | "token" | "inner";
}

/** Every setting but the ones that are said by name. The order is that of the guide. */
export const settingsTable: Table = {
  host: {
    name: "HOST",
    kind: host,
    default: "127.0.0.1",
    meaning:
      "Where the backend listens. `0.0.0.0` opens it to other machines; the console then asks for the scope `console:read`.",
  },
  port: { name: "PORT", kind: port, default: "4400", meaning: "The port it listens on. `0` takes a free one." },
  data: { name: "TRILITH_DATA", kind: path, default: ".data", meaning: "The folder of everything that is kept." },
  postgres: {
    name: "TRILITH_POSTGRES",
    kind: databaseUrl,
    secret: true,
    meaning:
      "The PostgreSQL database (15 or later) whose schema `trilith` keeps the logs and the documents, instead of the SQLite file in the data folder. Needs the package `pg`.",
  },
  log: { name: "TRILITH_LOG", kind: level, default: "info", meaning: "From which level on is logged." },
  bodyLimit: {
    name: "TRILITH_BODY_LIMIT",
    kind: size,
    default: "1 MiB",
    meaning: "The largest body that a request may have.",
  },
  patienceMs: {
    name: "TRILITH_PATIENCE",
    kind: duration,
    default: "10s",
    meaning:
      "How long a caller who does not say (`Prefer: wait=N`) waits for a command before it is told where to look instead.",
  },
  shutdownMs: {
    name: "TRILITH_SHUTDOWN",
    kind: duration,
    default: "10s",
    meaning: "How long requests may take to finish once the backend is told to stop.",
  },
  leaseMs: {
    name: "TRILITH_LEASE",
    kind: duration,
    default: "5s",
    meaning:
      "How long a node that is not heard of keeps its runs, where several share a PostgreSQL; others have them within twice that.",
  },
  watchdogMs: {
    name: "TRILITH_WATCHDOG",
    kind: durationOrOff,
    default: "30s",
    meaning:
      "A process that `trilith start` has started ends itself when code has held its main thread for so long, so that its runs go on elsewhere; the run that does so again and again is paused. `off` never, and never under a debugger.",
  },
  console: {
    name: "TRILITH_CONSOLE",
    kind: consoleAccess,
    default: "on",
    meaning:
      "Whether there is a console at `/console`. `key` asks everybody for the scope `console:read`, as a proxy on the same machine needs it; so it is where `NODE_ENV` is `production`.",
  },
  graphqlIntrospection: {
    name: "TRILITH_GRAPHQL_INTROSPECTION",
    kind: onOff,
    default: "on",
    meaning: "Whether the schema of `/graphql` may be asked for, where the backend has a GraphQL endpoint.",
  },
  keysFile: {
    name: "TRILITH_KEYS_FILE",
    kind: path,
    meaning: "The file of the hashed API keys. `keys.json` in the data folder where it is not given.",
  },
  jwtIssuer: {
    name: "TRILITH_JWT_ISSUER",
    kind: text,
    meaning: "The `iss` of the JWTs that are accepted. The three JWT settings belong together; without them no JWT is.",
  },
  jwtAudience: { name: "TRILITH_JWT_AUDIENCE", kind: text, meaning: "The `aud` that a JWT must name." },
  jwtJwks: {
    name: "TRILITH_JWT_JWKS",
    kind: urlOrPath,
    meaning: "Where the issuer's public keys are: an address or a file.",
  },
  otlpUrl: {
    name: "TRILITH_OTLP_URL",
    kind: url,
    meaning: "An OTLP/HTTP collector that gets the traces. `/v1/traces` is added where the address has no path.",
  },
  supervised: {
    name: "TRILITH_SUPERVISED",
    kind: onOff,
    default: "off",
    meaning: "Said by a supervisor that starts the process again; only then does the console offer to crash it.",
  },
};

/** Settings that are said by name: that of a source or of a contract, in capitals and with underscores. */
export const namedSettings: readonly NamedSetting[] = [
  {
    of: "sources",
    part: "url",
    name: "TRILITH_SOURCE_<NAME>_URL",
    kind: url,
    meaning: "The address of a source, in the place of the one in the code.",
  },
  {
    of: "sources",
    part: "token",
    name: "TRILITH_SOURCE_<NAME>_TOKEN",
    kind: text,
    secret: true,
    meaning: "The bearer token that a source is asked with.",
  },
  {
    of: "sources",
    part: "inner",
    name: "TRILITH_SOURCE_<NAME>_INNER",
    kind: onOff,
    default: "off",
    meaning:
      "Whether the name in the address of a source may lead to an inner address. In digits, or as `localhost`, it may without this.",
  },
  {
    of: "remotes",
    part: "url",
    name: "TRILITH_REMOTE_<NAME>_URL",
    kind: url,
    meaning: "The address of the backend that has a remote contract, in the place of the one in the code.",
  },
  {
    of: "remotes",
    part: "token",
    name: "TRILITH_REMOTE_<NAME>_TOKEN",
    kind: text,
    secret: true,
    meaning: "The bearer token that a remote contract is called with.",
  },
];

/** The table of docs/guides/configuration.md. */
export function settingsAsMarkdown(): string {
  const rows = [...Object.values(settingsTable), ...namedSettings].map((setting: Setting) => {
    const { name, kind, default: usual, meaning, secret } = setting;
    return `| \`${name}\` | ${kind.name}${secret ? ", secret" : ""} | ${usual === undefined ? "" : `\`${usual}\``} | ${meaning} |`;
  });
  return ["| name | kind | default | meaning |", "|---|---|---|---|", ...rows].join("\n");
}
