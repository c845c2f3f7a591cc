/** Three kinds of text, and thousands of records made of them, always the same. */

export const TEXTS = {
  english: `The harbour had been quiet for eleven years when the dredgers came back. Most of the people who remember the old herring fleet are over seventy now, and they watched from the sea wall as the first barge dropped its anchor beside the lighthouse. “We were told this would never happen,” said Margaret Ashdown, whose father sold rope and paint to the boats until 1974. According to the port authority, the channel will be 6.5 metres deep by next spring, which is enough for coasters of up to 3,000 tonnes but not for the larger ships that once loaded grain here. The council has put £4.2m into the project and expects about sixty jobs, though an independent review published in March called that figure optimistic. Whether the town wants lorries on its narrow streets again is another question, and one that nobody at the meeting on Thursday was willing to answer.`,
  german: `Als die Bagger nach elf Jahren in den Hafen zurückkehrten, standen fast nur Leute auf der Mole, die sich noch an die Heringsflotte erinnern konnten. „Man hat uns gesagt, das werde nie geschehen“, erklärte Margarethe Aschauer, deren Vater den Fischern bis 1974 Tauwerk und Schiffsfarbe verkaufte. Nach Angaben der Hafenverwaltung soll die Fahrrinne bis zum nächsten Frühjahr sechseinhalb Meter tief sein; das genügt für Küstenmotorschiffe bis dreitausend Tonnen, nicht aber für die größeren Frachter, die hier früher Getreide luden. Der Gemeinderat hat für das Vorhaben 4,2 Millionen Euro bewilligt und rechnet mit rund sechzig Arbeitsplätzen, obwohl ein unabhängiges Gutachten diese Zahl im März als zuversichtlich bezeichnete. Ob die Stadt wieder Lastwagen in ihren engen Straßen haben möchte, ist eine andere Frage, die am Donnerstag in der Bürgerversammlung niemand beantworten wollte.`,
  code: `export async function* readLines(path, { encoding = "utf8", maxLength = 65_536 } = {}) {
  const handle = await open(path, "r");
  try {
    let rest = "";
    for await (const chunk of handle.createReadStream({ encoding, autoClose: false })) {
      const parts = (rest + chunk).split(/\\r?\\n/);
      rest = parts.pop() ?? "";
      if (rest.length > maxLength) throw new RangeError(\`line longer than \${maxLength}\`);
      for (const line of parts) yield line;
    }
    if (rest !== "") yield rest;
  } finally {
    await handle.close();
  }
}

SELECT a.id, COUNT(*) AS n FROM articles AS a JOIN tags USING (article_id) WHERE a.created_at >= '2026-01-01' GROUP BY a.id HAVING n > 3 ORDER BY n DESC LIMIT 50;
for (int i = 0; i < n; ++i) { sum[i % 8] += (uint64_t)buf[i] * 0x9E3779B97F4A7C15ull; }
`,
} as const;

export type Kind = keyof typeof TEXTS;

/** Records of 20 to some 700 words, each beginning elsewhere in the text. */
export function recordsOf(kind: Kind, count: number): { readonly text: string }[] {
  const words = TEXTS[kind].split(/(?<=\s)/);
  return Array.from({ length: count }, (_, i) => {
    const size = 20 + ((i * 7_919) % 680);
    return { text: Array.from({ length: size }, (_, at) => words[(i * 31 + at) % words.length]).join("") };
  });
}
