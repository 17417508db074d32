/**
 * Fields of a webhook's body, whatever it holds. Pure.
 *
 * What names an incident is checked by its reader and refused; what only
 * describes it is left out here if it is not what it should be. A refused
 * delivery is lost for good (both senders drop it at a 400), and the payload
 * goes with the incident as it came.
 *
 * @module
 */

const URL_CHARS_MAX = 2000;

/** An http or https URL of at most 2000 characters, as {@linkcode toUri} has it. */
export function webUrlOf(value: unknown): string | undefined {
  const url = typeof value === "string" ? URL.parse(value) : null;
  if (url?.protocol !== "https:" && url?.protocol !== "http:") return undefined;
  const uri = toUri(url);
  return uri !== undefined && uri.length <= URL_CHARS_MAX ? uri : undefined;
}

/**
 * A URL as the schema's `uri` wants it, which allows fewer characters than
 * browsers do. User and password are left out: a link needs neither.
 *
 * @returns `undefined` for a host that no URI can have, such as `a{b`.
 * @see https://www.rfc-editor.org/rfc/rfc3986#appendix-A for the characters.
 */
function toUri(
  { protocol, host, pathname, search, hash }: URL,
): string | undefined {
  if (!/^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?$/i.test(host)) return undefined;
  const escape = (part: string) =>
    part.replace(
      /[^\w.~!$&'()*+,;=:@/?%-]|%(?![0-9a-f]{2})/gi,
      (character) => encodeURIComponent(character),
    );
  const fragment = hash === "" ? "" : `#${escape(hash.slice(1))}`;
  return `${protocol}//${host}${escape(pathname)}${escape(search)}${fragment}`;
}
