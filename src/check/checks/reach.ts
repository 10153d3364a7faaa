import type { Layer } from "../layers.ts";
import type { Project } from "../project.ts";

/**
 * The shortest way from a file to one that a layer may not import, over files that are not the layer's own. Tests and
 * tools are passed through and never an end: what is wrong with them is said where they are imported.
 */
export function chainTo(project: Project, from: string, layer: Layer): readonly string[] | undefined {
  const cameFrom = new Map<string, string | undefined>([[from, undefined]]);
  for (const path of cameFrom.keys()) {
    for (const { target } of project.importsOf(path)) {
      if (target.kind !== "file" || cameFrom.has(target.path)) continue;
      const other = project.layerOf(target.path);
      if (other?.name === layer.name) continue;
      cameFrom.set(target.path, path);
      if (other && !project.layers.allows(layer, other) && other.name !== "tests" && other.name !== "tools")
        return wayTo(target.path, cameFrom);
    }
  }
  return undefined;
}

function wayTo(end: string, cameFrom: ReadonlyMap<string, string | undefined>): readonly string[] {
  const way: string[] = [];
  for (let at: string | undefined = end; at !== undefined; at = cameFrom.get(at)) way.unshift(at);
  return way;
}
