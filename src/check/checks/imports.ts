import type { Finding } from "../finding.ts";
import { drivers, isListed, networkPackages, programStarters } from "../known-packages.ts";
import { isFree, type Layer } from "../layers.ts";
import { isSource } from "../listing.ts";
import type { Import, Project } from "../project.ts";
import type { Target } from "../resolution.ts";
import { chainTo } from "./reach.ts";

/** What files import and may not: other layers, shared files, doors, drivers, sockets, and what cannot be told. */
export function checkImports(project: Project): readonly Finding[] {
  return [...project.files.keys()].flatMap((path) => {
    const layer = project.layerOf(path);
    if (!layer || isFree(layer)) return [];
    const findings = project.importsOf(path).flatMap((one) => judge(project, path, layer, one) ?? []);
    const undecided = (isCore(layer) ? (project.files.get(path)?.undecided ?? []) : []).map(
      (at): Finding => ({
        rule: "layers/undecidable-import",
        file: path,
        at,
        message: `${layer.name} imports something whose name is put together at run time.`,
      }),
    );
    return [...onePerPlace(findings), ...undecided];
  });
}

function judge(project: Project, path: string, layer: Layer, { request, target }: Import): Finding | undefined {
  const { specifier, start, end } = request;
  const at = { start, end };
  // Types are added to a package by its name, which imports nothing of it.
  if (request.isDeclared && target.kind !== "file" && !specifier.startsWith(".")) return undefined;
  const here: Here = (rule, message, concerns) => ({ rule, file: path, at, message, ...(concerns && { concerns }) });
  switch (target.kind) {
    case "nothing":
      return layer.imports === "anything"
        ? undefined
        : here("layers/unresolved-import", `"${specifier}" leads to no file.`);
    case "file":
      return judgeFile(project, layer, target, specifier, here);
    case "builtin":
    case "package":
      return judgePackage(project, layer, target, here);
  }
}

type Here = (rule: Finding["rule"], message: string, concerns?: readonly string[]) => Finding;

function judgeFile(
  project: Project,
  layer: Layer,
  target: Extract<Target, { kind: "file" }>,
  specifier: string,
  here: Here,
): Finding | undefined {
  if (layer.imports === "anything") return undefined;
  const other = project.layerOf(target.path);
  if (other && project.layers.allows(layer, other)) {
    // A layer that a project adds may import one that reaches further: it said so itself, of both.
    if (other.name === layer.name || other.name === "contracts" || !isCore(layer)) return undefined;
    const chain = chainTo(project, target.path, layer);
    return chain && here("layers/transitive", reaches(project, layer, specifier, chain), chain);
  }
  if (target.through !== undefined)
    return here("layers/symlink", `"${specifier}" is a link to ${target.path}, which is ${owned(other)}.`, [
      target.through,
    ]);
  if (other && other.name !== "tests" && other.name !== "tools")
    return here("layers/import", `${layer.name} imports ${other.name}: "${specifier}" is ${target.path}.`);
  const chain = isSource(target.path) ? chainTo(project, target.path, layer) : undefined;
  if (chain) return here("layers/transitive", reaches(project, layer, specifier, chain), chain);
  return here("layers/shared-file", `${layer.name} imports ${target.path}, which is ${owned(other)}.`, [target.path]);
}

const isCore = ({ name }: Layer): boolean =>
  name === "contracts" || name === "orchestration" || name === "aggregation" || name === "storage";

const owned = (layer: Layer | undefined): string =>
  layer ? `of the layer ${layer.name}` : "neither its own nor a contract";

function reaches(project: Project, layer: Layer, specifier: string, chain: readonly string[]): string {
  const end = project.layerOf(chain.at(-1) ?? "")?.name;
  return `${layer.name} reaches ${end} through "${specifier}": ${chain.join(" → ")}.`;
}

function judgePackage(
  project: Project,
  layer: Layer,
  target: Extract<Target, { kind: "builtin" | "package" }>,
  here: Here,
): Finding | undefined {
  const { name } = target;
  if (target.kind === "package" && name === "trilith") {
    const door = doorOf(target.entry);
    const mayPass =
      door === "contracts" || door === layer.name || layer.imports === "anything" || layer.imports.includes(door);
    return mayPass
      ? undefined
      : here("layers/door", `${layer.name} imports "trilith${target.entry.slice(1)}", which is for ${door}.`);
  }
  if (layer.packages && !isListed(name, layer.packages))
    return here(
      layer.name === "contracts" ? "contracts/schema-libraries" : "layers/import",
      `${layer.name} imports "${name}", which is ${layer.name === "contracts" ? "no schema library" : "not among its packages"}.`,
    );
  if (!layer.may.includes("drivers") && isListed(name, [...drivers, ...project.config.drivers]))
    return here("capabilities/driver", `${layer.name} imports the database driver "${name}".`);
  if (!layer.may.includes("network") && isListed(name, networkPackages))
    return here("capabilities/network", `${layer.name} imports "${name}", which talks to the network.`);
  if (!layer.may.includes("network") && isListed(name, programStarters))
    return here(
      "capabilities/network",
      `${layer.name} imports "${name}": a program that it starts may talk to anybody.`,
    );
  return undefined;
}

/** Whose an entry of the package is: the layers' own, or the composition root's. */
function doorOf(entry: string): string {
  const [door = ""] = entry.slice(2).split("/");
  if (door === "normalise") return "aggregation"; // what shapes of sources are written with
  return ["contracts", "orchestration", "aggregation", "storage"].includes(door) ? door : "backend";
}

/** A request that leads to several things is one mistake, whatever the conditions. */
function onePerPlace(findings: readonly Finding[]): readonly Finding[] {
  const places = new Map(findings.map((finding) => [finding.at?.start, finding]));
  return [...places.values()];
}
