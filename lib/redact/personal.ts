/**
 * Finds what says who somebody is, for the level `strict`. Pure.
 *
 * @module
 */
import { isAlphanumeric } from "./shape.ts";
import type { SecretClass, Span } from "./span.ts";

/** As it is, and as it stands in a URL. */
const AT = /@|%40/g;
const LOCAL_MAX = 64;
const SIGNS = ".!#$%&'*+/=?^_~-";
const SIGNS_IN_QUERY = ".!#$%'*+^_~-";
const DOMAIN =
  /(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}[a-z]{2,24}(?![\w-])/iy;

function findEmails(text: string, spans: Span[]): void {
  for (const match of text.matchAll(AT)) {
    const at = match.index;
    const signs = match[0] === "@" ? SIGNS : SIGNS_IN_QUERY;
    let start = at;
    while (
      start > 0 && at - start < LOCAL_MAX &&
      (isAlphanumeric(text, start - 1) ||
        signs.includes(text[start - 1]!))
    ) start--;
    while (start < at && !isAlphanumeric(text, start)) start++;
    DOMAIN.lastIndex = at + match[0].length;
    if (start === at || !DOMAIN.test(text)) continue;
    // `git@host:path` is where a repository is.
    if (text.slice(start, at) === "git") continue;
    spans.push({ start, end: DOMAIN.lastIndex, name: "email" });
  }
}

/** The first group, or the whole match, is what goes. */
const PATTERNS: readonly { name: SecretClass; pattern: RegExp }[] = [
  {
    name: "ip-address",
    pattern:
      /(?<![\w.-])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w-]|\.\d)/g,
  },
  {
    name: "ip-address",
    pattern:
      /(?<![\w:.])(?:[\da-f]{0,4}:){2,7}(?:(?:\d{1,3}\.){3}\d{1,3}|[\da-f]{0,4})(?:%\w{1,16})?(?![\w:]|\.\d)/gi,
  },
  {
    // With a country's code, separated or not.
    name: "phone",
    pattern:
      /(?<![\w+./-])\+[1-9]\d{0,2}(?:[ .-]?\(?\d{1,4}\)?){2,6}(?![\w-])/g,
  },
  {
    // As written in North America.
    name: "phone",
    pattern:
      /(?<![\w.-])(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[-.])[2-9]\d{2}[-.]\d{4}(?![\w.-]\d|\w)/g,
  },
  {
    // A name says what it is.
    name: "phone",
    pattern:
      /\b(?:phone|tel|telephone|mobile|call|fax)[:=]? {0,2}(\(?0?\d[\d ()/-]{5,18}\d)(?!\w)/gi,
  },
  {
    name: "account",
    pattern: /\barn:aws[\w-]{0,10}:[\w-]{0,30}:[\w-]{0,30}:(\d{12})(?=:)/g,
  },
  {
    name: "account",
    pattern:
      /\b(?:account|subscription|tenant|customer)[ _-]?(?:id|number|no)?["']?\s{0,2}[:=#]?\s{0,2}["']?(\d{6,20}|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})(?!\w)/gi,
  },
  {
    name: "user",
    pattern:
      /\b(?:user(?:[ _-]?name)?|login|principal|actor|uid)["']?(?:[:=]| (?=["'])) {0,2}["']?([A-Za-z][\w.@\\-]{1,63})(?!\w)/gi,
  },
  {
    // As servers log who came from where.
    name: "user",
    pattern:
      /\b(?:password|publickey|log-?[io]n|session|sign-?in|authentication)\b[a-z ]{0,24}\bfor (?:(?:invalid )?user )?([A-Za-z][\w.-]{1,40})(?= from \[?(?:\d{1,3}\.|[\da-f]{0,4}:))/gi,
  },
  {
    name: "user",
    pattern:
      /\buser ([A-Za-z][\w.-]{1,40})(?= from \[?(?:\d{1,3}\.|[\da-f]{0,4}:))/gi,
  },
];

/** Whether so many colons are an address rather than a time or a MAC. */
function isIpv6(text: string): boolean {
  const groups = text.replace(/%.*/, "").split(":");
  const short = text.includes("::");
  if (text.indexOf("::") !== text.lastIndexOf("::")) return false;
  if (text.replace(/[:%]/g, "") === "") return false;
  return short ? groups.length <= 9 : groups.length === 8;
}

const VERSION_FRONT =
  /(?:version|release|build|kernel|revision|firmware|driver|openssl|java|jdk|jre|python|postgres(?:ql)?|mysql|mariadb|nginx|redis|chrome|windows|oracle|\bimage \S{1,40}|\btag)["']?[ ]?[:=]?[ ]?["']?v?$/i;

/** Whether what reads like an address is the version of something. */
function isVersion(text: string, at: number): boolean {
  return VERSION_FRONT.test(text.slice(Math.max(0, at - 60), at));
}

/** Whether it has as many digits as a number that can be called. */
function isCallable(text: string): boolean {
  const digits = text.replace(/\D/g, "").length;
  return digits >= 8 && digits <= 15;
}

const STAY =
  /^(?:is|was|not|and|or|has|had|for|in|to|of|with|none|null|unknown|agent|account|accounts|group|session|id)$/i;

/** E-mail addresses, IP addresses, phone numbers, users and accounts. */
export function findPersonal(text: string): Span[] {
  const spans: Span[] = [];
  findEmails(text, spans);
  for (const { name, pattern } of PATTERNS) {
    for (const match of text.matchAll(pattern)) {
      const found = match[1] ?? match[0];
      if (found.includes(":") && !isIpv6(found)) continue;
      if (name === "phone" && !isCallable(found)) continue;
      if (name === "ip-address" && isVersion(text, match.index)) continue;
      if (name === "user" && STAY.test(found)) continue;
      const end = match.index + match[0].length;
      spans.push({ start: end - found.length, end, name });
    }
  }
  return spans;
}

const USER_FIELD =
  /^(?:.{0,40}[_.-])?(?:user|username|user[_-]name|login|actor|assignee|author|owner|principal|acknowledged[_-]by|resolved[_-]by|responder|reporter|requester|full[_-]?name|first[_-]?name|last[_-]?name|display[_-]?name|assigned[ _-]?to|e?mail|phone)s?$/i;
const ACCOUNT_FIELD =
  /^(?:.{0,40}[_.-])?(?:account|subscription|tenant|customer|aws[_-]account|project)(?:[_-]?(?:id|number))?$/i;

/** The class of what a field holds, if its name says that it is somebody. */
export function personalField(field: string): SecretClass | undefined {
  if (field.length > 80) return undefined;
  const spelled = field.replace(/(?<=[a-z\d])(?=[A-Z])/g, "_");
  if (USER_FIELD.test(spelled)) return "user";
  return ACCOUNT_FIELD.test(spelled) ? "account" : undefined;
}
