/**
 * Texts that make a search read the same characters again and again, if
 * anything can. Pure.
 *
 * @module
 */
import { FORMS, URLS } from "../../../lib/redact/forms.ts";
import { parseShape } from "../../../lib/redact/shape.ts";
import { BARE_FRAMES, NAMED_FRAMES } from "./frames.ts";
import { sampleOf } from "./kinds.ts";
import { startRandom } from "./random.ts";

/** Pieces that start a rule and do not end it. */
const PIECES = [
  "https://",
  "a://:",
  "a://b:",
  "://a:b@",
  "-----BEGIN PRIVATE KEY-----",
  "-----BEGIN PRIVATE KEY-----\nMII",
  "-----BEGIN ",
  "PuTTY-User-Key-File-2: x\n",
  "bearer ",
  "basic ",
  "eyJaaaaaaaaaaaaaa.",
  "eyJ-",
  "eyJ-aaaaaaaaaa.",
  "eyJaaaaaaaaaa.eyJ.",
  "authorization: ",
  "authorization: digest a=",
  'authorization: digest a="',
  "cookie: a=b; ",
  "cookie: a",
  "hooks.slack.com/\\",
  "hooks.slack.com/",
  "password=",
  'password="',
  "password='\"",
  'password=\\"',
  'password="\\"',
  "password=`",
  "password",
  "pass-",
  "pass.",
  "passwordpassword:",
  "password: ",
  "token: ",
  "token:token",
  "token ",
  "key",
  "api key: ",
  "<password>",
  "<password ",
  'name="password">',
  '"password", ',
  '"password" , "',
  'name: "token" value',
  "password: string ",
  "password: a|b|c|",
  "secret => ",
  "--password ",
  "[secret:named#1]",
  "password=[secret:named#1]",
  "[secret:",
  "curl -u ",
  "curl ",
  "curl -u a:",
  "mysql -p",
  "login -p ",
  "openssl pass:",
  "htpasswd -b a ",
  "identified by ",
  "@tcp(",
  ":a@tcp(",
  "%70%61%73%73",
  "%70assword=",
  "\\u0070",
  "&#112;",
  "\u200b",
  "p\u200bassword=",
  "\uff50\uff41\uff53\uff53",
  "\u{1d429}",
  "é",
  "QUtJQ",
  "cGFzc3dvcmQ9",
  "LS0tLS1CRUdJTi",
  "aaaaaaaaaaaaaaaaaaaaaaaa=",
  "aaaaaaaaaaaa-",
  "a",
  "A1",
  "1/",
  " \t",
  "\n",
  ".",
  "-",
  "@",
  "a@",
  "a.b@c.",
  ":",
  "::",
  "1.1.",
  "+1 ",
  "+1-1",
  "phone 1",
  "account 1",
  "user=",
  "db_password → x",
  "secret -> ",
  'tokens: ["a", "b", ',
  "tokens:\n- a\n- ",
  "password = <<E\n",
  "password:\n  x",
  "<key>password</key>\n<string>",
  '"value":"x","name":"password"',
  'name="password" a="b" c="d" ',
  '{"name":"password","value":"',
  '{"name":"password","x":null,',
  "password for ada ",
  "api key provided ",
  "password: Some(",
  "password,password(",
  '{password,"',
  'login("a","b",',
  'auth=("a", "',
  'new mysqli("a","b","c',
  "insert into a (password,",
  "insert into a (password) values (",
  ":5432:a:b:",
  ":*:*",
  "mot de passe : ",
  "пароль: ",
  "密码：",
  'password: { send "',
  "USER a\nPASS ",
  "a1 LOGIN a ",
  "unseal ",
  "7z -p",
  "net use \\\\a b ",
  "echo a | chpasswd ",
  "**password:** ",
  "password\t",
  "?key=",
  "&code=a",
  "[secret:a-b#1]x",
  "%5Bsecret:named%231%5D",
  "password=[secret:named#1]%5b",
  "\ufdfa",
  "\ufdfapassword=",
  "a\u0301\u0301",
  "\ud800",
  "\udc00password=\ud800",
  "\u202epassword\u202c=",
  "%25%37%30",
  "%2570assword%253d",
  "&amp;quot;password&amp;quot;",
  '{\\"a\\":\\"{\\\\\\"password\\\\\\":',
  "'\"`'\"`",
  "pa\u200bss\u200bword\u200b=\u200b",
  "kind: Secret\ndata:\n  a: b\n",
  "kind: Secret\n---\n",
  "data:\n  a: ",
  "AccountKey=;",
  "arn:aws:iam::",
];

const nested = (depth: number, wrap: (inner: unknown) => unknown) => {
  let value: unknown = "password=hunter22";
  for (let at = 0; at < depth; at++) value = wrap(value);
  return value;
};

/** Values of `size` keys, items or levels, made to cost more than their size. */
export const HOSTILE_VALUES: Readonly<
  Record<string, (size: number) => unknown>
> = {
  "an object of many keys": (size) =>
    Object.fromEntries(
      Array.from({ length: 4 * size }, (_, at) => [`key_${at}`, `v${at}`]),
    ),
  "an object of many passwords": (size) =>
    Object.fromEntries(
      Array.from({ length: size }, (_, at) => [`password_${at}`, `v${at}x`]),
    ),
  "an object of long keys": (size) =>
    Object.fromEntries(
      Array.from(
        { length: size },
        (_, at) => [`password=${at}`.padEnd(400, "x"), ""],
      ),
    ),
  "a list of many texts": (size) =>
    Array.from({ length: 4 * size }, (_, at) => `token=${at}abcdefgh`),
  "lists of arguments": (size) =>
    Array.from({ length: size }, () => ["run", "--password", "hunter22"]),
  "pairs of name and value": (size) =>
    Array.from({ length: size }, (_, at) => ({
      name: "DB_PASSWORD",
      value: `x${at}`,
    })),
  "deep lists": (size) => nested(size / 5, (inner) => [inner]),
  "deep objects": (size) => nested(size / 5, (inner) => ({ password: inner })),
  "deep pairs": (size) =>
    nested(size / 5, (value) => ({ name: "password", value })),
  "many placeholders": (size) =>
    Array.from({ length: size }, (_, at) => `[secret:named#${at}] x`),
  "JSON in JSON": (size) => {
    let text = "x".repeat(size);
    for (let at = 0; at < 5; at++) text = JSON.stringify({ password: text });
    return text;
  },
};

/** The start of each form and address, without and with what almost matches. */
function halves(): string[] {
  const r = startRandom(3);
  return [
    ...FORMS.map(({ shape }) => sampleOf(shape, r)),
    ...URLS.map(({ host, path }) => host + sampleOf(path, r)),
  ].flatMap((made) => [
    made.slice(0, Math.max(3, Math.floor(made.length / 2))),
    made.slice(0, -1),
    made + "0",
  ]);
}

function prefixes(): string[] {
  return FORMS.flatMap(({ shape }) =>
    parseShape(shape).map(([first]) =>
      first !== undefined && "literal" in first ? first.literal : "aA0-"
    )
  );
}

/** Frames around nothing and around a name that never ends. */
function frames(): string[] {
  return [
    ...Object.values(NAMED_FRAMES).map((write) => write("x", "db password")),
    ...Object.values(NAMED_FRAMES).map((write) => write("", "api key")),
    ...Object.values(BARE_FRAMES).map((write) => write("ghp_", "")),
  ];
}

/** Of the hostile texts, those that were written for one rule each. */
export const HOSTILE_RULES: readonly string[] = PIECES;

/** Every piece; repeated, each is a hostile text. */
export const HOSTILE: readonly string[] = [
  ...new Set([...PIECES, ...halves(), ...prefixes(), ...frames()]),
];

/** A text of about `length` characters of one piece. */
export function hostileText(piece: string, length: number): string {
  return piece.repeat(Math.ceil(length / piece.length));
}
