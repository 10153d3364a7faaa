import { styleText } from "node:util";

type Format = Parameters<typeof styleText>[0];
export type Paint = (format: Format, text: string) => string;

/** Colours where a person looks: on a terminal, unless NO_COLOR is set. */
export const paint: Paint = (format, text) => styleText(format, text, { stream: process.stdout });

const colours: { readonly [kind: string]: Format } = {
  run: "magenta",
  step: "magenta",
  view: "cyan",
  source: "cyan",
  append: "yellow",
};
/** The colour of the layer that a span belongs to, as the console has it. */
export const colourOf = (kind: string): Format => colours[kind] ?? "gray";
