import type { Call } from "./call-tree.ts";

const width = 1_400;
const row = 17;
/** Narrower than this, in pixels, nothing could be seen or pointed at. */
const narrowest = 0.6;
const letter = 6.6;

/** A flame graph as SVG: below is who calls, above what is called, and the width is the time. Point at a frame for its name. */
export function toFlameGraph(tree: Call, title: string): string {
  const frames: string[] = [];
  let depth = 0;
  const draw = (call: Call, x: number, level: number): void => {
    const wide = (call.totalMs / tree.totalMs) * width;
    if (!(wide >= narrowest)) return;
    depth = Math.max(depth, level);
    frames.push(frame(call, { x, wide, level, share: call.totalMs / tree.totalMs }));
    let at = x;
    for (const inner of call.calls) {
      draw(inner, at, level + 1);
      at += (inner.totalMs / tree.totalMs) * width;
    }
  };
  draw(tree, 0, 0);
  const height = (depth + 3) * row;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="monospace" font-size="11">`,
    `<rect width="100%" height="100%" fill="#fdfcf8"/>`,
    `<text x="8" y="${row}">${toXml(title)}, ${Math.round(tree.totalMs)} ms of work</text>`,
    `<g transform="translate(0 ${height - row})">`,
    ...frames,
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

function frame(
  { name, place, selfMs, totalMs }: Call,
  {
    x,
    wide,
    level,
    share,
  }: { readonly x: number; readonly wide: number; readonly level: number; readonly share: number },
): string {
  const letters = Math.floor((wide - 4) / letter);
  const label = letters < 3 ? "" : name.length > letters ? `${name.slice(0, letters - 1)}…` : name;
  const y = -level * row;
  const told = `${name} ${place}\n${totalMs.toFixed(1)} ms, ${(share * 100).toFixed(1)}%; in itself ${selfMs.toFixed(1)} ms`;
  return (
    `<g><title>${toXml(told)}</title>` +
    `<rect x="${x.toFixed(1)}" y="${y}" width="${wide.toFixed(1)}" height="${row - 1}" fill="${colourOf(name, place)}"/>` +
    (label && `<text x="${(x + 2).toFixed(1)}" y="${y + 12}">${toXml(label)}</text>`) +
    "</g>"
  );
}

/** Ours, other packages, Node, the engine: what can be mended is seen at once. */
function colourOf(name: string, place: string): string {
  if (name === "(garbage collector)") return "#c9b7dd";
  if (place.startsWith("src/")) return "#f2a25c";
  if (place.startsWith("bench/")) return "#f6d58a";
  if (place.startsWith("node_modules/")) return "#9fc7a3";
  if (place.startsWith("node:")) return "#a9c6e3";
  return "#d9d5cc";
}

const toXml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
