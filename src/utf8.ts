/** Texts as bytes, in one walk: `Buffer.from` takes two, one for the length, and half as long again. */

const encoder = new TextEncoder();

/** Texts of up to 40,000 characters fit in, whatever they are written in: a character has three bytes at most. */
const room = new Uint8Array(120_000);

/** Its UTF-8, to be made use of before the next call. */
export function utf8Of(text: string): Uint8Array {
  if (text.length * 3 > room.length) return encoder.encode(text);
  return room.subarray(0, encoder.encodeInto(text, room).written);
}
