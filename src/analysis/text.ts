/** From what a feed calls content to paragraphs of plain text. */

/** The embedded analyser reads so much of an article, in UTF-16 units: 15,000 words, so that no input can hold it up. */
export const MOST_TEXT = 100_000;

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };

/** What may stand before a line break that ends a paragraph, in texts that have no blank lines. */
const LINE_END = /[.!?…。！？:："'”’»)\]]$/u;

/**
 * The paragraphs of the first `MOST_TEXT` characters: markup taken out, white space made single spaces, lone surrogates
 * replaced. Never throws.
 */
export function paragraphsOf(content: string): string[] {
  const text = withoutMarkup(plain(content));
  const paragraphs: string[] = [];
  for (const block of text.split(/\n[^\S\n]*\n/)) {
    let open = "";
    for (const line of block.split("\n")) {
      const trimmed = line.replace(/\s+/g, " ").trim();
      if (trimmed === "") continue;
      open = open === "" ? trimmed : `${open} ${trimmed}`;
      if (!LINE_END.test(trimmed)) continue;
      paragraphs.push(open);
      open = "";
    }
    if (open !== "") paragraphs.push(open);
  }
  return paragraphs;
}

/** One line, at most `most` characters, cut between words. */
export function shortened(text: string, most: number): string {
  const line = plain(text, most * 8)
    .replace(/\s+/g, " ")
    .trim();
  if (line.length <= most) return line;
  const cut = line.slice(0, most - 1);
  const space = cut.lastIndexOf(" ");
  // A cut far before the limit would lose more than a broken word: some scripts have no spaces.
  return `${(space > most / 2 ? cut.slice(0, space) : cut).toWellFormed().replace(/[\s,;:.�–—-]+$/u, "")}…`;
}

const plain = (text: string, most: number = MOST_TEXT): string =>
  text
    .slice(0, most)
    .toWellFormed()
    .replace(/\r\n?|\u2028|\u2029/g, "\n")
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they have no place in an answer.
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f\u200b\u2060\ufeff]/g, "");

function withoutMarkup(text: string): string {
  if (!text.includes("<") && !text.includes("&")) return text;
  let out = "";
  let from = 0;
  let hidden: string | undefined;
  // The length of a tag is bounded so that a text of nothing but "<" takes no longer than any other.
  for (const tag of text.matchAll(/<(?:!--|(\/?)([a-z][a-z0-9]{0,15})\b)[^<>]{0,500}>/gi)) {
    const [whole, closing, name = ""] = tag;
    if (hidden === undefined) out += text.slice(from, tag.index);
    from = tag.index + whole.length;
    const lower = name.toLowerCase();
    if (lower === "script" || lower === "style") hidden = closing ? undefined : lower;
    else if (/^(?:p|div|br|li|ul|ol|h[1-6]|tr|table|section|article|blockquote|figure)$/.test(lower)) out += "\n\n";
  }
  if (hidden === undefined) out += text.slice(from);
  return out.replace(/&(?:#(\d{1,6})|([a-z]{2,5}));/gi, (whole, code: string | undefined, name: string | undefined) =>
    code === undefined
      ? (ENTITIES[name?.toLowerCase() ?? ""] ?? whole)
      : String.fromCodePoint(Number(code)).toWellFormed(),
  );
}
