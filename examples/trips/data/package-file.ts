import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);

/**
 * The text of a file beside a package's entry point.
 * By way of the entry point, because vega-datasets exports no subpath: `import "vega-datasets/data/…"` is refused.
 */
export function packageFile(name: string, path: string): string {
  return readFileSync(join(dirname(require.resolve(name)), path), "utf8");
}
