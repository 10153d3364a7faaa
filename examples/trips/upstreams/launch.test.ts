import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { describe, expect, test } from "vitest";
import { launchUpstreams } from "./launch.ts";
import { wellBehaved } from "./settings.ts";

const calm = { data: "unused", quiet: true, behaviour: { all: wellBehaved } };
const answers = (url: string) =>
  fetch(`${url}/health`).then(
    ({ ok }) => ok,
    () => false,
  );

describe("launchUpstreams", () => {
  test("switches a service down, slow, garbled and up again, while others go on", async () => {
    await using upstreams = await launchUpstreams({ ...calm, only: ["faa", "openflights"] });
    const ask = () => fetch(`${upstreams.urls.faa}/airports/ABQ.xml`);

    await upstreams.control("faa", { mode: "down" });
    await expect(ask()).rejects.toThrow("fetch failed");
    expect(await answers(upstreams.urls.faa)).toBe(false);
    expect(await answers(upstreams.urls.openflights)).toBe(true);

    await upstreams.control("faa", { mode: "garbage" });
    expect((await ask()).headers.get("content-type")).toMatch("text/html");

    await upstreams.control("faa", { mode: "slow" });
    await expect(
      fetch(`${upstreams.urls.faa}/airports/ABQ.xml`, { signal: AbortSignal.timeout(500) }),
    ).rejects.toThrow();

    expect(await upstreams.control("faa", { mode: "up" })).toMatchObject({ mode: "up", errors: 0 });
    expect((await ask()).status).toBe(200);
  });

  test("refuses settings that are none, with a sentence", async () => {
    await using upstreams = await launchUpstreams({ ...calm, only: ["faa"] });
    const refused = upstreams.control("faa", { mode: "sideways" as "up" });
    await expect(refused).rejects.toThrow(/The upstream "faa" refused its settings.*must be one of up, down/);
  });

  test("restarts a service at the same address, with the settings of the launch", async () => {
    await using upstreams = await launchUpstreams({ ...calm, only: ["faa"] });
    const { faa } = upstreams.urls;
    await upstreams.control("faa", { mode: "down" });
    await upstreams.restart("faa", "SIGKILL");
    expect(upstreams.urls.faa).toBe(faa);
    expect(await answers(faa)).toBe(true);
  });

  test("stops every service", async () => {
    const upstreams = await launchUpstreams({ ...calm, only: ["faa", "fares"] });
    await upstreams.stop();
    expect(await Promise.all(Object.values(upstreams.urls).map(answers))).toEqual([false, false]);
  });

  test("says in a sentence which service did not start and why, and leaves none behind", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as { port: number };
    const failed = launchUpstreams({ ...calm, only: ["faa", "fares"], ports: { faa: port } });
    await expect(failed).rejects.toThrow(
      /^The upstream "faa" did not start: it ended with code 1\. faa cannot start\. .*address already in use/,
    );
    taken.close();
  });

  test("takes the services along when its process is killed without a word", async () => {
    const script = `
      import { launchUpstreams } from ${JSON.stringify(new URL("./launch.ts", import.meta.url).href)};
      const { urls } = await launchUpstreams({ data: "unused", only: ["faa", "fares"] });
      console.log(JSON.stringify(urls));`;
    const parent = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = await once(createInterface(parent.stdout), "line");
    const urls: string[] = Object.values(JSON.parse(line));
    expect(await Promise.all(urls.map(answers))).toEqual([true, true]);

    parent.kill("SIGKILL");
    await expect.poll(() => Promise.all(urls.map(answers)), { timeout: 60_000 }).toEqual([false, false]);
  });
});
