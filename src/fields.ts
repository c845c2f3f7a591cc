/** Fields of a record by their dotted paths, and how a record's fields are named in a message. */

/** Names shown in a message, and characters of one. */
const MOST_NAMES = 20;
const LONGEST_NAME = 40;

type Fields = Readonly<Record<string, unknown>>;

export const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null ? (value as Fields) : {};

/**
 * What stands at `author.name` or `tags.0`; undefined where nothing does. A field whose own name has dots comes first, so
 * that flat exports (`"author.name": …`) work as well.
 */
export function fieldAt(record: unknown, path: string): unknown {
  if (ownField(record, path) !== undefined) return ownField(record, path);
  let at = record;
  for (const name of path.split(".")) at = ownField(at, name);
  return at;
}

const ownField = (value: unknown, name: string): unknown =>
  Object.hasOwn(fieldsOf(value), name) ? fieldsOf(value)[name] : undefined;

/** Levels of nested objects whose fields are named, and fields that are looked at. */
const DEEPEST = 4;
const MOST_LOOKED_AT = 200;

/** "It has: id, title, author.name." A field with dots in its own name stands as it is: `fieldAt` finds both. */
export function fieldsTold(record: unknown): string {
  const names = fieldNames(record);
  return names.length === 0 ? "It has no fields." : `It has: ${listed(names)}.`;
}

/** The dotted paths of a record's fields, as `fieldsTold` shows them. */
export const fieldNames = (record: unknown): string[] => pathsOf(record).map(([name]) => name);

/** A field's name amid a sentence; one of any length may be an article's text. */
export const quoted = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);

/** Names for a message: not all of many, nor all of a long one. */
export function listed(names: readonly string[]): string {
  const shown = names
    .slice(0, MOST_NAMES)
    .map((name) => (name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name));
  return `${shown.join(", ")}${names.length > MOST_NAMES ? ", …" : ""}`;
}

/** Where the longest text of a record stands, but for some fields; undefined for none, or a path too long to be shown. */
export function longestText(record: unknown, but: readonly string[]): string | undefined {
  let longest: readonly [path: string, text: string] | undefined;
  for (const [path, value] of pathsOf(record)) {
    if (typeof value === "string" && !but.includes(path) && value.length > (longest?.[1].length ?? 0))
      longest = [path, value];
  }
  return longest !== undefined && longest[0].length <= LONGEST_NAME ? longest[0] : undefined;
}

/** The fields by their dotted paths, those of an object in its place. */
function pathsOf(record: unknown): (readonly [path: string, value: unknown])[] {
  const found: (readonly [string, unknown])[] = [];
  const look = (value: unknown, before: string, depth: number) => {
    for (const [name, field] of Object.entries(fieldsOf(value))) {
      if (found.length >= MOST_LOOKED_AT) return;
      const nested = typeof field === "object" && field !== null && !Array.isArray(field) && depth < DEEPEST;
      if (nested && Object.keys(field).length > 0) look(field, `${before}${name}.`, depth + 1);
      else found.push([`${before}${name}`, field]);
    }
  };
  look(record, "", 1);
  return found;
}
