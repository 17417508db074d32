/**
 * Which names say that their value is a credential. Pure.
 *
 * @module
 */

/**
 * What a name promises of its value.
 *
 * - `password`: anything but a word that stands for none.
 * - `token`: the same, except numbers.
 * - `object`: the same, except names of objects, as in `secret: checkout-tls`.
 * - `opaque`: only what looks random, or hex digits.
 * - `weak`: only what looks random, and no digest.
 * - `pin`: digits too.
 * - `authorization`, `cookie`: a header's value.
 */
export type NameKind =
  | "password"
  | "token"
  | "object"
  | "opaque"
  | "weak"
  | "pin"
  | "authorization"
  | "cookie";

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

/** A word that ends so is a password, whatever is in front: `pgpassword`. */
const PASSWORD =
  /^masterauth$|(?:passwords?|passwds?|passphrases?|passcodes?|passwort|kennwort|pswd)\d*$|(?:^|db|my|sql|pg|user|admin|root|smtp|ftp|app|bind|ldap|mgr|mail|repl)(?:pwd|pass|pw|psw)s?\d*$|^(?:redis|ssh|http|proxy|ldap|mail|email|wifi|login|auth|svc|rabbit|mongo|require|bind|basic|key|store|zip|api|cert|new|old|sudo|become|vault|imap|vnc|keystore|truststore)pass$|pwd$/;
const SECRET = /secrets?\d*$/;
const TOKEN = /tokens?\d*$/;
const JOINED_KEY =
  /(?:api|access|secret|private|auth|app|master|sign|signing|encrypt|encryption|license|licence|ssh|deploy|account|service|storage|client|consumer|shared|webhook|session|admin|subscription|hmac|integration|ingest|write|read|root|server)keys?\d*$/;

/** A `key` behind one of these opens something. */
const KEY_OF = words(
  `api access secret private auth authentication authorization app application master sign signing encrypt encryption decrypt decryption license licence ssh gpg pgp rsa dsa ecdsa deploy account service storage client consumer shared preshared psk webhook session admin subscription hmac integration ingest ingestion write read root server aws azure gcp google openai anthropic stripe sendgrid mailgun mailchimp twilio datadog dd newrelic relic nr algolia mapbox maps github gitlab slack pagerduty opsgenie sentry rollbar splunk honeycomb grafana elastic cloudflare fastly heroku npm pypi nuget docker jwt crypto cipher data kek dek tls ssl wireguard wg vpn cosmos redis mongo db database search function host project user merchant payment product activation vendor partner developer dev team org organization bot rest graphql http platform tenant device registration activate unlock recovery backup certificate validation unseal age sops vault kms nats nkey pre`,
);
/** A `key` behind one of these is part of data. */
const KEY_NOT_OF = words(
  `public primary foreign partition sort cache group dedup dedupe deduplication idempotency hash range index row column object map dict label lookup registry config shift arrow unique composite shard message event topic item order translation locale i18n react answer hot any enter escape trace span lock metric series document field property json yaml form query storage-key blob bucket`,
);
/** Tokens behind one of these are counted, or turn pages. */
const TOKEN_NOT_OF = words(
  `next page continuation continue sync cursor cancel cancellation cancelation stop eos bos pad unk cls sep mask special max min num number total prompt completion input output used remaining count n lock fencing per avg mean rate available requested burst bucket lexer parser current unexpected expected invalid bearer previous-page last-page`,
);
/** Whatever follows is a question, as in `has_password`. */
const ASKS = words(
  `has is use uses using used enable enabled enables require requires required no without show hide forgot reset missing invalid change allow allows disable check verify validate min max wrong need needs supports include skip`,
);
/** What may stand behind the word without changing its meaning. */
const TAIL = words(
  `value values val string str text txt data raw plain plaintext clear cleartext b64 base64 encoded enc env var variable prod production prd stage staging stg dev devel development test testing qa uat live sandbox demo local primary secondary current previous prev new old base default main backup master replica eu us ap a b c d e v json pem key keys db user admin root pepper in header phrase sha hex pair id2 secret token override input2 confirmation confirm`,
);
/** What turns it into something about a credential. */
const ABOUT = words(
  `count counts counter type types name names policy policies expiry expires expire expired expiration exp ttl uri url urls endpoint endpoints path paths file files filename dir directory folder length len size sizes id ids limit limits max min age rotation rotate manager managers store stores ref refs reference arn version versions status state enabled disabled required requirement hint field fields label labels mount mounts error errors err failure failures failed fail valid invalid validation validity algorithm alg reset resets change changed changes created updated last at by for from review format prefix suffix rule rules provider providers class kind source issuer audience scope scopes mode method methods service server host port domain secure usage used total timeout interval duration seconds ms bytes attempts attempt retries retry helper operator controller sync synced worker page form box prompt checker validator generator encoder encryption strength bucket vault authentication auth_method set request requests response handler lookup less free reader writer factory config configuration options settings loader cache regex pattern template lifetime window minutes hours days date time timestamp index position prefixes map list table column row schema event events latency cookie_name algo hits misses evicted number`,
);

/** Names that no rule for their words would take for what they are. */
const KNOWN: ReadonlyMap<string, NameKind> = new Map([
  ["x-honeycomb-team", "opaque"],
  ["sonar.login", "opaque"],
  ["dsonar.login", "opaque"],
  ["code", "weak"],
  ["github-oauth", "token"],
  ["gitlab-oauth", "token"],
  ["bitbucket-oauth", "token"],
]);

/** Commands about passwords are no passwords. */
const COMMAND = /^(?:ch|ht|g|k|smb|vnc|mk)passwd$/;

const split = (name: string): string[] =>
  (name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+/g) ?? []).map((word) =>
    word.toLowerCase()
  );

/** What the word at `at` promises together with those in front of it. */
function kindOfHead(
  word: string,
  front: string | undefined,
  shouts: boolean,
): NameKind | "none" | undefined {
  const asks = front !== undefined && ASKS.has(front);
  if (PASSWORD.test(word)) return asks ? "none" : "password";
  if (
    (word === "word" || word === "phrase" || word === "code") &&
    front === "pass"
  ) return "password";
  if (word === "phrase" && (front === "seed" || front === "recovery")) {
    return "password";
  }
  if (TOKEN.test(word)) {
    if (asks || front !== undefined && TOKEN_NOT_OF.has(front)) return "none";
    return "token";
  }
  if (SECRET.test(word)) {
    if (asks) return "none";
    const bare = word === "secret" || word === "secrets";
    const named = front === undefined || /^(?:tls|k8s|kube|pull|existing)$/
      .test(front);
    return bare && named ? "object" : "token";
  }
  if (JOINED_KEY.test(word)) return "token";
  if (word === "key" || word === "keys") {
    if (front === undefined) return "weak";
    if (KEY_NOT_OF.has(front)) return "none";
    if (KEY_OF.has(front)) return "token";
    return front === "routing" || shouts ? "opaque" : "weak";
  }
  if (word === "signature" && (front === "amz" || front === "goog")) {
    return "token";
  }
  switch (word) {
    case "credential":
    case "credentials":
    case "cred":
    case "creds":
      return asks ? "none" : "object";
    case "authorization":
      return "authorization";
    case "cookie":
    case "cookies":
      return "cookie";
    case "mnemonic":
    case "psk":
    case "authtoken":
      return "token";
    case "sessionid":
    case "phpsessid":
    case "jsessionid":
    case "sas":
    case "auth":
    case "jwt":
    case "bearer":
    case "pat":
    case "dsn":
      return "opaque";
    case "sid":
    case "sig":
    case "signature":
    case "session":
    case "salt":
    case "hmac":
    case "login":
    case "seed":
      return "weak";
    case "pin":
    case "pincode":
    case "otp":
    case "totp":
    case "cvv":
      return "pin";
  }
  return undefined;
}

/** Most names hold none of these and promise nothing. */
const SAYS =
  /pass|bundle_|masterauth|p(?:w|sw|sk|in|at)|kennwort|secret|token|key|cred|auth|cookie|mnemonic|phrase|s(?:ess|id|as|ig|alt|eed)|jwt|bearer|dsn|hmac|login|otp|cvv|^code$|honeycomb/i;

/** A longer name is no name. */
export const NAME_MAX = 100;

/**
 * What a name promises of its value, however it is spelled: `DB_PASSWORD`,
 * `dbPassword`, `x.db-password`, `PGPASSWORD`.
 *
 * @returns `undefined` if nothing.
 */
export function kindOfName(name: string): NameKind | undefined {
  if (name.length > NAME_MAX || !SAYS.test(name)) return undefined;
  if (/^BUNDLE_\w+__/.test(name)) return "token";
  if (COMMAND.test(name)) return undefined;
  const known = KNOWN.get(name.toLowerCase());
  if (known !== undefined) return known;
  const parts = split(name);
  const shouts = name === name.toUpperCase();
  for (let at = parts.length - 1; at >= 0; at--) {
    const word = parts[at]!;
    const kind = kindOfHead(word, parts[at - 1], shouts);
    if (kind === undefined) continue;
    if (kind === "none") return undefined;
    const tail = parts.slice(at + 1);
    if (tail.some((word) => ABOUT.has(word))) return undefined;
    const known = tail.every((word) => TAIL.has(word) || /^\d+$/.test(word));
    return known ? kind : kind === "pin" ? undefined : "weak";
  }
  return undefined;
}

/** Names of labels whose value names an object of Kubernetes. */
const OBJECT_LABEL =
  /^(?:.{0,60}[_-])?(?:secrets?|webhooks?|secret[_-]?(?:key|name|ref)|token|credentials?|key)$/i;

/** Whether a label of this name may hold the name of an object. */
export function mayNameObject(label: string): boolean {
  return label.length <= NAME_MAX && OBJECT_LABEL.test(label) &&
    !/api|access|client|auth/i.test(label);
}

const WEBHOOK_FIELD = /(?:^|[_-])webhook(?:[_-]?(?:url|uri|endpoint))?s?$/i;

/** Whether a field holds a webhook's address, which is a credential. */
export function isWebhookField(field: string): boolean {
  return /hook/i.test(field) && field.length <= NAME_MAX &&
    WEBHOOK_FIELD.test(field.replace(/(?<=[a-z\d])(?=[A-Z])/g, "_"));
}
