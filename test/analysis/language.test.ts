import { expect, test } from "vitest";
import { languageOf } from "../../src/analysis/language.ts";

test.each([
  ["en", "The ferry has crossed the river for more than a hundred years, and nobody wants to lose it."],
  ["de", "Die Fähre überquert den Fluss seit mehr als hundert Jahren, und niemand möchte sie verlieren."],
  ["fr", "Le bac traverse la rivière depuis plus de cent ans et personne ne veut le perdre."],
  ["es", "El transbordador cruza el río desde hace más de cien años y nadie quiere perderlo."],
  ["it", "Il traghetto attraversa il fiume da più di cento anni e nessuno vuole perderlo."],
  ["pt", "A balsa atravessa o rio há mais de cem anos e ninguém quer perdê-la, dizem os moradores."],
  ["nl", "De veerpont steekt de rivier al meer dan honderd jaar over en niemand wil haar verliezen."],
  ["pl", "Prom przepływa rzekę od ponad stu lat i nikt nie chce go stracić."],
  ["ru", "Паром пересекает реку уже более ста лет, и никто не хочет его потерять."],
  ["zh", "这条渡船已经在河上往返了一百多年，没有人愿意失去它。"],
  ["ja", "この渡し船は百年以上も川を渡り続けており、誰も失いたくない。"],
])("tells %s", (language, text) => {
  expect(languageOf(text)).toBe(language);
});

test.each([[""], ["   "], ["12 345 67"], ["?!…"], ["😀😀"], ["ok"], ["a".repeat(5_000)]])(
  "does not guess at %j",
  (text) => {
    expect(languageOf(text)).toBe("und");
  },
);
