import type { Finding } from "../finding.ts";
import type { Project } from "../project.ts";
import type { Declaration } from "./declarations.ts";

/** Contracts that are declared where no layer may look for them. A backend in a single file has its contracts there. */
export function checkContractPlaces(project: Project, declarations: readonly Declaration[]): readonly Finding[] {
  return declarations.flatMap(({ kind, name, file, at }) => {
    const layer = project.layerOf(file.path);
    if (kind !== "contract" || !layer || layer.name === "contracts" || layer.name === "backend") return [];
    const message = `The contract "${name}" is declared in ${layer.name}, and not in a contract file.`;
    return [{ rule: "contracts/place", file: file.path, at, about: name, message }];
  });
}
