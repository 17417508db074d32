/**
 * Removes credentials from input before it is stored. Pure.
 *
 * A credential is replaced by a placeholder with its class and number, such as
 * `[secret:aws-key#1]`. Within one redaction the same value always gets the same
 * placeholder; the value itself is not kept.
 *
 * Every pattern runs in linear time: no nested repetition, and every open end is
 * bounded or consumes its character class whole.
 *
 * @module
 */

/** Replaces credentials, with one set of placeholders. */
export interface Redaction {
  /** A text without its credentials. */
  text(value: string): string;
  /** The same for every text within a JSON value. */
  value<T>(value: T): T;
}

interface Class {
  name: string;
  /** Its group `secret` is the credential; without one, the whole match is. */
  pattern: RegExp;
  /** For a slow pattern, a rare character that every match contains. */
  rare?: string;
}

/** Order matters: the first pattern that matches decides the class. */
const CLASSES: readonly Class[] = [
  {
    name: "private-key",
    pattern:
      /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:(?!-----END)[\s\S])*(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?/g,
  },
  {
    name: "webhook-url",
    pattern:
      /\bhttps?:\/\/(?:hooks\.slack(?:-gov)?\.com|[\w.-]{0,100}discord(?:app)?\.com(?=(?::\d{1,5})?\/api\/webhooks\/)|[\w.-]{1,100}\.webhook\.office\.com|[\w.-]{1,100}\.logic\.azure\.com|events\.pagerduty\.com(?=(?::\d{1,5})?\/integration\/))(?::\d{1,5})?\/[^\s"'<>\\]+/gi,
  },
  {
    // The poster's own webhook is Slack's, so catch it without a scheme, with a
    // trailing dot, and escaped as in JSON or a query string.
    name: "webhook-url",
    pattern:
      /hooks\.slack(?:-gov)?\.com\.?(?::\d{1,5})?(?:\\?\/|%2f)(?:[^\s"'<>\\]|\\\/)+/gi,
  },
  {
    name: "url-password",
    pattern:
      /\b[a-z][a-z0-9+.-]{1,30}:\/\/[^\s/:@"'<>]{0,200}:(?<secret>[^\s/@"'<>]{1,500})@/gi,
    rare: "@",
  },
  {
    name: "authorization",
    pattern: /\b(?:bearer|basic)\s{1,5}(?<secret>[\w.~+/=-]{8,})/gi,
  },
  {
    // With any other scheme, or none.
    name: "authorization",
    pattern:
      /authorization\\{0,3}["']?\s{0,5}[:=]\s{0,5}\\{0,3}["']?(?!(?:bearer|basic)\b)(?:[\w-]{1,20}\s{1,5})?(?<secret>[^\s"',;&<>[\]{}]{4,})/gi,
  },
  {
    name: "jwt",
    // Matched once per run of its characters: in "eyJ-eyJ-…" one could begin at
    // every fourth character, and each attempt would read to the end.
    pattern:
      /(?<![\w-])(?=[\w-]+\.[\w-]{10,}\.)(?:[\w-]*?-)??(?<secret>eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*)/g,
  },
  { name: "aws-key", pattern: /\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b/g },
  {
    name: "token",
    pattern:
      /\b(?:xox[abeoprs]-[\w-]{10,}|xapp-[\w-]{10,}|gh[oprsu]_\w{30,}|github_pat_\w{30,}|glpat-[\w-]{18,}|npm_\w{30,}|sk-[\w-]{20,}|[prs]k_(?:live|test)_\w{10,}|AIza[\w-]{30,}|ya29\.[\w-]{20,}|SG\.[\w-]{16,}\.[\w-]{16,}|dop_v1_\w{40,}|hvs\.[\w-]{20,}|pypi-[\w-]{40,})/g,
  },
  {
    name: "named",
    // Skips existing placeholders. A prefix, as in DB_PASSWORD, does not matter.
    pattern:
      /(?!secret:[a-z-]+#\d+\])(?:password|passwd|passphrase|pwd|secret|client[_-]?secret|(?:access|auth|refresh|id)?[_-]?token|api[_-]?key|access[_-]?key|private[_-]?key|secret[_-]?key)\\{0,3}["']?\s{0,5}[:=]\s{0,5}\\{0,3}["']?(?<secret>[^\s"',;&<>[\]{}]{4,})/gi,
  },
];

/**
 * Finds out in one pass whether any class matches. Nearly every text holds no
 * credential, and replacing nothing class by class costs several times as much.
 */
const FIRST_LOOK = new RegExp(
  CLASSES.filter(({ rare }) => rare === undefined).map(({ pattern }) => {
    const flags = pattern.ignoreCase ? "i" : "";
    return `(?${flags}:${pattern.source.replace("?<secret>", "?:")})`;
  }).join("|"),
);
const RARE = CLASSES.flatMap(({ rare }) => rare ?? []);

function holdsNone(text: string): boolean {
  return !FIRST_LOOK.test(text) && !RARE.some((rare) => text.includes(rare));
}

/** Names of fields whose value is always a credential. */
const FIELD =
  /^(?:.{0,40}[_-])?(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|secret[_-]?key|credentials?|authorization|cookie|webhook(?:[_-]?url)?)$/i;

/** Whether a field holds a credential: `dbPassword` as well as `db_password`. */
function isSecret(field: string): boolean {
  return FIELD.test(field.replace(/(?<=[a-z\d])(?=[A-Z])/g, "_"));
}

/** Starts a redaction. Its placeholders are numbered from 1 in each class. */
export function startRedaction(): Redaction {
  const counts: Record<string, number> = {};
  const known = new Map<string, string>();
  const placeholder = (name: string, secret: string): string => {
    const seen = known.get(secret);
    if (seen !== undefined) return seen;
    counts[name] = (counts[name] ?? 0) + 1;
    const made = `[secret:${name}#${counts[name]}]`;
    known.set(secret, made);
    return made;
  };
  const text = (value: string): string =>
    holdsNone(value) ? value : CLASSES.reduce(
      (left, { name, pattern }) =>
        left.replace(pattern, (match, ...more) => {
          const { secret = match } = (more.at(-1) ?? {}) as { secret?: string };
          // The last occurrence is the credential: the same word may come
          // first, as in "admin:admin@".
          const at = match.lastIndexOf(secret);
          return match.slice(0, at) + placeholder(name, secret) +
            match.slice(at + secret.length);
        }),
      value,
    );
  const walk = (value: unknown, field = "", within = false): unknown => {
    const secret = within || isSecret(field);
    if (typeof value === "string") {
      const taken = value !== "" && secret;
      return taken ? placeholder("named", value) : text(value);
    }
    if (Array.isArray(value)) {
      return value.map((item) => walk(item, field, within));
    }
    if (typeof value !== "object" || value === null) return value;
    // Lists of variables and headers are written as {name, value}.
    const { name } = value as { name?: unknown };
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        text(key),
        walk(
          item,
          key === "value" && typeof name === "string" ? name : key,
          secret,
        ),
      ]),
    );
  };
  return { text, value: <T>(value: T) => walk(value) as T };
}
