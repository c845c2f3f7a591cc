/** Fields of a record by their dotted paths, and how a record's fields are named in a message. */

/** Names shown in a message, and characters of one. */
const MOST_NAMES = 12;
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

/** "It has: id, title, body." */
export function fieldsTold(record: unknown): string {
  const names = Object.keys(fieldsOf(record));
  return names.length === 0 ? "It has no fields." : `It has: ${listed(names)}.`;
}

/** Names for a message: not all of many, nor all of a long one. */
export function listed(names: readonly string[]): string {
  const shown = names
    .slice(0, MOST_NAMES)
    .map((name) => (name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name));
  return `${shown.join(", ")}${names.length > MOST_NAMES ? ", …" : ""}`;
}
