import { describe as about, expect, it } from "vitest";
import { z } from "zod";
import { contract, event, upcast } from "../contracts/index.ts";
import { type Description, describe, hashOf } from "./description.ts";
import { changesBetween, diff } from "./diff.ts";
import { emptyLock, publishedIn, readLock, withPublished, writeLock } from "./lock.ts";

const First = z.object({ a: z.string() });
const Second = First.extend({ b: z.string() });
const Third = Second.extend({ c: z.string() });
const toSecond = upcast(First, (old) => ({ ...old, b: "" }));
const toThird = upcast(Second, (old) => ({ ...old, c: "" }));
const fromSecond = upcast(toSecond.schema, toSecond.up, ({ a }: z.output<typeof Second>) => ({ a }));
const fromThird = upcast(toThird.schema, toThird.up, ({ a, b }: z.output<typeof Third>) => ({ a, b }));
const first = describe(contract("seats", "1.0.0", { Held: event(First) }));
const inTwo = (version: `${number}.${number}.${number}`, step: typeof toSecond): Description =>
  describe(contract("seats", version, { Held: event(Second, { version: 2, from: [step] }) }));
const inThree = (to2: typeof toSecond, to3: typeof toThird): Description =>
  describe(contract("seats", "1.1.0", { Held: event(Third, { version: 3, from: [to2, to3] }) }));

const rulesBetween = (before: Description, after: Description): readonly string[] =>
  changesBetween(before, after).map(({ level, rule }) => `${level} ${rule}`);

about("a way down", () => {
  it("leads as far as each step from the present version on has one", () => {
    const downTo = ({ events }: Description): number | undefined => events.Held?.downTo;
    expect(downTo(first)).toBeUndefined();
    expect(downTo(inThree(fromSecond, fromThird))).toBe(1);
    expect(downTo(inThree(toSecond, fromThird))).toBe(2);
    expect(downTo(inThree(fromSecond, toThird))).toBeUndefined();
  });

  it("is none where it may lead to what was not published", () => {
    const published = z.object({ by: z.enum(["cash"]) });
    const wider = z.object({ by: z.enum(["cash", "card"]) });
    const now = z.object({ by: z.enum(["cash", "card"]), tip: z.int() });
    const step = upcast(
      wider,
      (old) => ({ ...old, tip: 0 }),
      ({ by }) => ({ by }),
    );
    const before = describe(contract("pay", "1.0.0", { Paid: event(published) }));
    const after = describe(contract("pay", "1.1.0", { Paid: event(now, { version: 2, from: [step] }) }));
    expect(changesBetween(before, after).some(({ level }) => level === "major")).toBe(true);
  });

  it("makes a new version minor for those whose version it leads to", () => {
    expect(rulesBetween(first, inThree(fromSecond, fromThird))).toEqual(["minor event.led-down"]);
    expect(rulesBetween(first, inThree(toSecond, fromThird))).toEqual(["major event.version-raised"]);
    expect(rulesBetween(inTwo("1.0.0", toSecond), inThree(toSecond, fromThird))).toEqual(["minor event.led-down"]);
  });

  it("is in the lock, and changes neither its hash nor what is published", () => {
    const [without, led] = [inTwo("1.0.0", toSecond), inTwo("1.0.0", fromSecond)];
    expect(hashOf(led)).toBe(hashOf(without));
    expect(rulesBetween(without, led)).toEqual([]);
    const text = writeLock(withPublished(emptyLock, [led]));
    expect(publishedIn(readLock(text, "contracts.lock.json")).get("seats")?.latest).toEqual(led);
  });

  it("stays for as long as the major version, whose first readers it was for", () => {
    const published = publishedIn(withPublished(emptyLock, [first, inTwo("1.1.0", fromSecond)]));
    expect(diff([inTwo("1.1.0", fromSecond)], published)).toMatchObject([{ change: "none", missing: [] }]);
    const [verdict] = diff([inTwo("1.1.0", toSecond)], published);
    expect(verdict).toMatchObject({ change: "major", findings: [{ rule: "event.version-raised" }] });
    expect(verdict?.missing).toEqual([
      expect.stringContaining("Give it version 2.0.0;"),
      expect.stringContaining('"seats" 2.0.0 has no migration note.'),
    ]);
  });
});
