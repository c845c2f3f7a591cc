import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ARTICLE_SCHEMA } from "../../src/analysis/analysis.ts";
import { analyzeLocally } from "../../src/analysis/local.ts";
import { MOST_TEXT } from "../../src/analysis/text.ts";
import { TIMED } from "../support.ts";

const accepts = new Ajv2020().compile(ARTICLE_SCHEMA);

const MB = 1_000_000;
const filled = (piece: string): string => piece.repeat(Math.ceil(MB / piece.length)).slice(0, MB);

const LEAD = "The committee said that the people of the town were happy with the new library and its garden. ";

/** Far above what any of them takes (0.4 s), far below what a quadratic step would. */
const MOST_MS = 4_000;

test.each([
  ["one word", filled("a")],
  ["words without a full stop", filled("lorem ipsum dolor ")],
  ["full stops", filled(".")],
  ["sentences of a letter", filled("A. b! C? ")],
  ["the same sentence again and again", filled("The dog bit the postman in the park. ")],
  ["abbreviations", filled("Dr. ")],
  ["names", filled("in Xabcd Yoefg, near Zaqwer Poiuy, of ")],
  ["names, no two alike", Array.from({ length: 100_000 }, (_, at) => `N${at.toString(36)}x`).join(" ")],
  ["opening quotation marks", filled("“")],
  ["quotations", filled('"Ab ')],
  ["opening brackets", filled("<")],
  ["script tags that nobody closes", filled("<script>")],
  ["ampersands", filled("&")],
  ["character references out of range", filled("&#99999999;&#55296;&#0;&#1114112;")],
  ["emoji", filled("😀")],
  ["lone surrogates", filled("\ud800")],
  ["Chinese without a full stop", filled("中国科学家在青海湖附近发现了一种新的植物")],
  ["Chinese sentences", filled("中国科学家在青海湖附近发现了一种新的植物。")],
  ["Japanese", filled("日本の研究者は新しい植物を発見した。")],
  ["Thai", filled("นักวิทยาศาสตร์ค้นพบพืชชนิดใหม่")],
  ["combining marks", filled("e\u0301\u0302")],
  ["apostrophes", filled("'")],
  ["hyphens", filled("a-")],
  ["blank lines", filled("\n")],
  ["names of an object's own properties", filled("constructor __proto__ toString hasOwnProperty ")],
])("a megabyte of %s takes a bounded time and gives an analysis", TIMED, (_name, content) => {
  for (const text of [content, LEAD + content]) {
    const from = performance.now();
    const analysis = analyzeLocally({ title: content, content: text });
    expect(performance.now() - from).toBeLessThan(MOST_MS);
    expect(accepts(analysis)).toBe(true);
    expect(JSON.stringify(analysis).length).toBeLessThan(20_000);
  }
});

test("no string makes it throw, and what it answers is well-formed", () => {
  const pieces = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: "grapheme" }),
    fc.constantFrom(
      ". ",
      "\n\n",
      "“",
      '"',
      "Dr. ",
      "<p>",
      "</script>",
      "&amp;",
      "\ud83d",
      "Anna Berg ",
      "in Paris, ",
      "not good ",
    ),
  );
  const texts = fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(texts, fc.option(texts, { nil: undefined }), fc.boolean(), (content, title, led) => {
      const analysis = analyzeLocally({ title, content: led ? LEAD + content : content });
      expect(accepts(analysis)).toBe(true);
      expect(JSON.stringify(analysis)).toBe(JSON.stringify(analysis).toWellFormed());
      expect(analysis.summary.isWellFormed() && analysis.title.isWellFormed()).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test("what stands beyond the limit is not read", () => {
  const start = "The harbour was quiet. ".repeat(Math.floor(MOST_TEXT / 23));
  const analysis = analyzeLocally({ content: `${start}${" ".repeat(50)}Zanzibar burned down in a horrible fire.` });
  expect(JSON.stringify(analysis)).not.toContain("Zanzibar");
});
