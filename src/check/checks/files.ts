import type { Finding } from "../finding.ts";
import type { Project } from "../project.ts";
import { ended } from "../words.ts";

/** Files that cannot be parsed, that belong to no layer, and links from one layer's folder into another's. */
export function checkFiles(project: Project): readonly Finding[] {
  const findings: Finding[] = [];
  for (const file of project.files.values()) {
    if (file.syntaxError)
      findings.push({
        rule: "files/syntax",
        file: file.path,
        at: file.syntaxError.at,
        message: ended(`${file.path} cannot be parsed: ${file.syntaxError.message}`),
      });
    if (!project.layerOf(file.path))
      findings.push({ rule: "files/layer", file: file.path, message: `${file.path} belongs to no layer.` });
  }
  for (const [link, target] of project.listing.links) {
    const [from, to] = [project.layerOf(link), project.layerOf(target)];
    if (!from || (to && project.layers.allows(from, to))) continue;
    findings.push({
      rule: "layers/symlink",
      file: link,
      message: `${link} is a link to ${target}, which is ${to ? `${to.name}'s` : "no file of a layer"}.`,
    });
  }
  return findings;
}
