/** How much of a change something is, in the words of semantic versioning. */
export type Level = "none" | "patch" | "minor" | "major";
const order: readonly Level[] = ["none", "patch", "minor", "major"];

export const highest = (levels: Iterable<Level>): Level =>
  [...levels].reduce<Level>((most, level) => (order.indexOf(level) > order.indexOf(most) ? level : most), "none");

/** What lies between two versions. `downgrade` where the second is the lower one. */
export function stepBetween(from: string, to: string): Level | "downgrade" {
  const [before, after] = [from, to].map((version) => version.split(".").map(Number)) as [number[], number[]];
  for (const [place, level] of (["major", "minor", "patch"] as const).entries()) {
    const [a = 0, b = 0] = [before[place], after[place]];
    if (b > a) return level;
    if (b < a) return "downgrade";
  }
  return "none";
}

/** Whether a step between versions announces a change. Below 1.0.0 the minor number stands for the major one. */
export function announces(step: Level | "downgrade", from: string, change: Level): boolean {
  if (step === "downgrade") return false;
  const wanted = from.startsWith("0.") && change === "major" ? "minor" : change;
  return order.indexOf(step) >= order.indexOf(wanted);
}

/** The version that a change asks for. */
export function nextVersion(from: string, change: Level): string {
  const [major = 0, minor = 0, patch = 0] = from.split(".").map(Number);
  if (change === "none") return from;
  if (change === "patch") return `${major}.${minor}.${patch + 1}`;
  return change === "minor" || major === 0 ? `${major}.${minor + 1}.0` : `${major + 1}.0.0`;
}

export const compareVersions = (one: string, other: string): number => {
  const step = stepBetween(one, other);
  return step === "none" ? 0 : step === "downgrade" ? 1 : -1;
};
export const majorOf = (version: string): number => Number(version.split(".")[0]);
