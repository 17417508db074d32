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
];

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
