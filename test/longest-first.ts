import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What takes longest, which the size of a file does not tell, and a fresh clone has measured nothing. Last, each would keep one core at work and the others waiting. */
const longest = `test/behaviours-orchestration src/testing/workflow-bench src/engines/sqlite/system-calls test/guides
  test/crash/crash src/engines/sqlite/process src/storage/crash test/start test/nodes/poison test/boundaries
  test/conformance-postgres test/check-command test/package test/oldest-postgres src/engines/postgres/process`.split(
  /\s+/,
);

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number =>
      (longest.indexOf(relative(this.ctx.config.root, moduleId).replace(/\.test\.ts$/, "")) + 1 || 100) - 1;
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}
