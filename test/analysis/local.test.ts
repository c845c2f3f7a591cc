import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { ARTICLE_SCHEMA } from "../../src/analysis/analysis.ts";
import { analyzeLocally } from "../../src/analysis/local.ts";
import { type Sample, samples } from "./samples.ts";

const accepts = new Ajv2020().compile(ARTICLE_SCHEMA);
const flat = (text: string): string => text.replace(/\s+/g, " ");

describe.each(samples.map((sample) => [sample.id, sample] as const))("the analysis of %s", (_id, sample: Sample) => {
  const analysis = analyzeLocally(sample);
  const content = flat(sample.content);

  test("fits the schema that the providers are sent", () => {
    expect(accepts(analysis), JSON.stringify(accepts.errors)).toBe(true);
  });

  test("keeps the title and tells the language", () => {
    expect(analysis.title).toBe(sample.title);
    expect(analysis.language).toBe(sample.language);
  });

  test("summarises in the article's own sentences, in their order", () => {
    let at = 0;
    let rest = analysis.summary;
    let pieces = 0;
    // The longest beginning of what is left that stands in the article must be a sentence or several that follow each other.
    while (rest !== "") {
      const ends = [...rest.matchAll(/[.!?…]["”»“]?(?= |$)/gu)].map((match) => match.index + match[0].length);
      const end = ends.findLast((length) => content.indexOf(rest.slice(0, length), at) >= 0);
      expect(end, `not in the article, or not in this order: ${rest}`).toBeDefined();
      at = content.indexOf(rest.slice(0, end), at) + end!;
      rest = rest.slice(end).trim();
      pieces++;
    }
    expect(pieces).toBeGreaterThanOrEqual(1);
    expect(pieces).toBeLessThanOrEqual(4);
    expect(analysis.summary.length).toBeLessThan(1_000);
  });

  test("adds three to five points of the article that the summary has not", () => {
    expect(analysis.keyPoints.length).toBeGreaterThanOrEqual(3);
    expect(analysis.keyPoints.length).toBeLessThanOrEqual(5);
    for (const point of analysis.keyPoints) {
      expect(content).toContain(point);
      expect(analysis.summary).not.toContain(point);
    }
  });

  test("names three to six topics that stand in the article", () => {
    expect(analysis.topics.length).toBeGreaterThanOrEqual(3);
    expect(analysis.topics.length).toBeLessThanOrEqual(6);
    const text = `${content} ${sample.title}`.toLowerCase();
    for (const topic of analysis.topics) expect(text).toContain(topic.toLowerCase());
    expect(new Set(analysis.topics.map((topic) => topic.toLowerCase())).size).toBe(analysis.topics.length);
  });

  test("lists names of the article once each, and none where it cannot know them", () => {
    const text = content.replaceAll("’", "'");
    for (const { name } of analysis.entities) expect(text).toContain(name);
    expect(new Set(analysis.entities.map(({ name }) => name.toLowerCase())).size).toBe(analysis.entities.length);
    if (sample.language === "en") expect(analysis.entities.length).toBeGreaterThanOrEqual(3);
    else expect(analysis.entities).toEqual([]);
  });

  test("comes out the same a second time", () => {
    expect(analyzeLocally(sample)).toEqual(analysis);
  });
});

describe("analyzeLocally", () => {
  test("takes the first sentence, shortened between words, for a missing title", () => {
    const content =
      "The council of Harrowgate decided on Tuesday evening, after a long and rather bitter debate, to close the ferry for good. Nobody cheered.";
    const { title } = analyzeLocally({ content });
    expect(title).toBe("The council of Harrowgate decided on Tuesday evening, after a long and rather…");
    expect(analyzeLocally({ title: "   ", content }).title).toBe(title);
  });

  test("reads the text between tags and not what stands in them", () => {
    const content =
      '<h1>Harbour</h1><script>var harbour = "reef";</script><p class="lead">The harbour of Whitby was closed on Monday &amp; reopened today.</p><p>Fishermen returned to the harbour with their boats before the storm.</p>';
    const { summary } = analyzeLocally({ content });
    expect(summary).toBe(
      "The harbour of Whitby was closed on Monday & reopened today. Fishermen returned to the harbour with their boats before the storm.",
    );
  });

  test("does not break sentences at abbreviations, initials and ordinals", () => {
    const english = "Dr. J. Harker met Mrs. Oyelaran of St. Gallen at 9 a.m. in the archive. They opened the ledger.";
    expect(analyzeLocally({ content: english }).summary).toBe(english);
    const german = "Die Fähre fährt seit dem 12. März wieder über den Fluss. Der Verein freut sich über viele Gäste.";
    expect(analyzeLocally({ content: german }).summary).toBe(german);
  });

  test("never takes half of a quotation", () => {
    const filler = "The report on the reservoir names the valley, the dam and the villages that the water would cover.";
    const content = `${filler}\n\n"The reservoir and the dam and the valley are lost. The reservoir and the dam and the villages are gone," said a farmer of the valley.\n\nThe dam would be forty metres high. The villages in the valley have asked a court to stop it.`;
    const { summary, keyPoints } = analyzeLocally({ content });
    for (const text of [summary, ...keyPoints])
      expect(text.match(/"/g)?.length ?? 0).toSatisfy((n: number) => n % 2 === 0);
  });

  test("says so when there is nothing to say", () => {
    expect(analyzeLocally({ content: "" })).toEqual({
      title: "",
      summary: "",
      keyPoints: [],
      topics: [],
      entities: [],
      sentiment: "neutral",
      language: "und",
    });
  });

  test("summarises Chinese without inserting spaces", () => {
    const content =
      "科学家在青海湖附近发现了一种新的植物。这种植物生长在海拔三千米以上的湿地里。研究人员说，湿地的保护对植物非常重要。当地居民也参加了湿地的保护工作。";
    const { summary, topics, language } = analyzeLocally({ content });
    expect(language).toBe("zh");
    expect(summary).not.toContain(" ");
    expect(content).toContain(summary.slice(0, 10));
    expect(topics).toContain("植物");
  });
});
