import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { defineConfig, type Plugin, type UserConfig } from "vite";

const config: UserConfig = defineConfig({
  root: import.meta.dirname,
  base: "/console/",
  oxc: { jsx: { runtime: "automatic", importSource: "preact", development: false } },
  build: {
    outDir: "../dist/console",
    emptyOutDir: true,
    target: "es2022",
    // The polyfill is an inline script, which the gateway's content security policy refuses.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  plugins: [apiDocs()],
});
export default config;

/** Puts the page of the API documents beside the console: Swagger UI's two files and our three, nothing fetched from elsewhere. */
function apiDocs(): Plugin {
  const require = createRequire(import.meta.url);
  return {
    name: "trilith-api-docs",
    apply: "build",
    generateBundle() {
      for (const file of ["index.html", "docs.css", "docs.js"])
        this.emitFile({
          type: "asset",
          fileName: `docs/${file}`,
          source: readFileSync(`${import.meta.dirname}/docs/${file}`),
        });
      for (const file of ["swagger-ui.css", "swagger-ui-bundle.js", "LICENSE", "NOTICE"])
        this.emitFile({
          type: "asset",
          fileName: `docs/${/^[A-Z]/.test(file) ? `swagger-ui.${file}` : file}`,
          source: readFileSync(require.resolve(`swagger-ui-dist/${file}`)),
        });
      this.emitFile({
        type: "asset",
        fileName: "docs/favicon.svg",
        source: readFileSync(`${import.meta.dirname}/public/favicon.svg`),
      });
    },
  };
}
