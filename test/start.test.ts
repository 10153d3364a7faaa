import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TripsClient } from "../examples/trips/run/client.ts";
import { type Example, endedWithin, leftAfter, type StartOptions, startExample, temporaryFolder } from "./example.ts";

// What ends a process and what it leaves behind is read from /proc.
const here = describe.skipIf(process.platform !== "linux");

here("npm start -- --once", () => {
  it("tells both stories, ends well, and leaves nothing behind", { timeout: 120_000 }, async () => {
    await using temporary = await temporaryFolder();
    await using example = startExample({ args: ["--once"], env: { TMPDIR: temporary.path } });
    const { code } = await endedWithin(example, 60_000);
    const out = example.out();
    expect([code, example.err()]).toEqual([0, ""]);

    const [, trip = "", page = ""] = out.split(/^\d\. /m);
    expect(trip).toMatch(/A trip is booked.*: ABQ-DAL-20010227-1430 .*ticket T-[0-9A-F]{8}, in \d+ ms/);
    expect(trip).toMatch(/asked twice, charged once, \$237\.62/);
    expect(trip).toMatch(/✓ request +POST \/trips +\d+\.\d ms$/m);
    for (const step of ["bookings.hold", "fares.quote", "payments.charge", "bookings.ticket"])
      expect(trip).toMatch(new RegExp(`✓ step +${step} +\\d+\\.\\d ms$`, "m"));
    expect(trip).toMatch(/attempt 1: .*payments\.charge broke off/);
    expect(trip).toMatch(/✗ http +POST payments\/charge +\d+\.\d ms {2}Unavailable$/m);
    expect(trip).toMatch(/✓ append +log main +\d+\.\d ms {2}up to position 1$/m);

    expect(page).toMatch(/airport ABQ, while the registry ourairports is down/);
    expect(page).toMatch(/name +Albuquerque International Sunport Airport\n +fresh from openflights, by prefer\(/);
    expect(page).toMatch(/not ourairports: down$/m);
    expect(page).toMatch(/not faa: Albuquerque International, openflights is preferred$/m);
    expect(page).toMatch(/^ +ourairports +down +\d+\.\d ms {2}The source "ourairports" broke off/m);
    expect(page).toMatch(/^ +faa +fresh +\d+\.\d ms$/m);
    expect(page).toMatch(/✗ source +ourairports +\d+\.\d ms {2}down$/m);
    expect(out).not.toMatch(/\[object|undefined|NaN/);
    // Not a terminal, so no colours.
    expect(out).not.toContain("\u001b");
    expect(Math.max(...out.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(120);

    expect(await leftAfter(example, 60_000)).toEqual([]);
    expect(await readdir(temporary.path)).toEqual([]);
  });

  it("uses colours where they are wanted, and none where NO_COLOR says so", () => {
    const file = fileURLToPath(new URL("../examples/trips/run/paint.ts", import.meta.url));
    const code = `import(${JSON.stringify(file)}).then(({ paint }) => process.stdout.write(paint("red", "x")))`;
    const printed = (env: NodeJS.ProcessEnv) => spawnSync(process.execPath, ["-e", code], { env }).stdout.toString();
    expect(printed({ FORCE_COLOR: "1" })).toBe("\u001b[31mx\u001b[39m");
    expect(printed({ NO_COLOR: "1" })).toBe("x");
    expect(printed({})).toBe("x");
  });
});

here("npm start", () => {
  let example: Example;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let url: string;
  let client: TripsClient;
  let began: number;
  /** A trip too dear to end by itself: the run waits for an approval, and is under way whatever happens to the process. */
  const bookDear = async (): Promise<string> => {
    const trip = { flight: "HNL-STL-20010110-1907", traveller: "Ada", card: "card-1815", lastKnownFare: 199.99 };
    const { run, kind } = await client.book({ ...trip, booking: crypto.randomUUID() }, 0);
    expect(kind).toBe("under way");
    return run;
  };
  const key = () => readFile(join(folder.path, "newcomer.key"), "utf8");
  beforeAll(async () => {
    folder = await temporaryFolder();
    began = performance.now();
    example = startExample({ env: { TRILITH_DATA: folder.path } });
  });
  afterAll(async () => {
    client?.close();
    await example?.[Symbol.asyncDispose]();
    await folder?.[Symbol.asyncDispose]();
  });

  it("prints what is running and both addresses, and they answer", { timeout: 120_000 }, async () => {
    const [banner, base = ""] = await example.says(upAt, 60_000);
    console.info(`npm start printed its addresses after ${Math.round(performance.now() - began)} ms`);
    url = base;
    expect(banner).toContain(`API docs     ${url}/docs\n`);
    for (const upstream of ["openflights", "ourairports", "faa", "flights", "fares", "payments"])
      expect(banner).toMatch(new RegExp(`${upstream} +http://127\\.0\\.0\\.1:\\d+`));
    for (const path of ["/console", "/docs", "/readyz"]) expect((await fetch(url + path)).status).toBe(200);
    expect(banner).toContain(await key());
    client = new TripsClient(url, await key());
    expect((await client.get("/flights/ABQ-DAL-20010227-1430/bookings")).status).toBe(200);
  });

  it("books trips", { timeout: 120_000 }, async () => {
    await example.says(/(ticketed +T-[0-9A-F]{8} in \d+ ms[\s\S]*){3}/, 60_000);
  });

  it("is back by itself after a SIGKILL of the backend, under its address, and the runs go on", {
    timeout: 120_000,
  }, async () => {
    const run = await bookDear();
    const before = backendOf(example);
    process.kill(before, "SIGKILL");
    await example.says(/the backend was killed \(SIGKILL\); starting it again\s+it is up again after \d+ ms/, 60_000);
    expect(backendOf(example)).not.toBe(before);
    await expect.poll(() => client.state(run), { timeout: 60_000 }).toBe("waiting");
    expect(await client.approve(run, "the manager")).toBe(202);
    await expect.poll(() => client.state(run), { timeout: 60_000 }).toBe("done");
    const told = example.out().length;
    await expect.poll(() => example.out().slice(told), { timeout: 60_000 }).toMatch(/ticketed +T-/);
  });

  it("refuses a second one in its folder, which does the first one no harm", { timeout: 120_000 }, async () => {
    const before = await key();
    const said = await refused({ env: { TRILITH_DATA: folder.path } });
    expect(said).toBe(
      `The data folder ${folder.path} is in use by another npm start. Stop that one, or set TRILITH_DATA to another folder.`,
    );
    expect(await key()).toBe(before);
    expect((await client.get("/flights/ABQ-DAL-20010227-1430/bookings")).status).toBe(200);
  });

  // Side by side; meanwhile the trips above wait for their approvals.
  describe.concurrent("says in one sentence, starts nothing and leaves nothing when", () => {
    const cases = { timeout: 120_000 };
    it("its port is taken", cases, async () => {
      await using data = await temporaryFolder();
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      const address = server.address();
      const port = typeof address === "object" ? address?.port : undefined;
      expect(await refused({ env: { PORT: `${port}`, TRILITH_DATA: data.path } })).toBe(
        `Port ${port} on 127.0.0.1 is taken by another process. Stop that one, or set PORT to another port (0 takes a free one).`,
      );
      server.close();
    });

    it("its data folder is locked by another backend", cases, async () => {
      await using data = await temporaryFolder();
      using lock = new DatabaseSync(join(data.path, "lock.db"));
      lock.exec("begin exclusive");
      expect(await refused({ env: { TRILITH_DATA: data.path } })).toMatch(
        /^The data folder .+ is in use by .+\. Stop that process, or give this one a folder of its own\.$/,
      );
    });

    it("its data folder lies under a file", cases, async () => {
      await using temporary = await temporaryFolder();
      const file = join(temporary.path, "file");
      await writeFile(file, "");
      const both = [[], ["--once"]].map((args) => refused({ args, env: { TRILITH_DATA: join(file, "data") } }));
      for (const said of await Promise.all(both))
        expect(said).toBe(
          `The data folder ${join(file, "data")} cannot be written (ENOTDIR). Set TRILITH_DATA to a folder that can.`,
        );
    });

    it("its data folder lies where nobody can write, not even root", cases, async () => {
      expect(await refused({ env: { TRILITH_DATA: "/proc/trips" } })).toMatch(
        /^The data folder \/proc\/trips cannot be written \(\w+\)\. Set TRILITH_DATA to a folder that can\.$/,
      );
    });

    it("its data folder is read-only for who starts it", cases, async ({ skip }) => {
      const user = process.getuid?.() === 0 ? nobody : undefined;
      skip(
        user !== undefined && !canRead(user),
        "Root may write everywhere, and this checkout is nobody else's to read.",
      );
      await using temporary = await temporaryFolder();
      await chmod(temporary.path, 0o755);
      const data = join(temporary.path, "data");
      await mkdir(data, { mode: 0o555 });
      expect(await refused({ env: { TRILITH_DATA: data }, ...(user !== undefined && { uid: user }) })).toBe(
        `The data folder ${data} cannot be written (EACCES). Set TRILITH_DATA to a folder that can.`,
      );
    });

    it("a setting is no setting", cases, async () => {
      expect(await refused({ env: { PORT: "abc" } })).toBe('PORT: "abc" is not a port; give a number from 0 to 65535.');
      expect(await refused({ env: { TRILITH_PORT: "1" } })).toMatch(
        /^TRILITH_PORT: there is no such setting; did you mean /,
      );
      expect(await refused({ args: ["--onec"] })).toMatch(/--onec/);
    });
  });

  it("undoes the trips that nobody approves, and says so", { timeout: 90_000 }, async () => {
    await example.says(/ waiting +for an approval/, 60_000);
    await example.says(/ undone +the seat is free again, what was paid is paid back/, 80_000);
  });

  let parked: string;
  it("stops everything on Ctrl-C", { timeout: 120_000 }, async () => {
    parked = await bookDear();
    expect(example.processes().length).toBeGreaterThan(7);
    example.interrupt();
    const { code, signal } = await endedWithin(example, 60_000);
    // npm says of itself that it was interrupted, whatever the program ended with; that is looked at below.
    expect([0, 130, "SIGINT"]).toContain(signal ?? code);
    expect(example.out()).toMatch(/stopping: nothing new is accepted, what runs is finished or parked\s*$/);
    expect(example.err()).toBe("");
    expect(await leftAfter(example, 60_000)).toEqual([]);
    await expect(fetch(`${url}/livez`)).rejects.toThrow();
  });

  it("goes on with what it parked when it is started again, and ends with 0 when it is asked to", {
    timeout: 120_000,
  }, async () => {
    await using again = startExample({ by: "node", env: { TRILITH_DATA: folder.path } });
    const [, base = ""] = await again.says(upAt, 60_000);
    const newcomer = new TripsClient(base, await key());
    expect(await newcomer.approve(parked, "the manager")).toBe(202);
    await expect.poll(() => newcomer.state(parked), { timeout: 60_000 }).toBe("done");
    again.interrupt();
    expect(await endedWithin(again, 60_000)).toEqual({ code: 0, signal: null });
    expect(again.err()).toBe("");
    expect(await leftAfter(again, 60_000)).toEqual([]);
  });

  it("ends when npm is told to, who tells only its shell", { timeout: 120_000 }, async () => {
    await using example = startExample({ env: { TRILITH_DATA: folder.path } });
    await example.says(upAt, 60_000);
    example.child.kill("SIGTERM");
    await endedWithin(example, 60_000);
    expect(await leftAfter(example, 60_000)).toEqual([]);
  });

  it("takes everything with it when it is itself killed with SIGKILL", { timeout: 120_000 }, async () => {
    await using example = startExample({ by: "node", env: { TRILITH_DATA: folder.path } });
    await example.says(upAt, 60_000);
    example.child.kill("SIGKILL");
    await endedWithin(example, 60_000);
    expect(await leftAfter(example, 60_000)).toEqual([]);
  });
});

/** Starts it, expects that it ends by itself with another code than 0 and leaves nothing, and gives back its one line. */
async function refused(options: StartOptions): Promise<string> {
  await using example = startExample({ by: "node", ...options });
  const { code, signal } = await endedWithin(example, 60_000);
  expect([signal, example.out()]).toEqual([null, ""]);
  expect(code).toBeGreaterThan(0);
  expect(await leftAfter(example, 60_000)).toEqual([]);
  const said = example.err().trimEnd();
  expect(said.split("\n")).toHaveLength(1);
  return said;
}

function backendOf(example: Example): number {
  const backend = example.processes().find(({ command }) => /cli\/main\.ts start/.test(command));
  if (!backend) throw new Error(`No backend is running. There are: ${JSON.stringify(example.processes())}`);
  return backend.pid;
}

const upAt = /console +(http:\/\/127\.0\.0\.1:\d+)\/console[\s\S]*Ctrl-C/;

const nobody = 65_534;
const canRead = (uid: number): boolean => {
  const file = fileURLToPath(new URL("../examples/trips/start.ts", import.meta.url));
  const code = `require("node:fs").accessSync(${JSON.stringify(file)})`;
  return spawnSync(process.execPath, ["-e", code], { uid, cwd: "/", env: {} }).status === 0;
};
