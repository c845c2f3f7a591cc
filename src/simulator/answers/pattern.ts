/**
 * A text that a regular expression matches: enough of the grammar for what schemas hold (literals, classes, groups,
 * alternatives, counts). Look-around and anchors are skipped, so the caller checks the text against the expression.
 */

/** A number in [0, 1) for each choice to make. */
export type Choose = () => number;

/** Repeats beyond the least, where the expression sets no end. */
const MORE = 4;

const range = (from: string, to: string): string[] => {
  const start = from.codePointAt(0) ?? 0;
  const length = (to.codePointAt(0) ?? 0) - start + 1;
  return Array.from({ length: Math.max(0, Math.min(length, 256)) }, (_, i) => String.fromCodePoint(start + i));
};

const DIGITS = range("0", "9");
const WORD = [...range("a", "z"), ...range("A", "Z"), ...DIGITS, "_"];
const PRINTABLE = range(" ", "~");
const without = (all: readonly string[], gone: readonly string[]) => all.filter((c) => !gone.includes(c));

const ESCAPES: Readonly<Record<string, readonly string[]>> = {
  d: DIGITS,
  w: WORD,
  s: [" "],
  D: without(WORD, DIGITS),
  W: ["-"],
  S: WORD,
  n: ["\n"],
  r: ["\r"],
  t: ["\t"],
};

/** Walks an expression once and writes as it goes; every construct is read even where it is not written. */
class Sampler {
  readonly #source: string;
  readonly #choose: Choose;
  #at = 0;

  constructor(source: string, choose: Choose) {
    this.#source = source;
    this.#choose = choose;
  }

  /** Alternatives up to a closing bracket or the end; one of them is returned. */
  alternatives(): string {
    const texts = [this.#sequence()];
    while (this.#source[this.#at] === "|") {
      this.#at++;
      texts.push(this.#sequence());
    }
    return this.#pick(texts);
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#choose() * list.length)]!;
  }

  #sequence(): string {
    let text = "";
    while (this.#at < this.#source.length && this.#source[this.#at] !== "|" && this.#source[this.#at] !== ")") {
      const start = this.#at;
      const once = this.#atom();
      const after = this.#at;
      const times = this.#count();
      const end = this.#at;
      if (times > 0) text += once;
      // Read again for each repeat, so that every repeat makes its own choices.
      for (let i = 1; i < times; i++) {
        this.#at = start;
        text += this.#atom();
      }
      this.#at = Math.max(end, after);
    }
    return text;
  }

  #atom(): string {
    const char = this.#source[this.#at++]!;
    if (char === "^" || char === "$") return "";
    if (char === ".") return this.#pick(WORD);
    if (char === "[") return this.#pick(this.#class());
    if (char === "(") return this.#group();
    if (char === "\\") return this.#pick(this.#escape());
    return char;
  }

  #group(): string {
    const opening = /^\?(?:[:=!]|<[=!]|<\w+>)/.exec(this.#source.slice(this.#at))?.[0] ?? "";
    this.#at += opening.length;
    const text = this.alternatives();
    this.#at++;
    return /[=!]$/.test(opening) ? "" : text;
  }

  #escape(): readonly string[] {
    const char = this.#source[this.#at++] ?? "\\";
    if (char === "b" || char === "B") return [""];
    if (char === "u" || char === "x") {
      const digits = this.#source.slice(this.#at, this.#at + (char === "u" ? 4 : 2));
      this.#at += digits.length;
      return [String.fromCharCode(Number.parseInt(digits, 16))];
    }
    return ESCAPES[char] ?? [char];
  }

  #class(): readonly string[] {
    const negated = this.#source[this.#at] === "^";
    if (negated) this.#at++;
    const chars: string[] = [];
    while (this.#at < this.#source.length && this.#source[this.#at] !== "]") {
      const some = this.#member();
      const single = some.length === 1 && this.#source[this.#at] === "-" && this.#source[this.#at + 1] !== "]";
      if (single) this.#at++;
      chars.push(...(single ? range(some[0]!, this.#member()[0]!) : some));
    }
    this.#at++;
    const allowed = negated ? without(PRINTABLE, chars) : chars;
    return allowed.length > 0 ? allowed : [""];
  }

  #member(): readonly string[] {
    const char = this.#source[this.#at++]!;
    return char === "\\" ? this.#escape() : [char];
  }

  #count(): number {
    const rest = this.#source.slice(this.#at);
    const found = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/.exec(rest);
    if (!found) return 1;
    this.#at += found[0].length;
    const [, sign, least, comma, most] = found;
    const low = sign ? (sign === "+" ? 1 : 0) : Number(least);
    const high = sign === "?" ? 1 : sign || (comma && most === "") ? low + MORE : comma ? Number(most) : low;
    return low + Math.floor(this.#choose() * (Math.min(high, low + 64) - low + 1));
  }
}

export const samplePattern = (pattern: string, choose: Choose): string => new Sampler(pattern, choose).alternatives();
