import { readFile } from "node:fs/promises";

/** A fenced block of a page, and the heading that it stands under. */
export interface Block {
  readonly language: string;
  readonly text: string;
  readonly heading: string;
  /** Where the block begins, as in `README.md:12`. */
  readonly at: string;
}

export async function blocksOf(file: string, name: string): Promise<readonly Block[]> {
  const blocks: Block[] = [];
  let heading = "";
  let open: { readonly language: string; readonly lines: string[]; readonly at: string } | undefined;
  for (const [index, line] of (await readFile(file, "utf8")).split("\n").entries()) {
    const fence = /^```(\w*)$/.exec(line);
    if (open && fence) {
      blocks.push({ language: open.language, text: open.lines.join("\n"), heading, at: open.at });
      open = undefined;
    } else if (open) open.lines.push(line);
    else if (fence) open = { language: fence[1] ?? "", lines: [], at: `${name}:${index + 1}` };
    else heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading;
  }
  if (open) throw new Error(`The block that begins at ${open.at} has no end.`);
  return blocks;
}

/** The rows of the first table under a heading, without its head. Backticks are left out. */
export async function tableUnder(file: string, heading: string): Promise<readonly (readonly string[])[]> {
  const lines = (await readFile(file, "utf8")).split("\n");
  const below = lines.slice(lines.findIndex((line) => /^#+ /.test(line) && line.endsWith(` ${heading}`)) + 1);
  const from = below.findIndex((line) => line.startsWith("|"));
  const to = below.findIndex((line, index) => index > from && !line.startsWith("|"));
  return below.slice(from + 2, to).map((line) =>
    line
      .slice(1, line.lastIndexOf("|"))
      .split("|")
      .map((cell) => cell.trim().replaceAll("`", "")),
  );
}

/** A file that a block gives in full: its first line says which, as in `// storage/accounts.ts`. */
export function fileOf({ language, text }: Block): string | undefined {
  return language === "ts" ? /^\/\/ ([\w/.-]+\.ts)\b/.exec(text)?.[1] : undefined;
}
