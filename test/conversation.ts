import { expect } from "vitest";
import type { Block } from "./markdown.ts";
import type { Shell } from "./shell.ts";

/**
 * Types a page's `sh` blocks into a shell, word for word, and compares what is answered with the `json` block below each.
 * An answer is shown shortened: what stands between two `…` must be in it, in this order.
 */
export async function holdConversation(blocks: readonly Block[], shell: Pick<Shell, "run">): Promise<void> {
  for (const [index, { language, text, at }] of blocks.entries()) {
    if (language !== "sh") continue;
    const { text: said, answers } = await shell.run(text);
    const below = blocks[index + 1];
    const shown = below?.language === "json" ? below.text : "";
    const told = `${at}\n${text}\n${said}`;
    expect(answers, told).toHaveLength([...text.matchAll(/\bcurl /g)].length);
    const problems = answers.filter(({ status }) => status >= 400);
    expect(
      problems.map(({ status }) => `"status":${status}`),
      told,
    ).toEqual(shown.match(/"status":[45]\d\d/g) ?? []);
    for (const { type } of problems) expect(type, told).toMatch(/^application\/problem\+json/);
    expectShown(shown, said, told);
  }
}

function expectShown(shown: string, said: string, told: string): void {
  let from = 0;
  for (const piece of shown.replaceAll(/\n\s*/g, "").split(/\s*…\s*/)) {
    const found = said.indexOf(piece, from);
    expect(found, `${piece}\nis not in the answer, or not in this place.\n${told}`).toBeGreaterThanOrEqual(0);
    from = found + piece.length;
  }
}
