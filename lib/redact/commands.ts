/**
 * Finds credentials among the arguments of well-known commands. Pure.
 *
 * @module
 */
import { skipPlaceholder, type Span } from "./span.ts";
import {
  looksChosen,
  looksRandom,
  standsForNone,
  withoutTail,
} from "./values.ts";

interface Command {
  readonly name: string;
  /** Finds the value, as group 1, in what follows the command's name. */
  readonly pattern: RegExp;
  /** What must stand in what follows; most names are words of prose, too. */
  readonly needs?: string;
  /** Whether what stands there may be a word, so that the value must be none. */
  readonly wordy?: boolean;
}

const QUOTE = String.raw`(?:\\{0,3}["'])?`;
/** The value, perhaps in quotes. */
const VALUE = String.raw`${QUOTE}([^\s"'\\]{2,200})`;
/** What follows the colon of `user:password`, perhaps in quotes. */
const LOGIN = String.raw`${QUOTE}[^\s"':[]{0,100}:([^\s"'\\]{1,200})`;
const TOKEN_LOGIN = String.raw`${QUOTE}([^\s"':\\]{16,200}):(?=["'\s]|$)`;
/** What separates arguments: blanks, or the quotes and commas of a list. */
const GAP = String.raw`(?:\s{1,3}|\\{0,3}["'],\s{0,3}(?=\\{0,3}["']))`;
const flag = (spelled: string, value: string, joined = false) =>
  new RegExp(
    `(?:^|${GAP})${QUOTE}(?:${spelled})(?:${GAP}|=${
      joined ? "|" : ""
    })${value}`,
    "g",
  );

const COMMANDS: readonly Command[] = [
  {
    name: "curl",
    pattern: flag("-[a-zA-Z]{0,6}[uU]|--user|--proxy-user", LOGIN, true),
  },
  // A token in the user's place, without a password.
  { name: "curl", pattern: flag("-[a-zA-Z]{0,6}u|--user", TOKEN_LOGIN, true) },
  { name: "http ", needs: "-a", pattern: flag("-a|--auth", LOGIN) },
  { name: "sshpass", pattern: flag("-p", VALUE, true) },
  // With a blank, it asks for the password, and the next word is a database.
  ...["mysql", "mariadb", "mydumper"].map((name) => ({
    name,
    pattern: new RegExp(
      String
        .raw`${GAP}(?:a\d{1,2}=)?${QUOTE}-p(?=\\{0,3}["']?[^\s"',\\-])${VALUE}`,
      "g",
    ),
  })),
  { name: "mongo", pattern: flag("-p", VALUE) },
  { name: "cqlsh", pattern: flag("-p", VALUE) },
  { name: "redis-cli", pattern: flag("-a", VALUE) },
  // Of docker, podman, helm, az, oc and many more.
  { name: "login", needs: "-p", pattern: flag("-p", VALUE, true) },
  ...[
    "ldapsearch",
    "ldapmodify",
    "ldapadd",
    "ldapdelete",
    "ldapwhoami",
    "ldappasswd",
  ]
    .map((name) => ({ name, pattern: flag("-w", VALUE, true) })),
  ...["plink", "pscp", "psftp"]
    .map((name) => ({ name, pattern: flag("-pw", VALUE) })),
  ...["sqlcmd", "bcp", "ipmitool", "isql"]
    .map((name) => ({ name, pattern: flag("-P", VALUE, true) })),
  { name: "unzip", pattern: flag("-P", VALUE) },
  {
    name: "smbclient",
    pattern: flag("-U", String.raw`["']?[^\s"'%]{1,80}%([^\s"']{1,200})`, true),
  },
  {
    name: "rpcclient",
    pattern: flag("-U", String.raw`["']?[^\s"'%]{1,80}%([^\s"']{1,200})`, true),
  },
  // Community, and the passphrases for authentication and for privacy.
  { name: "snmp", pattern: flag("-c|-A|-X", VALUE) },
  { name: "xfreerdp", pattern: new RegExp(String.raw`\s/p:${VALUE}`, "g") },
  { name: "rdesktop", pattern: flag("-p", VALUE) },
  {
    name: "openssl",
    pattern: new RegExp(String.raw`\bpass:([^\s"']{2,200})`, "g"),
  },
  {
    name: "rabbitmqctl",
    pattern: new RegExp(
      String
        .raw`\b(?:add_user|change_password|authenticate_user)${GAP}[^\s"']{1,80}${GAP}${VALUE}`,
      "g",
    ),
  },
  {
    name: "htpasswd",
    pattern: new RegExp(
      String
        .raw`-[a-zA-Z]{0,6}b[a-zA-Z]{0,6}${GAP}(?:[^\s"']{1,160}${GAP}){1,2}${VALUE}(?=["']?(?:\s|$|\]))`,
      "g",
    ),
  },
  {
    name: "vault",
    pattern: new RegExp(
      String.raw`\blogin${GAP}(?!-)["']?([^\s"'=]{8,200})(?=["'\s]|$)`,
      "g",
    ),
  },
  {
    name: "sqlplus",
    pattern: new RegExp(
      String.raw`${GAP}["']?[\w.]{1,60}/([^\s"'@/]{3,100})(?:@|\b)`,
      "g",
    ),
  },
  {
    name: "chpasswd",
    pattern: new RegExp(
      String.raw`<<<\s?["']?[\w.-]{1,40}:([^\s"']{3,100})`,
      "g",
    ),
  },
  {
    name: "net use",
    pattern: new RegExp(String.raw`\s/user:\S{1,80}\s([^\s/]\S{2,80})`, "g"),
  },
  { name: "twine", pattern: flag("-p", VALUE) },
];

/** Commands of which a word may stand where others have a credential. */
const WORDY_COMMANDS: readonly Command[] = [
  ...["ncftp", "rabbitmqadmin", "usermod", "useradd"].map((name) => ({
    name,
    pattern: flag("-p", VALUE),
  })),
  ...["zip -", "zip ", "mosquitto_"].map((name) => ({
    name,
    pattern: flag("-P", VALUE),
  })),
  ...["7z ", "7za ", "7zz ", "rar "].map((name) => ({
    name,
    pattern: new RegExp(
      String.raw`${GAP}${QUOTE}-h?p(?=[^\s"',-])${VALUE}`,
      "g",
    ),
  })),
  {
    name: "lftp",
    pattern: flag("-u|--user", `${QUOTE}[^\\s"',]{1,80},${VALUE}`),
  },
  { name: "openssl enc", pattern: flag("-k|-pass", VALUE) },
  { name: "influx ", pattern: flag("-t", VALUE) },
  { name: "codecov", pattern: flag("-t", VALUE) },
  ...["expdp", "impdp", "rman ", "sqlldr"].map((name) => ({
    name,
    pattern: new RegExp(
      String.raw`\s["']?[\w.]{1,60}/([^\s"'@/]{3,100})@`,
      "g",
    ),
  })),
  {
    name: "net user",
    pattern: /^\s{1,3}[^\s/]{1,60}\s{1,3}([^\s/*]{4,100})(?=\s\/|\s*$)/g,
  },
  {
    name: "net use",
    pattern: /\s\\{2,4}\S{1,80}\s([^\s/*]{4,100})\s\/user:/g,
  },
  {
    name: "securestring",
    pattern: new RegExp(
      String.raw`^\s{1,3}(?:-String\s{1,3})?\\{0,3}["']([^"'\n]{4,200})["']`,
      "gi",
    ),
  },
  {
    name: "snmp-server community",
    pattern: /^\s{1,3}(\S{4,100})\s{1,3}(?:RO|RW|view)\b/gi,
  },
  { name: "stats auth", pattern: /^\s{1,3}[^\s:]{1,60}:(\S{4,100})/g },
  { name: "login=", pattern: /^[\w.-]{1,60}:([^\s"']{4,100})/g },
  {
    name: "rootpw",
    pattern: /^\s{1,3}--(?:plaintext|iscrypted)\s{1,3}(\S{4,200})/g,
  },
  {
    name: "auth default",
    pattern: /^\s(\S{4,200})/g,
  },
  { name: "> auth", pattern: /^\s{1,3}(?:\w{1,40}\s)?(\S{8,200})\s*$/g },
  {
    name: "nickserv",
    pattern: /identify\s{1,3}(?:\w{1,30}\s)?(\S{4,100})\s*$/gi,
  },
  {
    name: "unseal",
    pattern:
      /^(?:\s{1,3}|\sKey\s\d{1,2}:\s{1,3})(?:-\S{1,40}\s{1,3})?["']?([A-Za-z\d+/=-]{32,100})(?!\w)/gi,
  },
  ...["wandb login", "snyk auth", "sentry-cli login", "railway login"].map((
    name,
  ) => ({
    name,
    pattern: /\s["']?([A-Za-z\d_-]{32,100})(?=["'\s]|$)/g,
  })),
  {
    name: "pulumi config set",
    pattern: /\s--secret\s{1,3}[\w:.-]{1,80}\s{1,3}["']?([^\s"']{4,200})/g,
  },
  {
    name: "consul kv put",
    pattern:
      /\s[\w./-]{0,80}(?:pass\w{0,10}|secret|token)\s{1,3}["']?([^\s"'@]{4,200})/gi,
  },
  { name: "-token <<<", pattern: /^\s{0,2}["']?([^\s"'$]{4,200})/g },
  { name: "-stdin <<<", pattern: /^\s{0,2}["']?([^\s"'$]{4,200})/g },
];

const ALL: readonly Command[] = [
  ...COMMANDS,
  ...WORDY_COMMANDS.map((command) => ({ ...command, wordy: true })),
];

/** The commands' names, for the search. */
export const COMMAND_ANCHORS: readonly string[] = ALL.map(({ name }) => name);

/** Arguments after a name are read up to here, and within one line. */
const ARGUMENTS_MAX = 400;

const LINE_END = /(?<!\\)\n|\\n|;(?=\s)|&&|\|\|?(?=\s)/;

/** What one text's search remembers, so that nothing is read twice. */
export class CommandSearch {
  readonly #text: string;
  readonly #until = new Map<number, number>();

  constructor(text: string) {
    this.#text = text;
  }

  /** The credentials among the arguments of command `which` at `at`. */
  find(which: number, at: number): Span[] {
    const { name, pattern, wordy, needs } = ALL[which]!;
    if (at < (this.#until.get(which) ?? 0)) return [];
    const start = at + name.length;
    const given = this.#text.slice(start, start + ARGUMENTS_MAX);
    if (needs !== undefined && !given.includes(needs)) return [];
    const ends = given.search(LINE_END);
    const line = ends === -1 ? given : given.slice(0, ends);
    this.#until.set(which, start + line.length);
    const spans: Span[] = [];
    pattern.lastIndex = 0;
    for (let match; (match = pattern.exec(line)) !== null;) {
      const [, given = ""] = match;
      const rest = given.slice(skipPlaceholder(given, 0));
      if (rest === "" || rest !== given && withoutTail(rest).length <= 1) {
        continue;
      }
      const value = withoutTail(given);
      if (standsForNone(value) || /^[-:\d]{0,3}$/.test(value)) continue;
      if (wordy === true && !looksChosen(value) && !looksRandom(value)) {
        continue;
      }
      const offset = match.index + match[0].lastIndexOf(given);
      spans.push({
        start: start + offset,
        end: start + offset + value.length,
        name: "named",
      });
    }
    return spans;
  }
}
