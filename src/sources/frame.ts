/** Where in a JSON document the array of records lies: stream-json reads the document, told nothing of the items. */

import { getManyValues, isMany, none } from "stream-chain/defs.js";
import { jsonParser } from "stream-json/core/parser.js";
import { failure, type MillraceError } from "../errors.ts";

interface Level {
  readonly array: boolean;
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
  /** What there is as far down the path as it leads, and how far that is. */
  #names: string[] = [];
  #deepest = 0;
  /** An object stands where the array should: its level. */
  #object: Level | undefined;
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
        if (this.#levels.pop() === this.#object && this.#object !== undefined) throw this.#noArray();
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
        if (this.place === "before" && this.#atPath()) throw this.#wrong();
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
    const level = { array, key: undefined, onPath };
    if (this.place === "before") {
      if (this.#atPath()) {
        if (array) this.place = "inside";
        else this.#object = level;
      } else if (array && onPath && this.#object === undefined) throw this.#past();
      else if (!array && this.#object !== undefined) this.#lookIn();
    }
    this.#levels.push(level);
    if (this.#levels.length > this.#maxDepth) {
      throw failure("source_failed", `The document is nested deeper than ${this.#maxDepth} levels (maxDepth).`);
    }
  }

  #key(latin1: string): void {
    const level = this.#levels.at(-1);
    if (level === undefined) return;
    // Pieces are given as bytes, so that they can be cut anywhere.
    level.key = Buffer.from(latin1, "latin1").toString("utf8");
    if (!level.onPath) return;
    if (this.#levels.length > this.#deepest) {
      this.#deepest = this.#levels.length;
      this.#names = [];
    }
    if (this.#levels.length === this.#deepest && this.#names.length <= MOST_NAMES) this.#names.push(level.key);
  }

  /** An array of objects somewhere in that object is most likely the one that is meant. */
  #lookIn(): void {
    const above = this.#levels.slice(0, -1);
    if (this.#levels.at(-1)?.array !== true || above.some(({ array }) => array)) return;
    const place = above.map(({ key }) => key).join(".");
    throw failure("invalid_option", `${this.#isObject()} There is an array in it: --path ${place} (\`path\`).`);
  }

  /** The path leads on into an array, whose items have no names. */
  #past(): MillraceError {
    const array = this.#path.slice(0, this.#levels.length).join(".");
    const instead = array === "" ? "The document itself is one: leave the path out." : `Name that: "${array}".`;
    return failure("invalid_option", `The path "${this.#path.join(".")}" leads into an array. ${instead}`);
  }

  #wrong(): MillraceError {
    if (this.#path.length === 0) {
      return failure("invalid_option", "The JSON document is no array: its records must lie in one.");
    }
    return failure("invalid_option", `At the path "${this.#path.join(".")}" there is no array.${this.#hint()}`);
  }

  #isObject(): string {
    return this.#path.length === 0
      ? "The JSON document is an object, not an array."
      : `At the path "${this.#path.join(".")}" there is an object, not an array.`;
  }

  #noArray(): MillraceError {
    const advice = "Say where the array of records lies with --path (`path`).";
    const lines = this.#path.length === 0 ? " One object a line is NDJSON: --from ndjson (`format`)." : "";
    return failure("invalid_option", `${this.#isObject()} ${advice}${this.#hint()}${lines}`);
  }

  #missing(): MillraceError {
    return failure("invalid_option", `The path "${this.#path.join(".")}" matches nothing.${this.#hint()}`);
  }

  #hint(): string {
    if (this.#names.length === 0) return "";
    const where = this.#path.slice(0, this.#deepest - 1).join(".");
    const names = this.#names.slice(0, MOST_NAMES).join(", ");
    return ` ${where === "" ? "There" : `At "${where}" there`} are: ${names}${this.#names.length > MOST_NAMES ? ", …" : ""}.`;
  }
}

/** Names that an error lists at most. */
const MOST_NAMES = 20;
