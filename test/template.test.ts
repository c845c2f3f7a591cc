import { describe, expect, test } from "vitest";
import { fieldAt } from "../src/fields.ts";
import { promptTemplate } from "../src/template.ts";

const record = {
  title: "Peat",
  author: { name: "Ines", tags: ["a", "b"] },
  "flat.name": 1,
  text: "costs $& and $1 {{title}}",
  none: null,
};

describe("a field by its path", () => {
  test("is found through objects, arrays and names with dots, and never on a prototype", () => {
    expect(fieldAt(record, "author.name")).toBe("Ines");
    expect(fieldAt(record, "author.tags.1")).toBe("b");
    expect(fieldAt(record, "flat.name")).toBe(1);
    for (const path of ["author.age", "title.length.x", "constructor", "__proto__", "author.toString", ""]) {
      expect(fieldAt(record, path)).toBeUndefined();
    }
  });
});

describe("a prompt template", () => {
  test("is filled with text as it is and anything else as JSON", () => {
    const fill = promptTemplate("{{ title }} by {{author.name}}: {{author.tags}}, {{flat.name}}", "p.txt");
    expect(fill(record)).toBe('Peat by Ines: ["a","b"], 1');
  });

  test("takes what a field holds for text, never for another place or a pattern", () => {
    expect(promptTemplate("<{{text}}>", "p.txt")(record)).toBe("<costs $& and $1 {{title}}>");
  });

  test("names the field that a record lacks and those that it has", () => {
    const fill = promptTemplate("{{body}}", "p.txt");
    expect(() => fill(record)).toThrow(
      "p.txt asks for {{body}}, which the record does not have. It has: title, author.name, author.tags,",
    );
    expect(() => promptTemplate("{{none}}", "p.txt")(record)).toThrow("{{none}}");
  });

  test("without any place is refused at once", () => {
    expect(() => promptTemplate("Summarise this.", "p.txt")).toThrow("{{content}}");
  });
});
