import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { coordinates } from "./coordinates.ts";
import { countryCode } from "./countries.ts";
import { day, instant, timeZone } from "./dates.ts";
import { company, currencyCode, inTurn, languageCode, money, type Normaliser, plain, text, Unusable } from "./index.ts";
import { phoneNumber } from "./phones.ts";
import { measure } from "./units.ts";

const nothing = "nothing that can be used";
const cases: readonly [string, Normaliser<unknown>, readonly (readonly [unknown, unknown])[]][] = [
  [
    "text",
    text,
    [
      ["  Zu\u0308rich\u00a0\n Kloten\u200b ", "Zürich Kloten"],
      [12, "12"],
      [{}, nothing],
      ["\u0000", nothing],
    ],
  ],
  [
    "plain",
    plain,
    [
      ["Zürich–Kloten", "zurich kloten"],
      ["ZURICH  KLOTEN", "zurich kloten"],
      ["O’Hare Int'l.", "ohare intl"],
      ["Łódź / Straße / Ærø", "lodz strasse aero"],
      ["İstanbul", "istanbul"],
      ["U.S.A.", "usa"],
      ["東京", "東京"],
      ["!?", nothing],
    ],
  ],
  [
    "company",
    company,
    [
      ["Müller GmbH & Co. KG", "muller"],
      ["ACME, Inc.", "acme"],
      ["Acme Limited", "acme"],
      ["Nestlé S.A.", "nestle"],
      ["Co", "co"],
    ],
  ],
  [
    "currencyCode",
    currencyCode,
    [
      [" eur", "EUR"],
      ["$", nothing],
      ["XYZ", nothing],
      [978, nothing],
    ],
  ],
  [
    "money",
    money({ currency: "eur" }),
    [
      ["USD 1,234.50", { currency: "USD", minor: 123_450 }],
      ["1234.5 usd", { currency: "USD", minor: 123_450 }],
      [12.5, { currency: "EUR", minor: 1_250 }],
      [0.1 + 0.2, nothing],
      ["-3", { currency: "EUR", minor: -300 }],
      ["-0.00", { currency: "EUR", minor: 0 }],
      ["JPY 500", { currency: "JPY", minor: 500 }],
      ["JPY 500.5", nothing],
      ["HUF 1.50", { currency: "HUF", minor: 150 }],
      ["KWD 1.234", { currency: "KWD", minor: 1_234 }],
      ["1,23", nothing],
      ["EUR 1 USD", nothing],
      ["EUR 99999999999999999", nothing],
      [1e300, nothing],
      [{ currency: "EUR", minor: 1.5 }, nothing],
      ["twelve", nothing],
    ],
  ],
  [
    "money with a comma",
    money({ decimal: "," }),
    [
      ["1.234,50 EUR", { currency: "EUR", minor: 123_450 }],
      ["1 234,5 EUR", { currency: "EUR", minor: 123_450 }],
      ["1234.50 EUR", nothing],
      ["12", nothing],
    ],
  ],
  [
    "languageCode",
    languageCode,
    [
      ["DEU", "de"],
      ["pt_br", "pt-BR"],
      ["zh-hant-tw", "zh-Hant-TW"],
      ["xx", nothing],
      ["not a language", nothing],
    ],
  ],
  [
    "countryCode",
    countryCode({ languages: ["en", "de"], also: { Burma: "MM" } }),
    [
      ["de", "DE"],
      ["DEU", "DE"],
      [276, "DE"],
      ["76", "BR"],
      ["Germany", "DE"],
      ["deutschland", "DE"],
      ["cote d'ivoire", "CI"],
      ["USA", "US"],
      ["BURMA", "MM"],
      ["Atlantis", nothing],
      ["ZZ", nothing],
    ],
  ],
  [
    "phoneNumber",
    phoneNumber({ country: "us" }),
    [
      ["(213) 373-4253", "+12133734253"],
      ["+47 22 86 44 00", "+4722864400"],
      ["0047 22864400", nothing],
      ["213 373 4253 ext. 7", nothing],
      ["12", nothing],
      ["call me", nothing],
    ],
  ],
  [
    "instant",
    instant({ zone: "America/Denver", format: "yyyy/MM/dd HH:mm" }),
    [
      ["2001/02/27 14:30", "2001-02-27T21:30:00.000Z"],
      ["2001-02-27T14:30:00+01:00", "2001-02-27T13:30:00.000Z"],
      ["2001-02-27 14:30Z", "2001-02-27T14:30:00.000Z"],
      [new Date(0), "1970-01-01T00:00:00.000Z"],
      [new Date(Number.NaN), nothing],
      ["2001/04/01 02:30", nothing], // the clocks went from two to three
      ["2001/10/28 01:30", "2001-10-28T07:30:00.000Z"], // they showed it twice
      ["2001/02/30 14:30", nothing],
      ["yesterday", nothing],
    ],
  ],
  [
    "instant without a zone",
    instant(),
    [
      ["2001-02-27T14:30:00", nothing],
      ["2001-02-27T14:30:00.5Z", "2001-02-27T14:30:00.500Z"],
    ],
  ],
  [
    "day",
    day({ format: "d MMM yyyy" }),
    [
      ["2026-01-31", "2026-01-31"],
      ["31 Jan 2026", "2026-01-31"],
      ["2026-02-30", nothing],
      ["2026-01-31T10:00:00Z", nothing],
    ],
  ],
  [
    "timeZone",
    timeZone,
    [
      ["europe/oslo", "Europe/Oslo"],
      ["Mars/Base", nothing],
    ],
  ],
  [
    "coordinates",
    coordinates(),
    [
      ["40°26′46″N 79°58′56″W", { latitude: 40.44611, longitude: -79.98222 }],
      ["N40 26.767 W79 58.933", { latitude: 40.44612, longitude: -79.98222 }],
      ["-0.5, 0.25", { latitude: -0.5, longitude: 0.25 }],
      [
        { lat: "12.5", lon: 7 },
        { latitude: 12.5, longitude: 7 },
      ],
      [
        { latitude: -0.000001, longitude: 180 },
        { latitude: 0, longitude: 180 },
      ],
      [{ lat: "", lon: "" }, nothing],
      [{ lat: 91, lon: 0 }, nothing],
      ["91, 200", nothing],
      ["here", nothing],
    ],
  ],
  [
    "measure",
    measure("m", { from: "ft" }),
    [
      ["5,200 ft", { value: 1584.96, unit: "m" }],
      [10, { value: 3.048, unit: "m" }],
      ["3 kilometers", { value: 3_000, unit: "m" }],
      [
        { value: 1, unit: "mi" },
        { value: 1609.344, unit: "m" },
      ],
      ["12 kg", nothing],
      ["12 smoots", nothing],
      ["far", nothing],
    ],
  ],
];

describe.each(cases)("%s", (_, normalise, table) => {
  test.each(table)("makes of %j: %j", (value, expected) => {
    if (expected === nothing) expect(normalise(value)).toBeInstanceOf(Unusable);
    else expect(normalise(value)).toEqual(expected);
  });

  test("leaves alone what it gave, never throws, and is the same each time", () => {
    const likely = fc.constantFrom(...table.map(([value]) => value));
    const digits = fc
      .tuple(fc.integer(), fc.constantFrom(" EUR", " ft", ", 12", "-01-02"))
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(fc.oneof(likely, fc.anything(), fc.string({ unit: "binary" }), fc.double(), digits), (value) => {
        const once = normalise(value);
        expect(normalise(once)).toEqual(once);
        expect(normalise(value)).toEqual(once);
      }),
      { numRuns: 400 },
    );
  });

  test.each([undefined, null, "", "  "])("takes %j for nothing at all, which is no mistake", (value) => {
    expect(normalise(value)).toBeUndefined();
  });
});

test("what cannot be used says what it is not, and nothing of what it was", () => {
  expect(phoneNumber()("0049 secret")).toEqual(new Unusable("is no phone number"));
});

test("normalisers work one after the other", () => {
  const code = inTurn(text, countryCode());
  expect(code("  Norway\n")).toBe("NO");
  expect(inTurn(countryCode(), text)("Atlantis")).toEqual(new Unusable("is no country of ISO 3166"));
});

test("what cannot be meant is refused when it is declared", () => {
  expect(() => money({ currency: "EURO" })).toThrow("ISO 4217");
  expect(() => instant({ zone: "Mars/Base" })).toThrow("time zone");
  expect(() => countryCode({ languages: ["tlh"] })).toThrow('in "tlh"');
  expect(() => countryCode({ also: { Narnia: "NN" } })).toThrow("no code of a country");
  expect(() => measure("smoot" as "m")).toThrow();
  expect(() => coordinates({ digits: 99 })).toThrow("0 to 9");
});
