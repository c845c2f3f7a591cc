import { expect, test } from "vitest";
import { analyzeLocally } from "../../src/analysis/local.ts";
import { samples } from "./samples.ts";

const sentiment = (content: string): string => analyzeLocally({ content }).sentiment;

test("a happy report is positive and a grim one negative", () => {
  expect(
    sentiment("It was a wonderful evening. The singers were superb and the audience loved the beautiful new hall."),
  ).toBe("positive");
  expect(
    sentiment(
      "It was a terrible night. Two people were killed in the crash and the angry families blamed the company.",
    ),
  ).toBe("negative");
});

test("negation turns a word round", () => {
  expect(
    sentiment("The food was not good, the staff were never friendly and nobody was happy with the room at the inn."),
  ).toBe("negative");
  expect(
    sentiment(
      "The crossing was not dangerous, nobody was hurt, and the captain was never afraid of the weather outside.",
    ),
  ).toBe("positive");
});

test("good and bad that weigh alike are mixed", () => {
  expect(
    sentiment(
      "The acting is superb and the music is wonderful. The plot is awful, the ending is terrible and the sound is bad.",
    ),
  ).toBe("mixed");
});

test("a report without feeling is neutral", () => {
  expect(
    sentiment(
      "The line will be seven kilometres long and have thirteen stops. Work begins in spring and lasts three years.",
    ),
  ).toBe("neutral");
});

test("what a name says is not what the article feels", () => {
  expect(
    sentiment(
      "The road from Great Torrington to Happy Valley passes Lovely Cottage and the Hope and Glory inn every day.",
    ),
  ).toBe("neutral");
});

test("other languages are neutral, because nothing is known of them", () => {
  expect(
    sentiment(
      "Es war ein wunderbarer Abend. Die Sängerin war großartig, und das Publikum liebte den schönen neuen Saal.",
    ),
  ).toBe("neutral");
});

test.each([
  ["derby-late-goal", "positive"],
  ["mountain-cheese", "positive"],
  ["library-saved", "positive"],
  ["cello-concert", "positive"],
  ["port-strike", "negative"],
  ["battery-recall", "negative"],
  ["glacier-monitor", "negative"],
  ["wine-fraud", "negative"],
  ["brewery-coop", "mixed"],
  ["novel-review", "mixed"],
  ["tram-vote", "neutral"],
  ["variable-star", "neutral"],
  ["mill-ledger", "neutral"],
])("the sample %s is %s", (id, expected) => {
  expect(analyzeLocally(samples.find((one) => one.id === id)!).sentiment).toBe(expected);
});
