import type { AnyContract } from "../contracts/index.ts";
import { describe, hashOf } from "./description.ts";
import type { Verdict } from "./diff.ts";
import type { Published } from "./lock.ts";

/** An older version is served as it was published: verdicts with what is missing where it is not. */
export function withOlder(
  verdicts: readonly Verdict[],
  older: readonly AnyContract[],
  published: ReadonlyMap<string, Published>,
): readonly Verdict[] {
  const troubles = older.flatMap((contract): readonly Trouble[] => {
    const description = describe(contract);
    const { name, version } = description;
    const was = published.get(name)?.versions.find((one) => one.version === version);
    if (was && hashOf(was) === hashOf(description)) return [];
    const sentence = was
      ? `"${name}" ${version} is adapted, and is not what was published. Callers have that; write it as it was.`
      : `"${name}" ${version} is adapted, and was never published. Adapt a version that callers have.`;
    return [{ name, sentence }];
  });
  return verdicts.map((verdict) => {
    const own = troubles.filter(({ name }) => name === verdict.contract).map(({ sentence }) => sentence);
    return own.length === 0 ? verdict : { ...verdict, missing: [...verdict.missing, ...own] };
  });
}

interface Trouble {
  readonly name: string;
  readonly sentence: string;
}
