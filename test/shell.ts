import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { until } from "./program.ts";

/** What a command printed, and how each `curl` in it was answered, in their order. */
export interface Said {
  readonly text: string;
  readonly answers: readonly { readonly status: number; readonly type: string }[];
}

/** A bash that pages' commands are typed into, one after another: what one sets, the next one sees. */
export interface Shell extends AsyncDisposable {
  run(command: string): Promise<Said>;
}

/** `localhost:4400` in a command means `port`. */
export async function openShell(folder: string, port: string): Promise<Shell> {
  // What curl does not show of itself, it is told to by its own configuration: the commands stay as they are.
  const home = join(folder, ".curl");
  await mkdir(home, { recursive: true });
  await writeFile(
    join(home, ".curlrc"),
    'silent\nshow-error\nwrite-out = "%{stderr}answer %{http_code} %{content_type}\\n"\n',
  );
  const bash = spawn("bash", { cwd: folder, env: { ...process.env, CURL_HOME: home, npm_config_loglevel: "error" } });
  const heard = { out: "", err: "" };
  bash.stdout.on("data", (chunk: Buffer) => (heard.out += chunk));
  bash.stderr.on("data", (chunk: Buffer) => (heard.err += chunk));
  let count = 0;

  return {
    async run(command) {
      const end = `-- end of ${++count} --\n`;
      const said = command.replaceAll("localhost:4400", `localhost:${port}`);
      bash.stdin.write(`{ ${said}\n} </dev/null; printf -- '${end}'; printf -- '${end}' >&2\n`);
      await until(() => heard.out.endsWith(end) && heard.err.endsWith(end), `"${command}" did not end.`);
      const text = heard.out.slice(0, -end.length);
      const errors = heard.err.slice(0, -end.length);
      heard.out = heard.err = "";
      const answers = [...errors.matchAll(/^answer (\d+) (.*)$/gm)].map(([, status, type]) => ({
        status: Number(status),
        type: type ?? "",
      }));
      const complaint = errors.replaceAll(/^answer .*\n/gm, "");
      if (complaint !== "") throw new Error(`${command}\n${complaint}`);
      return { text, answers };
    },
    async [Symbol.asyncDispose]() {
      const ended = once(bash, "exit");
      bash.stdin.end();
      await ended;
    },
  };
}
