import { expect, it } from "vitest";
import { benchOf, everywhere, jobOf, tell } from "../language/language.test-d.ts";
import { Rests } from "./rests.ts";

it("tells of rest after everything that code sets off among its own promises, and before any timer", async () => {
  const order: string[] = [];
  const own = async (promises: number): Promise<void> => {
    for (let left = promises; left > 0; left--) await undefined;
    if (promises > 1)
      void own(promises / 2); // further code that nobody waits for
    else order.push("code");
  };
  const timer = setTimeout(() => order.push("timer"), 0);
  await undefined;
  void own(4_096);
  await new Rests().next();
  order.push("rest");
  expect(order).toEqual(["code", "rest"]);
  clearTimeout(timer);
});

it("lets others have their turns, however many results follow each other", async () => {
  const rests = new Rests();
  let turns = 0;
  let over = false;
  const next = (): void => {
    turns++;
    if (!over) setImmediate(next);
  };
  setImmediate(next);
  for (let rest = 0; rest < 5_000; rest++) await rests.next();
  over = true;
  expect(turns).toBeGreaterThanOrEqual(9);
});

it("a result waits until code that was told the one before has asked for what it wants next", async () => {
  const result = await everywhere(
    async (options) => {
      const bench = benchOf(
        jobOf(async (_, { run }) => {
          const seen: string[] = [];
          await run.all([50, 1, 0, 20], async (promises, { run }) => {
            for (const step of ["a", "b", "c"]) {
              seen.push(await run.step(step, () => `${promises} ${step}`));
              for (let left = promises; left > 0; left--) await undefined;
            }
          });
          return seen;
        }),
        options,
      );
      return { bench, told: await tell(bench) };
    },
    (told, undisturbed, where) => {
      const seen = ({ end }: { readonly end?: unknown }) => [...(end as readonly string[])].sort();
      expect(seen(told as object), where).toEqual(seen(undisturbed as object));
    },
  );
  // Each branch is told its next result in its turn, whatever it awaits of its own in between.
  const steps = (result as { readonly end: readonly string[] }).end.map((one) => one.split(" ")[1]);
  expect(steps).toEqual(["a", "a", "a", "a", "b", "b", "b", "b", "c", "c", "c", "c"]);
});
