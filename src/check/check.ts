import { existsSync } from "node:fs";
import { join } from "node:path";
import { type AllowedFinding, applyAllowances } from "./allowances.ts";
import { checkComposition } from "./checks/composition.ts";
import { checkContractPlaces } from "./checks/contract-places.ts";
import { type Declaration, declarationsOf } from "./checks/declarations.ts";
import { checkFiles } from "./checks/files.ts";
import { checkGlossary } from "./checks/glossary.ts";
import { checkImports } from "./checks/imports.ts";
import { checkNetwork } from "./checks/network.ts";
import { checkPurity } from "./checks/purity.ts";
import { readConfig } from "./config.ts";
import type { Finding } from "./finding.ts";
import { type Assignment, inspect } from "./inspection/inspect.ts";
import type { Inspection } from "./inspection/inspection.ts";
import { openProject, type Project } from "./project.ts";

export interface CheckOptions {
  /** The configuration's file, relative to the folder; `trilith.check.json` or package.json unless told. */
  readonly config?: string;
  /**
   * The URL of a module that exports a `LockJudge` as `judgeLock`: it says what is wrong with contracts.lock.json, and with
   * upcasters. It is loaded where the contracts are. Without it neither is looked at.
   */
  readonly lockJudge?: string;
  /** What is advised fails as well, whatever the configuration says. */
  readonly strict?: boolean;
  /** Whether contract files and the backend are loaded, which runs them; true unless told. */
  readonly load?: boolean;
}

/** What a check found, sorted by file and place. */
export interface Report {
  /** The project's folder, as the file system calls it. */
  readonly root: string;
  readonly files: number;
  readonly findings: readonly Finding[];
  readonly allowed: readonly AllowedFinding[];
  /** Whether contract files and the backend were loaded, all that there are. Without it, nothing is known of the rules that need it. */
  readonly loaded: boolean;
  /** Whether what is only advised fails too. */
  readonly strict: boolean;
  /** What was not checked, and why. */
  readonly notes: readonly string[];
  /** The text of a file, as it was read. */
  textOf(file: string): string | undefined;
}

/** Checks the project in a folder. Rejects with a ConfigError where its configuration cannot be used. */
export async function check(folder: string, options: CheckOptions = {}): Promise<Report> {
  const project = openProject(folder, readConfig(folder, options.config));
  const declarations = declarationsOf(project);
  const notes: string[] = [];
  // Loading is another thread's work, and goes on while this one reads.
  const inspection = startInspection(project, declarations, options, notes);
  const files = checkFiles(project);
  const imports = checkImports(project);
  const network = checkNetwork(project);
  const rest = [...checkPurity(project), ...checkContractPlaces(project, declarations), ...checkGlossary(project)];
  const loaded = await inspection;
  const found = [
    ...withoutTold(files, imports),
    ...imports,
    ...network,
    ...withoutPlacesOf(rest, network),
    ...(loaded ? checkComposition(project, declarations, loaded) : []),
  ].filter(({ rule }) => project.config.off[rule] === undefined);
  const isLoaded = options.load !== false && (loaded?.unloadable ?? []).length === 0;
  const { left, allowed } = applyAllowances(project, found, isLoaded);
  return {
    root: project.listing.root,
    files: project.files.size,
    findings: [...left].sort(byPlace),
    allowed,
    loaded: isLoaded,
    strict: options.strict === true || project.config.strict,
    notes,
    textOf: (file) => project.files.get(file)?.text,
  };
}

async function startInspection(
  project: Project,
  declarations: readonly Declaration[],
  { lockJudge, load = true }: CheckOptions,
  notes: string[],
): Promise<Inspection | undefined> {
  if (!load) {
    notes.push("Nothing was loaded, so contracts, operations and personal fields were not looked at.");
    return undefined;
  }
  const { config, listing, files } = project;
  const at = (file: string): string => join(listing.root, file);
  const contracts = declarations.filter(
    ({ kind, file }) => kind === "contract" && project.layerOf(file.path)?.name === "contracts",
  );
  const contractFiles = [...new Set(contracts.map(({ file }) => at(file.path)))];
  const backend = config.backend === false ? undefined : findBackend(project, config.backend);
  if (config.backend !== false && backend === undefined) {
    const hasLayers = [...files.keys()].some((path) =>
      ["orchestration", "aggregation", "storage"].includes(project.layerOf(path)?.name ?? ""),
    );
    if (config.named.has("backend"))
      return {
        unloadable: [{ file: at(config.backend), reason: "There is no such file." }],
        contracts: [],
        suspects: [],
        lock: [],
      };
    if (hasLayers) notes.push(`There is no ${config.backend}, so nothing is known of who implements what.`);
  }
  const lockFile = config.lock === false ? undefined : at(config.lock);
  const hasLock = lockFile !== undefined && existsSync(lockFile);
  if (hasLock && lockJudge === undefined) notes.push(`${config.lock} was not looked at.`);
  const assignment: Assignment = {
    contractFiles,
    ...(backend !== undefined && { backend: at(backend) }),
    ...(lockJudge !== undefined && { lock: { ...(hasLock && { file: lockFile }), judge: lockJudge } }),
  };
  return contractFiles.length > 0 || backend !== undefined ? inspect(assignment) : undefined;
}

function findBackend({ files, config }: Project, name: string): string | undefined {
  const usual = config.named.has("backend")
    ? [name]
    : [name, `src/${name}`, name.replace(/ts$/, "js"), `src/${name.replace(/ts$/, "js")}`];
  return usual.find((path) => files.has(path));
}

/** What an import's finding says of a file need not be said again of the file. */
function withoutTold(files: readonly Finding[], imports: readonly Finding[]): readonly Finding[] {
  const told = new Set(imports.flatMap(({ concerns = [] }) => concerns));
  return files.filter(({ rule, file }) => rule === "files/syntax" || !told.has(file));
}

/** One place, one finding: the more general one, which is the first list's, gives way. */
function withoutPlacesOf(findings: readonly Finding[], others: readonly Finding[]): readonly Finding[] {
  const taken = new Set(others.map(({ file, at }) => `${file}:${at?.start}`));
  return findings.filter(({ rule, file, at }) => rule !== "pure/io" || !taken.has(`${file}:${at?.start}`));
}

const byPlace = (one: Finding, other: Finding): number =>
  compare(one.file, other.file) || (one.at?.start ?? -1) - (other.at?.start ?? -1) || compare(one.rule, other.rule);
const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
