/** Where in a JSON document the array of records lies: stream-json reads the document, told nothing of the items. */

import { getManyValues, isMany, none } from "stream-chain/defs.js";
import { jsonParser } from "stream-json/core/parser.js";
import { failure, type MillraceError } from "../errors.ts";

interface Level {
  /** Of an object: the member that is being read. */
  key: string | undefined;
  /** Its place lies on the way to the array. */
  readonly onPath: boolean;
}

interface Token {
  readonly name: string;
  readonly value?: unknown;
}

export type Place = "before" | "inside" | "after";

/** Fed the document in pieces of which none goes past a bracket. */
export class Frame {
  readonly #parse = jsonParser({ packStrings: false, streamKeys: false, packNumbers: false });
  readonly #path: readonly string[];
  readonly #maxDepth: number;
  readonly #levels: Level[] = [];
  readonly #names: string[] = [];
  #empty = true;
  place: Place = "before";

  constructor(path: string | undefined, maxDepth: number) {
    this.#path = path === undefined ? [] : path.split(".");
    this.#maxDepth = maxDepth;
  }

  /** @throws the parser's own error where it is no JSON; ConfigurationError where the array is something else. */
  feed(piece: string): void {
    this.#tokens(this.#parse(piece));
  }

  end(): void {
    this.#tokens(this.#parse(none as never));
    if (this.place === "before") throw this.#missing();
  }

  get empty(): boolean {
    return this.#empty;
  }

  #tokens(given: unknown): void {
    if (given === none) return;
    this.#empty = false;
    const tokens = isMany(given) ? getManyValues(given) : [given];
    for (const token of tokens) this.#token(token as Token);
  }

  #token({ name, value }: Token): void {
    switch (name) {
      case "startObject":
      case "startArray":
        this.#start(name === "startArray");
        break;
      case "endObject":
      case "endArray":
        this.#levels.pop();
        if (this.place === "inside" && this.#levels.length === this.#path.length) this.place = "after";
        break;
      case "keyValue":
        this.#key(String(value));
        break;
      case "startString":
      case "startNumber":
      case "trueValue":
      case "falseValue":
      case "nullValue":
        if (this.place === "before" && this.#atPath()) throw this.#wrong("no array");
    }
  }

  #atPath(): boolean {
    return this.#levels.length === this.#path.length && this.#onPath();
  }

  /** Whether what begins now lies on the way. */
  #onPath(): boolean {
    const depth = this.#levels.length;
    if (depth === 0) return true;
    const level = this.#levels[depth - 1];
    return level?.onPath === true && depth <= this.#path.length && level.key === this.#path[depth - 1];
  }

  #start(array: boolean): void {
    const onPath = this.#onPath();
    if (this.place === "before" && this.#atPath()) {
      if (array) this.place = "inside";
      else if (this.#path.length > 0) throw this.#wrong("an object");
    }
    this.#levels.push({ key: undefined, onPath });
    if (this.#levels.length > this.#maxDepth) {
      throw failure("source_failed", `The document is nested deeper than ${this.#maxDepth} levels (maxDepth).`);
    }
  }

  #key(latin1: string): void {
    const level = this.#levels.at(-1);
    if (level === undefined) return;
    // Pieces are given as bytes, so that they can be cut anywhere.
    level.key = Buffer.from(latin1, "latin1").toString("utf8");
    if (level.onPath && this.#names.length < MOST_NAMES) {
      this.#names.push([...this.#levels.map(({ key }) => key ?? "[]")].join("."));
    }
  }

  #wrong(what: string): MillraceError {
    if (this.#path.length === 0) {
      return failure("invalid_option", "The JSON document is no array: its records must lie in one.");
    }
    return failure("invalid_option", `At the path "${this.#path.join(".")}" there is ${what}.${this.#hint()}`);
  }

  #missing(): MillraceError {
    if (this.#path.length === 0) {
      const message = `The JSON document is an object, not an array. Say where its array lies with \`path\`.${this.#hint()}`;
      return failure("invalid_option", message);
    }
    return failure("invalid_option", `The path "${this.#path.join(".")}" matches nothing.${this.#hint()}`);
  }

  #hint(): string {
    return this.#names.length === 0 ? "" : ` There are: ${this.#names.join(", ")}.`;
  }
}

/** Names that an error lists at most. */
const MOST_NAMES = 20;
