import { expect, test } from "vitest";
import { analyzeLocally } from "../../src/analysis/local.ts";
import { samples } from "./samples.ts";

const named = (content: string, type: string): string[] =>
  analyzeLocally({ content })
    .entities.filter((entity) => entity.type === type)
    .map(({ name }) => name)
    .sort();

test("people, places and organizations of an English report are found and told apart", () => {
  const content = `Dr. Maria Keller of the University of Leeds said on Tuesday that the river had risen faster than anyone in York expected. Her team, which works with the Environment Agency, installed forty sensors near Selby last spring.

However, the council's own figures told a different story. Keller's deputy, Tom Whitcombe, called the report a warning to Britain. Residents have heard it all before, and the mayor, Aisha Rahman, promised money that Northgate Water Ltd would have to match.`;
  expect(named(content, "person")).toEqual(["Aisha Rahman", "Maria Keller", "Tom Whitcombe"]);
  expect(named(content, "place")).toEqual(["Britain", "Selby", "York"]);
  expect(named(content, "organization")).toEqual(["Environment Agency", "Northgate Water Ltd", "University of Leeds"]);
});

test("a surname alone counts for the full name, whether it comes before or after", () => {
  const content =
    "Petrescu denied it all on Monday. The runner Danilo Petrescu had won in Berlin. Mr Petrescu's lawyer said nothing. Later Petrescu said that he would appeal.";
  expect(named(content, "person")).toEqual(["Danilo Petrescu"]);
});

test("neither the first words of sentences nor days, months and nationalities are names", () => {
  const content =
    "However, the Norwegian ship left on Monday. Meanwhile, Analysts were unsure. In March the French crew returned. Retailers complained. Nobody knew why. I did not, and I'm sure of it. English and German papers reported it in September.";
  expect(analyzeLocally({ content }).entities).toEqual([]);
});

test("a title in quotation marks is a work, a quotation is not", () => {
  const content =
    'Her third novel, "The Salt Road", was published in Dublin on Friday. "Nobody Believed Me," she said. "It is a long road to the sea and back again."';
  expect(named(content, "work")).toEqual(["The Salt Road"]);
});

test("names keep their particles and lose their possessives", () => {
  const content =
    "Its chief executive, Rutger van Aalst, spoke in The Hague. The Bank of England's governor listened. The chairwoman, Saskia O'Brien, left for Le Havre.";
  expect(named(content, "person")).toEqual(["Rutger van Aalst", "Saskia O'Brien"]);
  expect(named(content, "place")).toEqual(["Le Havre", "The Hague"]);
  expect(named(content, "organization")).toEqual(["Bank of England"]);
});

test("in German no entities are claimed, though every noun has a capital", () => {
  const content =
    "Angela Merkel sprach am Montag in Berlin mit dem Vorstand der Deutschen Bahn über den Ausbau der Strecke. Der Konzern und die Stadt Hamburg wollen bis zum Sommer eine Lösung finden.";
  const analysis = analyzeLocally({ content });
  expect(analysis.language).toBe("de");
  expect(analysis.entities).toEqual([]);
});

test.each([
  ["bog-carbon", "Ingrid Solheim", "person"],
  ["bog-carbon", "University of Leeds", "organization"],
  ["port-strike", "Rotterdam", "place"],
  ["port-strike", "Dutch Institute for Transport Economics", "organization"],
  ["variable-star", "Veronika Dvořáková", "person"],
  ["novel-review", "The Keeper's Arithmetic", "work"],
  ["wine-fraud", "Garrick & Stowe", "organization"],
  ["glacier-monitor", "St. Gallen", "place"],
  ["cello-concert", "Song Min-ji", "person"],
  ["tidal-explainer", "Bay of Fundy", "place"],
])("in the sample %s, %s is listed as %s", (id, name, type) => {
  const sample = samples.find((one) => one.id === id)!;
  expect(analyzeLocally(sample).entities).toContainEqual({ name, type });
});
