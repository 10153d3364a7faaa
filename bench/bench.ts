// npm run bench: Trilith beside its peers and beside the physical limit. See README.md.
import { parseArguments, usage } from "./frame/arguments.ts";
import { runBench } from "./frame/run.ts";

try {
  const asked = parseArguments(process.argv.slice(2));
  if (asked === "help") console.log(usage);
  else if (asked.report) await (await import("./report/report.ts")).writeReport();
  else await runBench(asked);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
