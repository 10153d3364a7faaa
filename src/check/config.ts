import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Complaints } from "./complaints.ts";
import type { LayerSettings } from "./layers.ts";
import { isRuleId, type RuleId, ruleIds } from "./rules/catalogue.ts";

/** What a project says about its check, with what holds where it says nothing. */
export interface Config {
  readonly layers: { readonly [name: string]: LayerSettings };
  readonly ignore: readonly string[];
  /** False where a file of that name is not what it is taken for. */
  readonly backend: string | false;
  readonly glossary: string | false;
  readonly lock: string | false;
  readonly schemaLibraries: readonly string[];
  readonly drivers: readonly string[];
  /** Rules that are off, each with the reason. */
  readonly off: { readonly [rule in RuleId]?: string };
  readonly allow: readonly Allowed[];
  /** Whether what is only advised fails the check too. */
  readonly strict: boolean;
  /** Which of the files were named, and not found by their usual name. */
  readonly named: ReadonlySet<"backend" | "glossary" | "lock">;
}
export interface Allowed {
  readonly rule: RuleId;
  /** A pattern over files, or what a finding is about: `bookings.hold`. */
  readonly at: string;
  readonly reason: string;
}

/** The configuration cannot be read, or does not say what one can say. */
export class ConfigError extends Error {}

const configFile = "trilith.check.json";

/** Reads `trilith.check.json`, or `"trilith": { "check": … }` in package.json. Neither need be there. */
export function readConfig(root: string, file?: string): Config {
  const own = readJson(join(root, file ?? configFile));
  if (file !== undefined && own === undefined)
    throw new ConfigError(`There is no file ${file} to read the configuration from.`);
  const inManifest = (readJson(join(root, "package.json")) as { trilith?: { check?: unknown } } | undefined)?.trilith
    ?.check;
  if (own !== undefined && inManifest !== undefined && file === undefined)
    throw new ConfigError(
      `The check is configured twice: in ${configFile} and under "trilith" in package.json. Keep one of the two.`,
    );
  const where = own !== undefined ? (file ?? configFile) : "package.json, trilith.check";
  return toConfig(own ?? inManifest ?? {}, where);
}

/** Throws one error with everything that is wrong with a configuration. */
function toConfig(given: unknown, where: string): Config {
  const complaints = new Complaints();
  const keys = [
    "$schema",
    "layers",
    "ignore",
    "backend",
    "glossary",
    "lock",
    "schemaLibraries",
    "drivers",
    "off",
    "allow",
    "strict",
  ];
  const config = complaints.object(given, "", keys);
  const layers = Object.entries(complaints.object(config.layers, "/layers"));
  const fileOrFalse = (key: string, usual: string): string | false =>
    config[key] === undefined ? usual : complaints.textOrFalse(config[key], `/${key}`);
  const read: Config = {
    layers: Object.fromEntries(
      layers.map(([name, said]) => [name, toLayerSettings(complaints, said, `/layers/${name}`)]),
    ),
    ignore: complaints.texts(config.ignore, "/ignore"),
    backend: fileOrFalse("backend", "backend.ts"),
    glossary: fileOrFalse("glossary", "glossary.md"),
    lock: fileOrFalse("lock", "contracts.lock.json"),
    schemaLibraries: complaints.texts(config.schemaLibraries, "/schemaLibraries"),
    drivers: complaints.texts(config.drivers, "/drivers"),
    off: toOff(complaints, config.off),
    allow: complaints.list(config.allow, "/allow").map((one, at) => toAllowed(complaints, one, `/allow/${at}`)),
    strict: complaints.flag(config.strict, "/strict"),
    named: new Set((["backend", "glossary", "lock"] as const).filter((key) => config[key] !== undefined)),
  };
  const names = [
    "contracts",
    "orchestration",
    "aggregation",
    "storage",
    "backend",
    "tests",
    "tools",
    ...layers.map(([name]) => name),
  ];
  for (const [name, { imports }] of Object.entries(read.layers)) {
    for (const [at, other] of (Array.isArray(imports) ? imports : []).entries())
      complaints.oneOf(other, `/layers/${name}/imports/${at}`, names, "layer");
  }
  if (complaints.sentences.length > 0)
    throw new ConfigError([`${where} cannot be used.`, ...complaints.sentences].join("\n  "));
  return read;
}

function toLayerSettings(complaints: Complaints, given: unknown, at: string): LayerSettings {
  const said = complaints.object(given, at, ["files", "imports", "may", "packages"]);
  const may = complaints.texts(said.may, `${at}/may`);
  for (const [index, one] of may.entries())
    complaints.oneOf(one, `${at}/may/${index}`, ["network", "drivers"], "capability");
  const imports = said.imports === "anything" ? "anything" : complaints.texts(said.imports, `${at}/imports`);
  return {
    ...(said.files !== undefined && { files: complaints.texts(said.files, `${at}/files`) }),
    ...(said.imports !== undefined && { imports }),
    ...(said.may !== undefined && { may: may as NonNullable<LayerSettings["may"]> }),
    ...(said.packages !== undefined && { packages: complaints.texts(said.packages, `${at}/packages`) }),
  };
}

function toOff(complaints: Complaints, given: unknown): Config["off"] {
  const off = complaints.object(given, "/off");
  for (const [rule, reason] of Object.entries(off)) {
    const at = `/off/${rule.replaceAll("/", "~1")}`; // as a JSON Pointer writes it
    complaints.oneOf(rule, at, ruleIds, "rule");
    complaints.reason(reason, at);
  }
  return off as Config["off"];
}

function toAllowed(complaints: Complaints, given: unknown, at: string): Allowed {
  const said = complaints.object(given, at, ["rule", "at", "reason"]);
  complaints.oneOf(said.rule, `${at}/rule`, ruleIds, "rule");
  complaints.text(said.at, `${at}/at`);
  complaints.reason(said.reason, `${at}/reason`);
  const rule = isRuleId(said.rule) ? said.rule : "files/layer";
  return { rule, at: String(said.at), reason: String(said.reason) };
}

function readJson(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return undefined; // it need not be there
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConfigError(`${file} is not JSON: ${(error as Error).message}`);
  }
}
