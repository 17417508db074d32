/**
 * Finds the values of `Cookie` and `Authorization`. Pure.
 *
 * @module
 */
import { after, endsValue, holdsPlaceholder, runEnd } from "./reading.ts";
import { isPlaceholder, skipPlaceholder, type Span } from "./span.ts";
import { isNumber, looksRandom, standsForNone } from "./values.ts";

const HEADER = new RegExp(
  String.raw`(?:\\{0,3}["'${"`"}]|&quot;|\\u0022)?[\])]?` +
    String
      .raw`[ \t]{0,5}(?:=>|[:=]|,(?=[ \t]{0,5}\\{0,3}["']))[ \t]{0,5}(?:\\{0,3}["'])?`,
  "y",
);
const COOKIES =
  /[^\s;,"'=<>\\]{1,80}=[^\s;,"'<>\\]{1,4096}(?:;[ ]?[^\s;,"'=<>\\]{1,80}=[^\s;,"'<>\\]{0,4096}){0,60}/y;
const SET = /set-$/i;

/** All pairs of a cookie header; only the first one of `Set-Cookie`. */
export function findCookie(text: string, end: number): Span | undefined {
  const at = after(HEADER, text, end);
  if (at === undefined) return undefined;
  const held = skipPlaceholder(text, at);
  if (held > at && (held === text.length || endsValue(text, held))) {
    return undefined;
  }
  COOKIES.lastIndex = at;
  const [pairs] = COOKIES.exec(text) ?? [];
  if (pairs !== undefined) {
    const set = SET.test(text.slice(Math.max(0, end - 11), end - 6));
    const taken = set ? pairs.split(";")[0]! : pairs;
    const value = taken.slice(taken.indexOf("=") + 1);
    const none = taken === pairs && !pairs.includes(";") &&
      (standsForNone(value) || isPlaceholder(value));
    return none
      ? undefined
      : { start: at, end: at + taken.length, name: "cookie" };
  }
  const stop = runEnd(text, at);
  return looksRandom(text.slice(at, stop))
    ? { start: at, end: stop, name: "cookie" }
    : undefined;
}

const SCHEME = /([A-Za-z][\w-]{1,24})[ \t]{1,5}/y;
const SCHEMES =
  /^(?:bearer|basic|token|api-?key|key|digest|negotiate|ntlm|aws4-hmac-sha256|ssws|splunk|bot|geniekey|hawk|oauth|signature|sharedkey(?:lite)?|dsn|api-token|private|mac|sso-key|pve\w*|live_\w*|apitoken|deepl-auth-key|klaviyo-api-key|discogs|trello|goog4?\w*|acs\w*|amx|client|zoho-\w+|intelligence|secret|pat)$/i;
const WITH_PARTS =
  /^(?:digest|aws4-hmac-sha256|hawk|oauth|signature|mac|amx|acs\w*|goog4\w*)$/i;
const PARTS =
  /[^\s"'=]{1,60}=(?:"[^"\n]{0,400}"|\\"[^"\n]{0,400}\\"|[^\s,"']{0,400})(?:,[ \t]{0,4}[^\s"'=]{1,60}=(?:"[^"\n]{0,400}"|\\"[^"\n]{0,400}\\"|[^\s,"']{0,400})){0,30}/y;

/** What an authorization header holds behind its scheme. */
export function findAuthorization(text: string, end: number): Span | undefined {
  let at = after(HEADER, text, end);
  if (at === undefined) return undefined;
  SCHEME.lastIndex = at;
  const [spelled, scheme = ""] = SCHEME.exec(text) ?? [];
  const known = spelled !== undefined && SCHEMES.test(scheme);
  if (known) at += spelled.length;
  if (known && WITH_PARTS.test(scheme)) {
    const stop = after(PARTS, text, at);
    if (stop !== undefined) {
      return { start: at, end: stop, name: "authorization" };
    }
  }
  let stop = runEnd(text, at);
  while (text[stop - 1] === "." && stop > at) stop--;
  const value = text.slice(at, stop);
  if (isPlaceholder(value) || value.length < 4) return undefined;
  if (/^[a-z-]+:$/i.test(value)) return undefined;
  const span: Span = { start: at, end: stop, name: "authorization" };
  if (holdsPlaceholder(text, at, stop)) return span;
  if (standsForNone(value, known)) return undefined;
  const quoted = /["']/.test(text[at - 1] ?? "") &&
    /["'\\]/.test(text[stop] ?? "");
  return known || quoted || looksRandom(value) ||
      /\d/.test(value) && !isNumber(value)
    ? span
    : undefined;
}
