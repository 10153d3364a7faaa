import type { HttpPlan } from "../fetch.ts";
import type { UpstreamAnswer } from "../port.ts";
import { Unreadable } from "./unreadable.ts";

/** The body as text, in the charset that the answer names: in its header, for XML also in its declaration, else UTF-8. */
export function toText({ headers, body }: UpstreamAnswer, format: HttpPlan["format"]): string {
  const type = headers["content-type"];
  const named = type?.includes(";") ? /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(type)?.[1] : undefined;
  const charset = named ?? (format === "xml" ? declared(body) : undefined) ?? "utf-8";
  const decoder = decoderOf(charset);
  // Told whole or not at all: a part of what it repeats could not be recognised as somebody's secret.
  if (!decoder) throw new Unreadable(`answered in ${told(charset)}, which is not known`);
  try {
    return decoder.decode(body);
  } catch {
    throw new Unreadable(`answered with bytes that are not ${charset}`);
  }
}

/** Between two texts it remembers nothing, so one does for all. */
const utf8 = new TextDecoder("utf-8", { fatal: true });

const told = (charset: string): string => (charset.length > 40 ? "a charset" : `the charset "${charset}"`);

function decoderOf(charset: string) {
  if (charset === "utf-8") return utf8;
  try {
    return new TextDecoder(charset, { fatal: true });
  } catch {
    return undefined;
  }
}

// The declaration is ASCII in every charset that XML allows without a byte order mark.
function declared(body: Uint8Array): string | undefined {
  if (body[0] === 0xff && body[1] === 0xfe) return "utf-16le";
  if (body[0] === 0xfe && body[1] === 0xff) return "utf-16be";
  const head = new TextDecoder("latin1").decode(body.subarray(0, 200));
  return /^\s*<\?xml[^>]*\sencoding\s*=\s*["']([\w.:-]+)["']/.exec(head)?.[1];
}
