/**
 * Finds credentials that only their position gives away: among the arguments of
 * a call, the columns of a statement, the fields of a line. Pure.
 *
 * @module
 */
import { after } from "./reading.ts";
import { isPlaceholder, type Span } from "./span.ts";
import { isNumber, looksChosen, looksRandom, standsForNone } from "./values.ts";
import { kindOfName } from "./names.ts";

/** Whether what stands where a credential should is one. */
function isGiven(value: string): boolean {
  return !isPlaceholder(value) && !standsForNone(value) &&
    (looksChosen(value) || looksRandom(value));
}

function named(start: number, end: number): Span {
  return { start, end, name: "named" };
}

const ARGUMENT = String
  .raw`\s{0,8}[rbu@]?(\\{0,7}["'])([^"'\\\n]{0,200})\1\s{0,4}`;
const QUOTED = new RegExp(ARGUMENT, "y");
/** An argument that is no text: a handle, a constant. */
const HANDLE = /\s{0,8}[\w$.]{1,60}\s{0,4},/y;
const ARGUMENTS_MAX = 4;

/**
 * The text arguments of a call whose bracket opens in front of `at`, with where
 * each starts.
 */
function readArguments(
  text: string,
  at: number,
): { at: number; value: string }[] {
  const found: { at: number; value: string }[] = [];
  at = after(HANDLE, text, at) ?? at;
  while (found.length < ARGUMENTS_MAX) {
    QUOTED.lastIndex = at;
    const match = QUOTED.exec(text);
    if (match === null) break;
    const [all, quote = "", value = ""] = match;
    found.push({ at: at + all.indexOf(quote) + quote.length, value });
    at = QUOTED.lastIndex;
    if (text[at] !== ",") break;
    at++;
  }
  return found;
}

/** `login("ada", "…")`: the last argument of two or more. */
function findLogin(text: string, at: number): Span | undefined {
  const bracket = text.indexOf("(", at) + 1;
  const given = readArguments(text, bracket);
  const last = given.at(-1);
  if (last === undefined || given.length < 2 || !isGiven(last.value)) {
    return undefined;
  }
  return named(last.at, last.at + last.value.length);
}

/** `new mysqli("db", "root", "…", "shop")`: the third argument. */
function findConnection(text: string, at: number): Span | undefined {
  const third = readArguments(text, text.indexOf("(", at) + 1)[2];
  if (third === undefined || !isGiven(third.value)) return undefined;
  return named(third.at, third.at + third.value.length);
}

const INSERT =
  /insert\s{1,4}into\s{1,4}[\w."`[\]]{1,120}\s{0,4}\(([^()]{1,600})\)\s{0,8}values\s{0,8}\(/iy;
const ITEM =
  /\s{0,8}(?:N?(['"])((?:[^'"\n]|''){0,400})\1|[^,()'"]{1,200})\s{0,8}/y;

/** The password among the values of an `INSERT`, by its column. */
function findInserted(text: string, at: number): Span | undefined {
  INSERT.lastIndex = at;
  const columns = INSERT.exec(text)?.[1]?.split(",").map((column) =>
    kindOfName(column.replaceAll(/[^\w]/g, ""))
  );
  if (columns === undefined) return undefined;
  let from = INSERT.lastIndex;
  for (const kind of columns) {
    ITEM.lastIndex = from;
    const [all = "", quote = "", value = ""] = ITEM.exec(text) ?? [];
    const secret = kind === "password" || kind === "token" || kind === "pin";
    if (secret && !standsForNone(value) && !isPlaceholder(value)) {
      const start = from + all.indexOf(quote) + 1;
      if (value.length >= 4) return named(start, start + value.length);
    }
    if (all === "" || text[from + all.length] !== ",") return undefined;
    from += all.length + 1;
  }
  return undefined;
}

const PGPASS =
  /:(?:\d{2,5}|\*):[^\s:]{1,63}:[^\s:]{1,63}:([^\s:]{4,200})(?=\s|$)/y;

/** `host:port:database:user:password`, in a file of PostgreSQL. */
function findPgpass(text: string, at: number): Span | undefined {
  PGPASS.lastIndex = at;
  const [match = "", value = ""] = PGPASS.exec(text) ?? [];
  if (value === "" || !isGiven(value) || isNumber(value)) return undefined;
  const end = at + match.length;
  return named(end - value.length, end);
}

const FRONT_MAX = 80;

/** What follows `at`, if what stands in front of it fits. */
function behind(front: RegExp, value: RegExp) {
  return (text: string, at: number): Span | undefined => {
    value.lastIndex = at;
    const [match = "", given = ""] = value.exec(text) ?? [];
    if (given === "" || !isGiven(given)) return undefined;
    if (!front.test(text.slice(Math.max(0, at - FRONT_MAX), at))) {
      return undefined;
    }
    const start = at + match.lastIndexOf(given);
    return named(start, start + given.length);
  };
}

/** `"Password:" { send "…\\r" }`, in a script of Expect. */
const findSent = behind(
  /pass(?:word|phrase)[^{}\n]{0,20}\{?\s{0,4}$/i,
  /send (?:-- )?\\?"([^"\s\\]{4,100})/y,
);
/** `USER ada` and `PASS …`, of FTP and POP3. */
const findPass = behind(
  /user \S{1,60}?(?:\s|\\[rn]){0,3}$|\+ok[^\n]{0,60}$/i,
  /(?:\n|\\n)PASS ([^\s\\]{4,100})/y,
);
/** `a1 LOGIN ada …`, of IMAP. */
const findImap = behind(
  /(?:^|[\s"'`>[(,])[a-z]{0,4}\d{1,6}$/i,
  / LOGIN "?[^\s"]{1,60}"? "?([^\s"'`]{6,100})/y,
);

const FOREIGN =
  /["'*]{0,2}(?:[ ]{0,3}(?:[:=]|\uff1a)[ ]{0,3}|[ ](?:ist|es|est|is)[ ])["'`*]{0,2}((?:(?!["'`,;<>])[!-~]){4,100})/y;

/** A password that another language names. */
function findForeign(length: number) {
  return (text: string, at: number): Span | undefined => {
    FOREIGN.lastIndex = at + length;
    const [match = "", given = ""] = FOREIGN.exec(text) ?? [];
    const value = given.replace(/[.!?]$/, "");
    if (value === "" || !isGiven(value)) return undefined;
    const start = at + length + match.length - given.length;
    return named(start, start + value.length);
  };
}

/** The word for a password, in the languages of many teams. */
const WORDS =
  "contraseña contrasena senha wachtwoord lösenord hasło salasana parola şifre пароль кодовое парол κωδικός jelszó adgangskode passord パスワード 비밀번호 סיסמה كلمة_المرور รหัสผ่าน mot_de_passe"
    .split(" ").map((word) => word.replaceAll("_", " "));

/** What only its position gives away, by the text that each starts with. */
export const POSITIONS: readonly {
  anchor: string;
  find: (text: string, at: number) => Span | undefined;
}[] = [
  ...["login(", "auth(", "auth=(", "credential(", "credentials("].map(
    (anchor) => ({ anchor, find: findLogin }),
  ),
  ...["mysqli(", "mysqli_connect(", "new pdo(", "dbi->connect("].map(
    (anchor) => ({ anchor, find: findConnection }),
  ),
  { anchor: "send ", find: findSent },
  { anchor: "\npass ", find: findPass },
  { anchor: "\\npass ", find: findPass },
  { anchor: " login ", find: findImap },
  { anchor: "insert", find: findInserted },
  ...[":5432:", ":5433:", ":6432:", ":*:"].map((anchor) => ({
    anchor,
    find: findPgpass,
  })),
  ...WORDS.map((anchor) => ({ anchor, find: findForeign(anchor.length) })),
  // Short or like much else; what follows belongs to the anchor.
  ...["密码", "密碼", "口令", "암호", "heslo"].flatMap((word) =>
    [":", "=", "：", " :", " ="].map((sign) => ({
      anchor: word + sign,
      find: findForeign(word.length),
    }))
  ),
];
