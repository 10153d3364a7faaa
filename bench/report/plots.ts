import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import type { Finding } from "../frame/rows.ts";
import { colours } from "./colours.ts";
import type { Point } from "./growth.ts";

const color = {
  field: "system",
  type: "nominal" as const,
  title: null,
  scale: { domain: Object.keys(colours), range: Object.values(colours) },
};

/** Operations a second of each system, a panel for each work and number of clients, each with a scale of its own. */
export function toBars(findings: readonly Finding[]): Promise<string> {
  const values = findings.map(({ row }) => ({
    panel: `${row.work}, ${row.clients === 1 ? "1 client" : `${row.clients} clients`}`,
    system: row.system,
    speed: row.opsPerSecond,
  }));
  const panels = [...new Set(values.map(({ panel }) => panel))];
  return draw({
    data: { values },
    facet: { field: "panel", type: "nominal", title: null, sort: panels, header: { labelFontWeight: "bold" } },
    columns: 3,
    resolve: { scale: { x: "independent", y: "independent" } },
    spec: {
      width: 230,
      height: { step: 18 },
      mark: { type: "bar", cornerRadiusEnd: 2 },
      encoding: {
        x: { field: "speed", type: "quantitative", title: "operations a second", axis: { tickCount: 4, format: "~s" } },
        y: { field: "system", type: "nominal", title: null, sort: "-x" },
        color: { ...color, legend: null },
      },
    },
  });
}

/** How something grows: a line a system, both axes logarithmic. */
export function toLines(points: readonly Point[], x: string, y: string): Promise<string> {
  const systems = Object.keys(colours).filter((system) => points.some((point) => point.system === system));
  const scale = { domain: systems, range: systems.map((system) => colours[system] ?? "") };
  return draw({
    data: { values: [...points] },
    width: 520,
    height: 280,
    mark: { type: "line", point: true },
    encoding: {
      x: { field: "x", type: "quantitative", title: x, scale: { type: "log" }, axis: { format: "~s" } },
      y: { field: "y", type: "quantitative", title: y, scale: { type: "log" }, axis: { format: "~s" } },
      color: { ...color, scale },
    },
  });
}

/** As SVG, without a browser. */
async function draw(spec: TopLevelSpec): Promise<string> {
  const config = { background: "white", font: "sans-serif", view: { stroke: null } };
  const view = new View(parse(compile({ ...spec, config }).spec), { renderer: "none" });
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}
