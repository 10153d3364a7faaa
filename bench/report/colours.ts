/** A colour for each system, the same in every picture. */
export const colours: { readonly [system: string]: string } = {
  "trilith-sqlite": "#d9662b",
  "trilith-postgres": "#8c3b12",
  "trilith-postgres-two": "#e0a030",
  dbos: "#4c78a8",
  restate: "#72a5d3",
  emmett: "#54a24b",
  "hive-gateway": "#b279a2",
  fastify: "#439894",
  "hand-written": "#9d9d9d",
  "limit-sqlite": "#c4c4c4",
  "limit-postgres": "#8f8f8f",
  "limit-postgres-single": "#dedede",
  "limit-loop": "#b8b09c",
};
