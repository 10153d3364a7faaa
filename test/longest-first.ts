import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What takes longest, which the size of a file does not tell, and a fresh clone has measured nothing. Last, each would keep one core at work and the others waiting. */
const longest =
  `test/oldest-postgres test/nodes/sleeping src/storage/memory test/behaviours-orchestration src/testing/workflow-bench test/nodes/steering test/readme test/start
  src/engines/sqlite/process test/crash/crash src/engines/sqlite/system-calls test/nodes/poison test/guides
  test/package src/engines/postgres/process test/boundaries test/conformance-postgres
  test/evolution/evolution test/starting src/engines/postgres/postgres test/read-model-versions test/chaos/chaos
  test/check-command test/nodes/flow-control test/check-clean test/check-planted test/console-page test/hostile-rounds
  test/subscription-processes test/nodes/deployment test/nodes/late-children test/nodes/nodes test/docs-page`.split(
    /\s+/,
  );

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number =>
      (longest.indexOf(relative(this.ctx.config.root, moduleId).replace(/\.test\.ts$/, "")) + 1 || 100) - 1;
    return (await super.sort(files)).toSorted((a, b) => place(a) - place(b));
  }
}
