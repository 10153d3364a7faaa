import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import chromium from "@sparticuz/chromium";
import { type Browser, type BrowserContextOptions, type Page, chromium as playwright } from "playwright-core";

/**
 * A real browser, from inside an npm package: nothing is downloaded, and nothing of the machine is needed but its kernel.
 * Close it at the end of the test.
 */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = await chromium.executablePath();
  const fonts = await fontsFolder();
  const browser = await playwright.launch({
    executablePath,
    args: [...chromium.args.filter((arg) => !unwanted.includes(arg)), ...quiet],
    env: { ...withoutUndefined(process.env), FONTCONFIG_PATH: fonts },
  });
  browser.on("disconnected", () => void rm(fonts, { recursive: true, force: true }));
  return browser;
}

/** A page that says what it waited for in vain, before the test's own time (20 s) is up. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await browser.newPage(options);
  page.setDefaultTimeout(15_000);
  return page;
}

/** Made for a function's short life: one process for everything dies with the first page that does, and origins must count. */
const unwanted: readonly string[] = [
  "--single-process",
  "--in-process-gpu",
  "--disable-web-security",
  "--allow-running-insecure-content",
];

/** As root there is no sandbox to be had; the rest keeps the browser from calling home, so that every request is the page's. */
const quiet: readonly string[] = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

/** The package brings one family and names it for everything; code wants to stand in columns. */
async function fontsFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "trilith-fonts-"));
  const alias = (family: string, prefer: string) =>
    `<alias binding="same"><family>${family}</family><prefer><family>${prefer}</family></prefer></alias>`;
  await writeFile(
    join(folder, "fonts.conf"),
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<dir>${join(tmpdir(), "fonts")}</dir><dir>/usr/share/fonts</dir><cachedir>${join(folder, "cache")}</cachedir>
${alias("system-ui", "Open Sans")}${alias("ui-sans-serif", "Open Sans")}${alias("sans-serif", "Open Sans")}${alias("ui-monospace", "DejaVu Sans Mono")}${alias("monospace", "DejaVu Sans Mono")}
</fontconfig>`,
  );
  return folder;
}

const withoutUndefined = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
