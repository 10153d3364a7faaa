import type { Finding } from "../finding.ts";
import { networkGlobals } from "../known-packages.ts";
import type { Project } from "../project.ts";
import type { SourceFile } from "../source-file.ts";
import { isType, type Node, walk } from "../syntax.ts";
import { meaningOf } from "./meaning.ts";

/** `fetch`, `WebSocket` and the like in layers that have no business with the network. */
export function checkNetwork(project: Project): readonly Finding[] {
  const findings: Finding[] = [];
  for (const file of project.files.values()) {
    const layer = project.layerOf(file.path);
    if (!layer || layer.may.includes("network") || !anyGlobal.test(file.text)) continue;
    const told = new Set<unknown>();
    walk(file.tree(), (node) => {
      if (isType(node)) return false;
      const name = nameOf(project, file, node, told);
      if (name === undefined) return true;
      const at = { start: node.start, end: node.end };
      const message = `${layer.name} calls out by itself: ${name} talks to the network.`;
      findings.push({ rule: "capabilities/network", file: file.path, at, message });
      return false;
    });
  }
  return findings;
}

const anyGlobal = /\b(fetch|WebSocket|EventSource|XMLHttpRequest|WebTransport|RTCPeerConnection|sendBeacon)\b/;

/** The global of the network that a node names. Another name for one is told of where it is given, and once. */
function nameOf(project: Project, file: SourceFile, node: Node, told: Set<unknown>): string | undefined {
  if (node.type !== "Identifier" && node.type !== "MemberExpression") return undefined;
  const meaning = meaningOf(project, file, node);
  if (meaning === undefined || !networkGlobals.includes(meaning)) return undefined;
  const binding = node.type === "Identifier" ? file.scopes().bindingOf(node) : undefined;
  if (!binding) return meaning;
  if (binding.path?.length === 0 || told.has(binding)) return undefined;
  told.add(binding);
  return meaning;
}
