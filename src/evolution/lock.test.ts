import { expect, describe as group, it } from "vitest";
import { z } from "zod";
import { command, contract } from "../contracts/index.ts";
import { describe } from "./description.ts";
import { announces, nextVersion, stepBetween } from "./level.ts";
import { emptyLock, LockError, publishedIn, readLock, withPublished, writeLock } from "./lock.ts";

const seats = (version: "1.0.0" | "1.9.0" | "1.10.0", input: z.ZodType = z.object({ seat: z.string() })) =>
  describe(contract("seats", version, { hold: command({ input: input as z.ZodObject }) }));

group("a lock file", () => {
  it("is the same text whatever was published first, and is read back as it was", () => {
    const [one, other] = [seats("1.0.0"), seats("1.10.0")];
    const text = writeLock(withPublished(withPublished(emptyLock, [one]), [other]));
    expect(writeLock(withPublished(withPublished(emptyLock, [other]), [one]))).toBe(text);
    expect(writeLock(readLock(text, "contracts.lock.json"))).toBe(text);
  });

  it("knows the latest version by its numbers, and not by its letters", () => {
    const lock = withPublished(emptyLock, [seats("1.9.0"), seats("1.10.0"), seats("1.0.0")]);
    expect(publishedIn(lock).get("seats")?.latest.version).toBe("1.10.0");
    expect(
      publishedIn(lock)
        .get("seats")
        ?.versions.map(({ version }) => version),
    ).toEqual(["1.0.0", "1.9.0", "1.10.0"]);
  });

  it("keeps what is published when the same version is published again", () => {
    const lock = withPublished(emptyLock, [seats("1.0.0")]);
    expect(withPublished(lock, [seats("1.0.0", z.object({ place: z.string() }))])).toEqual(lock);
  });

  it.each<[string, (text: string) => string, RegExp]>([
    [
      "a schema was edited",
      (text) => text.replace('"type": "string"', '"type": "number"'),
      /by hand: "seats" 1\.0\.0 does not match its hash/,
    ],
    ["a hash was edited", (text) => text.replace(/sha256-./, "sha256-_"), /by hand: "seats" 1\.0\.0/],
    [
      "an entry stands under another version",
      (text) => text.replace('"1.0.0": {', '"1.0.1": {'),
      /by hand: "seats" 1\.0\.1/,
    ],
    ["it is no JSON", () => "{", /is not JSON/],
    ["it is of another time", () => '{ "lockVersion": 2, "contracts": {} }', /not a lock file that this version/],
  ])("is refused where %s", (_, edit, sentence) => {
    const text = edit(writeLock(withPublished(emptyLock, [seats("1.0.0")])));
    expect(() => readLock(text, "contracts.lock.json")).toThrow(LockError);
    expect(() => readLock(text, "contracts.lock.json")).toThrow(sentence);
  });

  it("does not mind white space and the order of fields, which a formatter may change", () => {
    const text = writeLock(withPublished(emptyLock, [seats("1.0.0")]));
    expect(() => readLock(JSON.stringify(JSON.parse(text)), "contracts.lock.json")).not.toThrow();
  });
});

group("versions", () => {
  it.each([
    ["1.0.0", "1.0.0", "none"],
    ["1.0.9", "1.0.10", "patch"],
    ["1.9.0", "1.10.0", "minor"],
    ["1.9.9", "2.0.0", "major"],
    ["2.0.0", "1.9.9", "downgrade"],
  ] as const)("from %s to %s is a step of kind %s", (from, to, step) => {
    expect(stepBetween(from, to)).toBe(step);
  });

  it("announce a change with at least its own number, and below 1.0.0 a major one with the minor number", () => {
    expect(announces("minor", "1.0.0", "patch")).toBe(true);
    expect(announces("minor", "1.0.0", "major")).toBe(false);
    expect(announces("minor", "0.3.0", "major")).toBe(true);
    expect(announces("patch", "0.3.0", "major")).toBe(false);
    expect(announces("downgrade", "1.0.0", "none")).toBe(false);
  });

  it("are asked for as a change wants them", () => {
    expect(nextVersion("1.2.3", "major")).toBe("2.0.0");
    expect(nextVersion("1.2.3", "minor")).toBe("1.3.0");
    expect(nextVersion("0.2.3", "major")).toBe("0.3.0");
    expect(nextVersion("1.2.3", "patch")).toBe("1.2.4");
  });
});
