/** Checks the names and values of headers that a source sends; names come out in lower case. Throws a sentence. */
export function toHeaders(
  of: string,
  headers: { readonly [name: string]: string },
): { readonly [name: string]: string } {
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  for (const [name, value] of lower) {
    if (/^(authorization|proxy-authorization|cookie)$/.test(name))
      throw new TypeError(
        `${of} has the header "${name}" in the code. Set its token in TRILITH_SOURCE_<NAME>_TOKEN instead.`,
      );
    checkedName(of, name);
    if (!isHeaderText(value)) throw cannotSend(of, name);
  }
  return Object.freeze(Object.fromEntries(lower));
}

/** A name that a header may have here: not one of the connection's own. */
export function checkedName(of: string, name: string): string {
  const isReserved = /^(host|connection|content-length|transfer-encoding)$/.test(name);
  if (isReserved || !/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw cannotSend(of, name);
  return name;
}

/** Whether a text may be a header's value: no line breaks, and nothing beyond one byte a character. */
export const isHeaderText = (text: string): boolean => /^[\t\x20-\x7e\x80-\xff]*$/.test(text);

const cannotSend = (of: string, header: string): TypeError =>
  new TypeError(`${of} cannot send the header ${JSON.stringify(header)}.`);
