import { XMLParser, XMLValidator } from "fast-xml-parser";
import type { JsonSchema } from "../../contracts/index.ts";
import { Unreadable } from "./unreadable.ts";

/**
 * The elements at a path from the root. Text is text; attributes are fields with `@` before their names; what the
 * schema calls a list is one, even where the element stands alone.
 */
export function readXml(text: string, rows: readonly string[], schema: JsonSchema): readonly unknown[] {
  // Entities are declared there and nowhere else: without it there is nothing to expand and nowhere to point.
  if (/<!(DOCTYPE|ENTITY)/i.test(text)) throw new Unreadable("answered with XML that has a document type declaration");
  if (XMLValidator.validate(text) !== true) throw new Unreadable("answered with XML that is not well-formed");
  let document: unknown;
  try {
    document = new XMLParser(options).parse(text);
  } catch {
    throw new Unreadable("answered with XML that cannot be read: it is nested too deeply, or uses a reserved name");
  }
  const [root = "", ...below] = rows;
  if (!isElement(document) || !Object.hasOwn(document, root))
    throw new Unreadable(`answered with XML that does not begin with <${root}>`);
  const elements = below.reduce<readonly unknown[]>(
    (parents, name) => parents.flatMap((parent) => (isElement(parent) ? listOf(parent[name]) : [])),
    listOf(document[root]),
  );
  return elements.map((element) => withLists(schema, element));
}

const options = {
  ignoreAttributes: false,
  attributeNamePrefix: "@",
  parseTagValue: false,
  parseAttributeValue: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  entityDecoder: {
    decode: decodeEntities,
    setExternalEntities() {},
    addInputEntities() {},
    reset() {},
    setXmlVersion() {},
  },
};

const predefined: { readonly [name: string]: string } = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** The five entities that XML itself defines, and characters by number; nothing else has a meaning without a declaration. */
function decodeEntities(text: string): string {
  return text.replaceAll(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(amp|lt|gt|quot|apos));/gi, (whole, decimal, hex, name) => {
    if (name) return predefined[name] ?? whole;
    const code = decimal ? Number(decimal) : Number.parseInt(hex, 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code).toWellFormed() : whole;
  });
}

type Element = { readonly [name: string]: unknown };
const isElement = (value: unknown): value is Element =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const listOf = (value: unknown): readonly unknown[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

function withLists(schema: unknown, value: unknown): unknown {
  if (!isElement(schema)) return value;
  if (schema.type === "array")
    return listOf(value === "" ? undefined : value).map((item) => withLists(schema.items, item));
  if (!isElement(value) || !isElement(schema.properties)) return value;
  const { properties } = schema;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name,
      Object.hasOwn(properties, name) ? withLists(properties[name], field) : field,
    ]),
  );
}
