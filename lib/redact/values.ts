/**
 * Which values can be a credential, by how they look. Pure.
 *
 * @module
 */
import { isAlphanumeric } from "./shape.ts";

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

/** What stands behind a name without being its value. */
const STOP = words(
  `null none nil undefined nan true false yes no on off empty unset blank void missing required optional needed mandatory expected unexpected unknown invalid valid incorrect correct wrong bad malformed mismatch mismatched expired expiring stale revoked rejected refused denied forbidden unauthorized unauthenticated failed failure fails failing error errors ok okay success successful accepted absent present found lost leaked locked unlocked disabled enabled deprecated unsupported supported ignored skipped rotated rotating rotation renewed refreshed changed change reset updated created deleted removed set given provided supplied specified configured available unavailable unreachable reachable down up ready pending overdue throttled sealed hidden masked redacted removed filtered sensitive withheld secret encrypted hashed plain plaintext string str number int integer bool boolean any object bytes text varchar char uuid list array map dict type auto default inherit basic bearer ldap kerberos saml oidc oauth oauth2 jwt saml2 scram plain md5 sha1 sha256 negotiate ntlm digest scheme get post put patch delete head is was are were be been being has have had must should shall could can cannot will would may might does did do not and or the a an this that these those it its in of to for from with without by at as if when while where which who how why what your my our their but than then there here too again only never always retry retrying returned returns return mounted synced syncing waiting wait done todo tbd fixme n/a na value values string token password passwords passphrase secrets tokens key keys credentials credential same-origin include omit prompt stdin file env public private strong weak short long inline external internal permission permissions deadline timeout quota exceeded mode policy algorithm whitespace handshake verification verified unverified signature trial deadlock firewall domain not-found notfound expires required, scheme: domain= patched north us running stopped degraded healthy unhealthy yet still soon wired flag option argument needs takes expects wants accepts followed sets flags instead known sensitive`,
);

/** Longer than every one of them is none. */
const STOP_MAX = Math.max(...[...STOP].map(({ length }) => length));

/** Words of which a stand-in such as `YOUR_API_KEY_HERE` is made. */
const FILLER = words(
  `your my the a an here insert replace enter put some goes placeholder api key keys token tokens secret secrets password passwords pass passphrase access client app application auth authorization credential credentials value string todo tbd example sample dummy user db private bearer id new old hidden redacted with this me add use from env post basic refresh await lambda function expected current other confirm hash parameter param field input of is getter type name`,
);

/** A longer value is no stand-in of such words. */
const FILLER_MAX = 60;

/** References that start with a sign: `$X`, `${X}`, `{{ x }}`, `<x>`, `%s`. */
const SIGNED =
  /^(?:\$(?:\{|\(|\[|[A-Z_][A-Z0-9_]*$|[a-z_][a-zA-Z_.]*$)|["']\$\{|\{\{|\(\(|<%|#\{|%\{|@\{|\{[\w.$-]*\}?$|<[^<>]{0,80}>?$|%(?:[sdvqr]$|\(\w{1,60}|\w{1,60}%$)|\[[\w -]{0,40}\]$|@\w{1,60}@$|:[a-z_]{1,60}$|\?$|\.Values\.|\$labels\.|!(?:Ref|Sub|GetAtt|vault|reference)\b)/i;
/** What hides a value, or leaves out most of it. */
const MASK =
  /^(?:[*\u2022\u00b7.\-_#?xX0=~]+|.{0,4}(?:\*{3,}|\u2022{3,}).{0,4}|.{0,6}(?:\u2026|\.\.\.))$|[xX]{8}/;
/** References in words: `process.env.X`, `vault:…`, `getToken()`, `key.pem`. */
const WORDED = [
  /^(?:process\.env|os\.(?:environ|getenv)|getenv|System\.getenv|Deno\.env|secrets?\.|vars?\.|local\.|data\.|module\.|each\.|self\.|this\.|cls\.|req(?:uest)?\.|resp(?:onse)?\.|res\.|config\.|settings\.|cfg\.|conf\.|params?\.|args?\.|opts?\.|options\.|ctx\.|context\.|props\.|state\.|form\.|input\.|body\.|user\.|other\.|values\.|event\.)/,
  /^(?:vault:|file:|env:|ref\+|op:\/\/|kms:|ssm:|sm:\/\/|secret:\/\/|secretref:|keyring:|awskms:|gcpkms:|projects\/|arn:aws[\w-]*:(?:secretsmanager|ssm|kms|iam|sts):|urn:)/i,
  /^[A-Za-z_][\w.:]{1,80}\((?:[^)]{0,200}\)?.{0,40})$/,
  /^[A-Za-z]\w{0,40}<[\w<>, ]{0,60}>?[,;]?$/,
  /^[\w-]{1,60}\.(?:key|pem|crt|cer|json|ya?ml|txt|env|cfg|conf|p12|pfx|jks|ts|js|py|go|rb|java|md)$/,
  // A path of at least two parts in words.
  /^(?:[.~]{0,2}|[A-Za-z]:)[/\\](?:[a-z0-9_.@-]{1,60}[/\\]){1,20}[a-z0-9_.@-]{0,60}$/,
];
const TYPE =
  /^(?:Optional|Option|Union|List|Secret(?:Str)?|Maybe|ENV|await|new|lambda|function)\b/;

const TAIL = Uint8Array.from(
  { length: 128 },
  (_, code) => ".,;:!?)]".includes(String.fromCharCode(code)) ? 1 : 0,
);

/** Only so much of a value decides. */
const LOOK = 128;

/** A value without the punctuation behind it. */
export function withoutTail(value: string): string {
  let end = value.length;
  while (end > 1 && TAIL[value.charCodeAt(end - 1)] === 1) end--;
  return end === value.length ? value : value.slice(0, end);
}

/**
 * Whether a value stands for none: a word, a reference, a mask.
 *
 * @param isNamed Whether its place says that it is one. Then only words with a
 * sign between them, as in `YOUR_TOKEN`, stand in for it.
 */
export function standsForNone(given: string, isNamed = false): boolean {
  const value = given.length > LOOK ? given.slice(0, LOOK) : given;
  const body = withoutTail(value);
  if (body.length <= STOP_MAX && STOP.has(body.toLowerCase())) return true;
  const signed = !isAlphanumeric(value, 0);
  if (signed && SIGNED.test(value)) return true;
  const holds = holdsOf(value);
  if (mayMask(value, holds) && MASK.test(value)) return true;
  if ((holds & WORD_SIGN) !== 0) {
    for (const pattern of WORDED) if (pattern.test(value)) return true;
  }
  if (holds === LOWER) return FILLER.has(value);
  if (value.length > FILLER_MAX) return false;
  if (TYPE.test(value)) return true;
  if ((holds & ~(LOWER | UPPER | JOINT)) !== 0) {
    if (!/^[A-Za-z_.\s-]+$/.test(value)) return false;
  }
  if (isNamed && !/[_.\s-]/.test(value)) return false;
  return isFiller(value);
}

/** What kinds of characters a value holds, as bits. */
function holdsOf(value: string): number {
  let holds = 0;
  for (let at = 0; at < value.length; at++) {
    holds |= HOLDS[value.charCodeAt(at)] ?? OTHER | MASKING;
  }
  return holds;
}

const [LOWER, UPPER, DIGITS, JOINT, WORD_SIGN, OTHER] = [1, 2, 4, 8, 16, 32];
/** Stars, and whatever is beyond ASCII, such as a bullet. */
const MASKING = 64;
const HOLDS = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  if (/[a-z]/.test(character)) return LOWER;
  if (/[A-Z]/.test(character)) return UPPER;
  if (/\d/.test(character)) return DIGITS;
  return ("_.-".includes(character) ? JOINT : OTHER) |
    (".:(<[/\\+".includes(character) ? WORD_SIGN : 0) |
    (character === "*" ? MASKING : 0);
});

/** Whether it has what every mask has. */
function mayMask(value: string, holds: number): boolean {
  if ((holds & (JOINT | OTHER)) === 0) {
    return value.includes("xxxx") || value.includes("XXXX") ||
      /^0+$/.test(value);
  }
  return MASK_STARTS.has(value[0]!) ||
    (holds & MASKING) !== 0 &&
      (value.includes("***") || value.includes("\u2022") ||
        value.endsWith("\u2026")) ||
    value.endsWith("...") || value.length >= 8 && /[xX]{8}/.test(value);
}

const MASK_STARTS = new Set("*\u2022\u00b7.-_#?xX0=~");

/** Whether it is made of words that fill in a form, and of at least one. */
function isFiller(value: string): boolean {
  let count = 0;
  for (let at = 0; at < value.length;) {
    const start = at;
    while (isUpper(value, at)) at++;
    const uppers = at - start;
    // Of `APIKey` the last capital belongs to the second word.
    if (uppers > 1 && isLower(value, at)) at--;
    else while (isLower(value, at)) at++;
    if (at === start) {
      at++;
      continue;
    }
    const word = value.slice(start, at).toLowerCase();
    if (!FILLER.has(word) && !STOP.has(word)) return false;
    count++;
  }
  return count > 0;
}

const isUpper = (value: string, at: number) =>
  HOLDS[value.charCodeAt(at)] === UPPER;
const isLower = (value: string, at: number) =>
  HOLDS[value.charCodeAt(at)] === LOWER;

const SENTENCE = words(
  `is are was were be been the a an must should shall cannot not to of for in on at by with and or but if when has have had that this it required missing invalid failed expected found empty null unknown error denied expired unable could got does do your please set field value`,
);

/** Whether it is a message rather than a phrase that opens something. */
export function isSentence(value: string): boolean {
  const parts = value.slice(0, LOOK).toLowerCase().split(/[\s,.:;]+/);
  return parts.length > 8 || parts.some((word) => SENTENCE.has(word));
}

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;

/** Whether it is a UUID and nothing else. */
export function isUuid(value: string): boolean {
  return value.length === 36 && UUID.test(value);
}

const PLAIN =
  /^(?:[a-z][a-z0-9+.-]*:\/\/|\d{4}-\d\d-\d\d|\d{1,3}(?:\.\d{1,3}){3}|(?:[\da-f]{1,4}:){2,}|v?\d+\.\d+(?:\.\d+)?(?:[-+.][\w.+-]*)?$|sha(?:1|256|512):|[\d.,:]+[a-z%]{0,3}$)/i;

/** Whether it is a number, a time, an address, a version, a digest or a URL. */
export function isPlain(value: string): boolean {
  return PLAIN.test(value.slice(0, LOOK));
}

/** Whether it is only digits, perhaps with a unit. */
export function isNumber(value: string): boolean {
  return value.length < 16 && /^-?[\d.,:_]+[a-z%]{0,3}$/i.test(value);
}

/** No shorter run reads as random. */
const RUN = /[A-Za-z0-9]{8}/;

/** Groups of capitals and digits, as license keys have them. */
const LICENSE = /^[A-Z0-9]{4,8}(?:-[A-Z0-9]{4,8}){2,7}$/;

/** Whether it reads as random, so that no person chose it as a name. */
export function looksRandom(given: string): boolean {
  const value = given.slice(0, LOOK);
  if (value.length < 8 || isPlain(value)) return false;
  if (isUuid(value)) return true;
  if (LICENSE.test(value) && /\d/.test(value)) return true;
  if (RUN.test(value)) {
    const segments = value.split(/[^A-Za-z0-9]+/).filter((part) => part !== "");
    const single = segments.length === 1;
    if (segments.some((part) => isRandomRun(part, single))) return true;
  }
  return /[!@#$%^&*?~]/.test(value) && /\d/.test(value) &&
    /[A-Za-z]/.test(value) && !/\s/.test(value);
}

const CAMEL =
  /^(?:[A-Z]{1,5}|[A-Z]?[a-z]{2,})(?:\d{0,4}(?:[A-Z]{1,5}|[A-Z][a-z]{2,}|[a-z]{3,}))*\d{0,4}$/;

/** What a run of letters and digits is made of. */
function countKinds(run: string) {
  let [digits, uppers, vowels, turns, humps] = [0, 0, 0, 0, 0];
  let last = 0;
  for (let at = 0; at < run.length; at++) {
    const code = run.charCodeAt(at);
    const kind = code < 65 ? DIGITS : code < 97 ? UPPER : LOWER;
    if (kind === DIGITS) digits++;
    else if (kind === UPPER) uppers++;
    if (kind !== DIGITS && "aeiouyAEIOUY".includes(run[at]!)) vowels++;
    if (last !== 0 && (kind === DIGITS) !== (last === DIGITS)) turns++;
    if (kind === UPPER && last === LOWER) humps++;
    last = kind;
  }
  return { digits, uppers, vowels, turns, humps };
}

function isRandomRun(run: string, single: boolean): boolean {
  const { length } = run;
  if (length < 8) return false;
  const { digits, uppers, vowels, turns, humps } = countKinds(run);
  const letters = length - digits;
  const mixed = uppers > 0 && uppers < letters;
  if (digits === 0) {
    // Letters alone: too few vowels or too many capitals for words.
    return length >= 16 &&
      (vowels < length / 5 || mixed && humps >= length / 5);
  }
  if (letters === 0) return false;
  if (mixed) return turns >= 2 && length >= 16 || !CAMEL.test(run);
  if (length >= 12 && turns >= 3 || length >= 16 && turns >= 2) return true;
  return single && turns >= 3;
}

/** Whether a person would take such a password: letters with digits or signs. */
export function looksChosen(value: string): boolean {
  return value.length >= 6 && !isPlain(value) && /[A-Za-z]/.test(value) &&
    (/\d/.test(value) || /[!@#$%^&*?~+]/.test(value)) &&
    !/^(?:[a-z]+-)+[a-z\d]+$/.test(value);
}

/** Whether it is the name of an object of Kubernetes, and no random text. */
export function isObjectName(value: string): boolean {
  return value.length <= 253 && !value.includes("://") &&
    /^[a-z0-9](?:[a-z0-9./:@_-]*[a-z0-9])?$/i.test(value) &&
    !looksRandom(value);
}

const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

/** What Base64 says, if that is text of printable ASCII. */
export function decodeBase64(value: string): string | undefined {
  if (!BASE64.test(value)) return undefined;
  const plain = value.replaceAll("-", "+").replaceAll("_", "/")
    .replace(/=+$/, "");
  if (plain.length % 4 === 1) return undefined;
  // Most runs that are no text betray it at once.
  if (!isText(atob(plain.slice(0, 16)))) return undefined;
  const text = atob(plain);
  return isText(text) ? text : undefined;
}

function isText(bytes: string): boolean {
  for (let at = 0; at < bytes.length; at++) {
    const code = bytes.charCodeAt(at);
    if (code < 9 || code > 13 && code < 32 || code > 126) return false;
  }
  return true;
}
