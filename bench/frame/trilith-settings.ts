/** The settings of a backend in production whose console nobody looks at. Every suite starts Trilith with these. */
export const quiet: { readonly [name: string]: string } = {
  NODE_ENV: "production",
  PORT: "0",
  TRILITH_LOG: "error",
  TRILITH_CONSOLE: "off",
};
