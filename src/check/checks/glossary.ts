import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Finding, Span } from "../finding.ts";
import type { Project } from "../project.ts";
import { keyOf, type Node, textOf, walk } from "../syntax.ts";
import { hasPhrase, wordsOf } from "../words.ts";

interface Replaced {
  readonly not: readonly string[];
  readonly use: string;
}

/** Names in the words that the project's glossary replaces: of files, of what modules declare, of contracts and their fields. */
export function checkGlossary(project: Project): readonly Finding[] {
  const replaced = readGlossary(project);
  if (replaced.length === 0) return [];
  const findings: Finding[] = [];
  for (const file of project.files.values()) {
    const layer = project.layerOf(file.path);
    if (!layer || layer.name === "tests" || layer.name === "tools") continue;
    const judge = (name: string, at?: Span): void => {
      const words = wordsOf(name);
      const wrong = replaced.find(({ not }) => hasPhrase(words, not));
      if (!wrong) return;
      const message = `"${name}" says "${wrong.not.join(" ")}", and the glossary says ${wrong.use}.`;
      findings.push({ rule: "names/glossary", file: file.path, ...(at && { at }), about: name, message });
    };
    const [name = ""] = (file.path.split("/").at(-1) ?? "").split(".");
    judge(name);
    for (const { node, text } of namesOf(file.tree(), layer.name === "contracts"))
      judge(text, { start: node.start, end: node.end });
  }
  return findings;
}

interface Named {
  readonly node: Node;
  readonly text: string;
}

/** What a module declares; of contracts also the keys, which are the names of operations and fields. */
function namesOf(program: Node, isContract: boolean): readonly Named[] {
  const names: Named[] = [];
  for (const statement of program.body as readonly Node[]) {
    const declaration: Node = statement.declaration ?? statement;
    const declared = declaration.type === "VariableDeclaration" ? declaration.declarations : [declaration];
    for (const { id } of declared as readonly Node[])
      if (id?.type === "Identifier") names.push({ node: id, text: id.name });
  }
  if (!isContract) return names;
  walk(program, (node) => {
    if (node.type === "Property" && !node.shorthand) {
      const text = keyOf(node);
      if (text !== undefined) names.push({ node: node.key, text });
    } else if (node.type === "CallExpression" && node.callee.name === "contract") {
      const text = textOf(node.arguments[0]);
      if (text !== undefined) names.push({ node: node.arguments[0], text });
    }
  });
  return names;
}

/** The rows of every table in the glossary whose head says `use` and `not`. A word with a remark in brackets means more than a word can, and is left to people. */
function readGlossary({ config, listing }: Project): readonly Replaced[] {
  if (config.glossary === false) return [];
  let lines: readonly string[];
  try {
    lines = readFileSync(join(listing.root, config.glossary), "utf8").split("\n");
  } catch {
    return []; // a project need not have one
  }
  const replaced: Replaced[] = [];
  let columns: { readonly use: number; readonly not: number } | undefined;
  for (const line of lines) {
    const cells = line.trim().startsWith("|")
      ? line
          .trim()
          .slice(1)
          .replace(/\|$/, "")
          .split("|")
          .map((cell) => cell.trim())
      : [];
    const [use, not] = [cells.indexOf("use"), cells.indexOf("not")];
    if (cells.length === 0) columns = undefined;
    else if (use >= 0 && not >= 0) columns = { use, not };
    else if (columns && !cells.every((cell) => /^:?-+:?$/.test(cell))) {
      const right = cells[columns.use] ?? "";
      for (const word of (cells[columns.not] ?? "").split(","))
        if (!word.includes("(") && wordsOf(word).length > 0) replaced.push({ not: wordsOf(word), use: right });
    }
  }
  return replaced;
}
