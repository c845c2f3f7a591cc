import { expect, test } from "vitest";
import { analyzeLocally } from "../../src/analysis/local.ts";
import { samples } from "./samples.ts";

const EMPTY =
  /^(?:said|says|year|years|people|time|day|days|week|new|one|two|first|metres|per cent|however|prozent|jahre|ans|años|anni|anos)$/i;

test("no topic is a word that every article has", () => {
  for (const sample of samples) {
    for (const topic of analyzeLocally(sample).topics) expect(topic, sample.id).not.toMatch(EMPTY);
  }
});

test.each([
  ["leaf-blower", "leaf blower"],
  ["tram-vote", "tram line"],
  ["payment-outage", "software update"],
  ["battery-recall", "battery packs"],
  ["tidal-explainer", "tidal lagoon"],
  ["mountain-cheese", "cheese"],
  ["elbfaehre", "Fähre"],
  ["librairie-flottante", "librairie"],
  ["olivos-jaen", "sequía"],
  ["mosaici-ravenna", "mosaico"],
  ["sardinha-peniche", "sardinha"],
])("the sample %s is about: %s", (id, topic) => {
  expect(analyzeLocally(samples.find((one) => one.id === id)!).topics).toContain(topic);
});

test("singular and plural are one topic, shown as it is met most often", () => {
  const content =
    "Beavers build dams. A beaver fells trees at night. The beavers moved in last autumn, and the farmer likes his beavers. The dam holds water, and the dams hold mud.";
  const { topics } = analyzeLocally({ content });
  expect(topics.filter((topic) => /beaver/.test(topic))).toEqual(["beavers"]);
});
