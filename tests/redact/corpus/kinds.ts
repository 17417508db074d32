/**
 * Credentials of every kind, put together at run time, so that no scanner takes
 * this file for a leak.
 *
 * @module
 */
import { FORMS, URLS } from "../../../lib/redact/forms.ts";
import { CLASSES, parseShape } from "../../../lib/redact/shape.ts";
import { encodeBase64, type Random } from "./random.ts";

/** One kind of credential. */
export interface Kind {
  readonly name: string;
  /** For a kind that only its name gives away: that name, in words. */
  readonly called?: string;
  /** Makes a credential, or a text that holds one. */
  make(r: Random): string;
  /** What must not be left of it; the whole of it if not given. */
  core?(made: string): string;
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const digits = "0123456789";
const lower = digits + letters.toLowerCase();
const any = lower + letters;

/** The characters of a class. */
function spell(name: string): string {
  const one = new RegExp(`[${CLASSES[name]}]`);
  const all = Array.from(
    { length: 95 },
    (_, at) => String.fromCharCode(at + 32),
  );
  const taken = all.filter((character) => one.test(character));
  // Signs are rare in real ones, and "=" and "." do not end them.
  const plain = taken.filter((character) => /[A-Za-z0-9_-]/.test(character));
  return (plain.length > 0 ? plain : taken).join("");
}

/** A credential of this shape. */
export function sampleOf(shape: string, r: Random): string {
  return r.pick(parseShape(shape)).map((part, at, parts) => {
    if ("literal" in part) return part.literal;
    const { min, max, name } = part;
    const length = max === min || min > 40
      ? min
      : Math.min(max, min + r.below(12));
    const made = r.of(spell(name), length);
    // A sign at the end would be taken for punctuation.
    return at === parts.length - 1 ? made.replace(/[_-]$/, "7") : made;
  }).join("");
}

const jwt = (r: Random, algorithm = "HS256") =>
  [
    encodeBase64(JSON.stringify({ alg: algorithm, typ: "JWT" })),
    encodeBase64(JSON.stringify({ sub: r.hex(12), exp: r.below(2e9) })),
    r.of(any + "-_", 43).replace(/[_-]$/, "x"),
  ].join(".").replaceAll("=", "");

const pem = (label: string, r: Random, end = label) =>
  [
    `-----${"BEGIN"} ${label}-----`,
    ...Array.from({ length: 4 }, () => "MI" + r.of(any + "+/", 62)),
    `-----END ${end}-----`,
  ].join("\n");

const bodyOf = (made: string) => made.split("\n").slice(1, -1).join("\n");

/** What is found by its structure. */
const STRUCTURES: Kind[] = [
  ...[
    "PRIVATE KEY",
    "RSA PRIVATE KEY",
    "EC PRIVATE KEY",
    "DSA PRIVATE KEY",
    "OPENSSH PRIVATE KEY",
    "ENCRYPTED PRIVATE KEY",
    "PGP PRIVATE KEY BLOCK",
    "SSH2 ENCRYPTED PRIVATE KEY",
    "USER NKEY SEED",
    "OpenVPN Static key V1",
  ].map((label) => ({
    name: `PEM ${label}`,
    make: (r: Random) => pem(label, r),
    core: bodyOf,
  })),
  {
    name: "PEM on one line",
    make: (r) => pem("PRIVATE KEY", r).replaceAll("\n", "\\n"),
    core: (made) => made.slice(40, 120),
  },
  {
    name: "PEM in Base64",
    make: (r) => encodeBase64(pem("RSA PRIVATE KEY", r)),
  },
  {
    name: "PuTTY key",
    make: (r) =>
      `PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: ada\nPublic-Lines: 1\n${
        r.of(any, 60)
      }\nPrivate-Lines: 1\n${r.of(any, 48)}\nPrivate-MAC: ${r.hex(64)}`,
    core: (made) => made.split("\n").at(-2)!,
  },
  { name: "JWT", make: (r) => jwt(r) },
  { name: "JWT, RS256", make: (r) => jwt(r, "RS256") },
  { name: "JWT in Base64", make: (r) => encodeBase64(jwt(r)) },
  {
    name: "bearer",
    make: (r) => `Bearer ${r.of(any, 40)}`,
    core: (m) => m.slice(7),
  },
  {
    name: "bearer, short",
    make: (r) => `bearer ${r.of(lower, 20)}`,
    core: (m) => m.slice(7),
  },
  {
    name: "basic",
    make: (r) => `Basic ${encodeBase64(`app:${r.of(any, 12)}`)}`,
    core: (m) => m.slice(6),
  },
  ...["Bearer", "Basic", "Token", "ApiKey", "GenieKey", "Splunk", "Bot", "SSWS"]
    .map((scheme) => ({
      name: `Authorization: ${scheme}`,
      make: (r: Random) => `Authorization: ${scheme} ${r.of(any, 36)}`,
      core: (made: string) => made.slice(16 + scheme.length),
    })),
  {
    name: "Authorization: AWS4",
    make: (r) =>
      `Authorization: AWS4-HMAC-SHA256 Credential=AKIA${
        r.of(letters, 16)
      }/20261115/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=${
        r.hex(64)
      }`,
    core: (made) => made.slice(-64),
  },
  {
    name: "cookies",
    make: (r) => `Cookie: sid=${r.of(any, 24)}; theme=dark`,
    core: (m) => m.slice(12, 36),
  },
  {
    name: "set-cookie",
    make: (r) => `Set-Cookie: sid=${r.of(any, 24)}; Path=/`,
    core: (m) => m.slice(16, 40),
  },
  ...[
    "postgres",
    "mysql",
    "redis",
    "mongodb+srv",
    "amqp",
    "https",
    "ftp",
    "smtps",
    "ldap",
    "nats",
  ].map((scheme) => ({
    name: `password in ${scheme}://`,
    make: (r: Random) => `${scheme}://app:${r.of(any, 14)}@db.example.com/x`,
    core: (made: string) => /:([^:@]+)@/.exec(made)![1]!,
  })),
  {
    name: "token in a URL",
    make: (r) => `https://${r.hex(40)}@git.example.com/x`,
    core: (m) => m.slice(8, 48),
  },
  {
    name: "driver's password",
    make: (r) => `app:${r.of(any, 12)}@tcp(db:3306)/x`,
    core: (m) => m.slice(4, 16),
  },
  {
    name: "ARN with a key",
    make: (r) =>
      `arn:aws:iam::111122223333:access-key/AKIA${r.of(letters, 16)}`,
    core: (m) => m.slice(-20),
  },
  ...([
    ["curl -u", (v) => `curl -s -u admin:${v} https://api.example.com`],
    ["curl --user", (v) => `curl --user 'admin:${v}' https://api.example.com`],
    [
      "curl -u in argv",
      (v) => `["curl", "-u", "admin:${v}", "https://x.example"]`,
    ],
    ["sshpass", (v) => `sshpass -p ${v} ssh host`],
    ["sshpass, joined", (v) => `sshpass -p'${v}' ssh host`],
    ["mysql -p", (v) => `mysqldump -h db -u app -p${v} checkout`],
    ["mysql --password", (v) => `mysql --password ${v}`],
    ["redis-cli", (v) => `redis-cli -h r -a ${v} PING`],
    ["docker login", (v) => `docker login -u ci -p ${v} registry.example.com`],
    ["helm login", (v) => `helm registry login x.example -u ci -p ${v}`],
    ["az login", (v) => `az login --service-principal -u x -p ${v}`],
    ["ldapsearch", (v) => `ldapsearch -x -D cn=a -w ${v} -b dc=x`],
    ["mongosh", (v) => `mongosh -u app -p ${v} db`],
    ["sqlcmd", (v) => `sqlcmd -S db -U sa -P ${v} -Q x`],
    ["plink", (v) => `plink -ssh ada@host -pw ${v} ls`],
    ["openssl", (v) => `openssl rsa -passin pass:${v} -in k.pem`],
    ["smbclient", (v) => `smbclient //s/x -U ada%${v}`],
    ["rabbitmqctl", (v) => `rabbitmqctl add_user app ${v}`],
    ["vault login", (v) => `vault login ${v}`],
    ["unzip", (v) => `unzip -P ${v} x.zip`],
    ["snmpwalk", (v) => `snmpwalk -v3 -A ${v} host`],
    ["identified by", (v) => `CREATE USER app IDENTIFIED BY '${v}'`],
    ["alter user", (v) => `ALTER USER app WITH PASSWORD '${v}'`],
    ["netrc", (v) => `machine x.example login ada password ${v}`],
    ["npmrc", (v) => `//registry.example.com/:_authToken=${v}`],
    ["SAS", (v) => `https://x.blob.core.windows.net/c/f?sv=2022&sig=${v}%3D`],
    [
      "presigned",
      (v) => `https://b.s3.amazonaws.com/k?X-Amz-Date=1&X-Amz-Signature=${v}`,
    ],
    [
      "storage account",
      (v) => `AccountName=x;AccountKey=${v}==;EndpointSuffix=core.windows.net`,
    ],
    [
      "service bus",
      (v) =>
        `Endpoint=sb://x.example/;SharedAccessKeyName=Root;SharedAccessKey=${v}=`,
    ],
    ["ODBC", (v) => `Driver=x;Server=db;Uid=app;Pwd=${v};`],
    [
      "kubeconfig",
      (v) => `users:\n- name: a\n  user:\n    client-key-data: ${v}`,
    ],
    [
      "docker config",
      (v) => `{"auths":{"x.example":{"auth":"${encodeBase64("ci:" + v)}"}}}`,
    ],
    ["Kubernetes Secret", (v) => `kind: Secret\ndata:\n  password: ${v}`],
    ["aws configure", (v) => `aws configure set aws_secret_access_key ${v}`],
    ["query of a key", (v) => `GET /v1/x?api_key=${v}&page=2`],
    ["dd api key", (v) => `dd-api-key: ${v}`],
    ["Vault header", (v) => `X-Vault-Token: ${v}`],
    ["Oracle", (v) => `jdbc:oracle:thin:app/${v}@db:1521`],
    ["Redis ACL", (v) => `user app on >${v} ~* +@all`],
    ["piped", (v) => `echo ${v} | docker login -u ci --password-stdin`],
    ["piped to sudo", (v) => `echo "${v}" | sudo -S true`],
    ["piped to gh", (v) => `printf '${v}' | gh auth login --with-token`],
    ["bundler", (v) => `BUNDLE_GEMS__EXAMPLE__COM=${v}`],
    ["set password", (v) => `SET PASSWORD FOR app = '${v}'`],
    ["manifest", (v) => `kind: Secret\nmetadata:\n  name: x\ndata:\n  a: ${v}`],
    ["manifest in JSON", (v) => `{"kind":"Secret","data":{"a":"${v}"}}`],
    [
      "manifest, kind last",
      (v) => `data:\n  a: ${v}\nkind: Secret\n---\nkind: Job`,
    ],
    ["a user's token", (v) => `https://${v}:x-oauth-basic@git.example.com/x`],
    ["slash in a password", (v) => `postgres://app:${v}/x@db/x`],
    ["sign in a password", (v) => `postgres://app:${v}#x@db/x`],
    ["list", (v) => `tokens = ["${v}"]`],
    ["session", (v) => `Cookie: ${v}`],
    ["table", (v) => `| db password | ${v} |`],
    ["continued line", (v) => `curl -v \\\n  -u app:${v} https://x.example`],
    ["token as user", (v) => `curl -u ${v}: https://x.example`],
    ["net user", (v) => `net user ada ${v} /add`],
    ["net use", (v) => `net use Z: \\\\srv\\x ${v} /user:ada`],
    ["secure string", (v) => `ConvertTo-SecureString "${v}" -AsPlainText`],
    ["a call's credential", (v) => `new NetworkCredential("ada", "${v}")`],
    ["a call's login", (v) => `smtp.login("ada@x.example", "${v}")`],
    ["a pair for basic authentication", (v) => `get(u, auth=("ada", "${v}"))`],
    ["mysqli", (v) => `new mysqli("db", "root", "${v}", "shop")`],
    ["PDO", (v) => `new PDO("mysql:host=db", "root", "${v}")`],
    ["mysql, quoted", (v) => `mysqldump -u root -p'${v}' shop`],
    ["mysql, listed", (v) => `["mysql", "-uroot", "-p${v}"]`],
    ["mysql, audited", (v) => `argc=3 a0="mysql" a1="-uroot" a2="-p${v}"`],
    ["7z", (v) => `7z x -p${v} a.7z`],
    ["zip", (v) => `zip -P ${v} a.zip b`],
    ["lftp", (v) => `lftp -u ada,${v} sftp://x.example`],
    ["openssl enc", (v) => `openssl enc -aes-256-cbc -k ${v} -in x`],
    ["expdp", (v) => `expdp system/${v}@orcl full=y`],
    ["rabbitmqadmin", (v) => `rabbitmqadmin -u app -p ${v} list queues`],
    ["mosquitto", (v) => `mosquitto_pub -u a -P ${v} -t x`],
    ["useradd", (v) => `useradd -p ${v} ada`],
    ["chpasswd, piped", (v) => `echo 'root:${v}' | chpasswd`],
    ["cryptsetup", (v) => `echo -n ${v} | cryptsetup open /dev/sda x -`],
    ["expect", (v) => `expect "Password:" { send "${v}\\r" }`],
    ["identified by, bare", (v) => `ALTER USER app IDENTIFIED BY ${v};`],
    [
      "insert",
      (v) => `INSERT INTO users (name, password) VALUES ('ada', '${v}')`,
    ],
    ["pgpass", (v) => `db.example:5432:shop:app:${v}`],
    ["Cisco", (v) => `username admin password 0 ${v}`],
    ["SNMP community", (v) => `snmp-server community ${v} RO`],
    ["haproxy", (v) => `stats auth admin:${v}`],
    ["squid", (v) => `cache_peer p parent 3128 0 login=ada:${v}`],
    ["kickstart", (v) => `rootpw --plaintext ${v}`],
    ["Redis, AUTH", (v) => `AUTH default ${v}`],
    ["FTP", (v) => `USER ada\r\nPASS ${v}\r\n`],
    ["IMAP", (v) => `a1 LOGIN ada ${v}`],
    ["unseal", (v) => `vault operator unseal ${v}`],
    ["unseal key", (v) => `Unseal Key 1: ${v}`],
    ["here string", (v) => `gh auth login --with-token <<< ${v}`],
    ["wandb", (v) => `wandb login ${v}`],
    ["pulumi", (v) => `pulumi config set --secret key ${v}`],
    ["consul", (v) => `consul kv put app/password ${v}`],
    ["bindpw", (v) => `bindpw ${v}`],
    ["key provided", (v) => `Incorrect API key provided: ${v}`],
    ["password for", (v) => `Password for ada: ${v}`],
    ["Spanish", (v) => `contraseña: ${v}`],
    ["French", (v) => `mot de passe : ${v}`],
    ["Russian", (v) => `пароль: ${v}`],
    ["Chinese", (v) => `密码：${v}`],
    ["Japanese", (v) => `パスワード=${v}`],
    ["Honeycomb header", (v) => `x-honeycomb-team: ${v}`],
    ["code of OAuth", (v) => `https://x.example/cb?code=${v}&state=a`],
    ["passphrase of two words", () => `passphrase="correct horse"`],
    ["redis config", (v) => `requirepass ${v}`],
    [
      "WireGuard",
      (v) => `[Interface]\nPrivateKey = ${v}=\nAddress = 10.0.0.1/24`,
    ],
  ] as [string, (v: string) => string][]).map(([name, write]) => ({
    name,
    make: (r: Random) => write(secretFor(name, r)),
    core: (made: string) => coreOf(made),
  })),
];

function secretFor(name: string, r: Random): string {
  if (name === "presigned") return r.hex(64);
  if (name.startsWith("unseal") || name === "wandb") return r.of(any, 40);
  if (name.startsWith("storage") || name === "WireGuard") return r.of(any, 43);
  return "Zq7" + r.of(any, 17) + "9K";
}

/** What stands out of the frame: the longest run of letters and digits. */
function coreOf(made: string): string {
  if (made.includes("correct horse")) return "correct horse";
  return made.match(/[A-Za-z0-9]+/g)!.reduce((a, b) =>
    b.length > a.length ? b : a
  );
}

/** What only its name gives away: names as vendors and teams use them. */
const NAMED: [called: string, make: (r: Random) => string][] = [
  ...[
    "db password",
    "pgpassword",
    "smtp pass",
    "mysql pwd",
    "admin passwd",
    "keystore passphrase",
    "root password",
    "redis password prod",
    "ldap bind password",
    "ansible become pass",
  ].map((called) =>
    [called, (r: Random) => "Xk4" + r.of(any, 9) + "z7"] as [
      string,
      (r: Random) => string,
    ]
  ),
  [
    "user password",
    (r) => r.of(letters.toLowerCase(), 5) + "-" + r.of(digits, 4) + "X",
  ],
  [
    "service password",
    (r) => `${r.of(any, 4)}!${r.of(digits, 3)}#${r.of(any, 4)}`,
  ],
  ...[
    "adafruit",
    "algolia",
    "asana",
    "bitbucket",
    "codecov",
    "coinbase",
    "confluent",
    "contentful",
    "datadog",
    "discord",
    "drone",
    "dropbox",
    "etsy",
    "fastly",
    "finnhub",
    "flickr",
    "freshbooks",
    "gitter",
    "gocardless",
    "hetzner",
    "hubspot",
    "ibm cloud",
    "jira",
    "kraken",
    "kucoin",
    "linkedin",
    "linode",
    "mailjet",
    "mattermost",
    "meraki",
    "messagebird",
    "mistral",
    "nytimes",
    "opsgenie",
    "pagerduty",
    "plaid",
    "privateai",
    "rapidapi",
    "rollbar",
    "sendbird",
    "snyk",
    "splunk",
    "squarespace",
    "sumologic",
    "travis",
    "trello",
    "twitch",
    "twitter",
    "vultr",
    "yandex",
    "zendesk",
  ].map((vendor, at) => {
    const what = [
      "api token",
      "access token",
      "api key",
      "client secret",
      "secret key",
      "auth token",
    ][at % 6]!;
    const shapes: ((r: Random) => string)[] = [
      (r) => r.hex(32),
      (r) => r.of(lower, 40),
      (r) => r.of(any, 24),
      (r) => r.uuid(),
      (r) => r.hex(64),
      (r) => r.of(any + "-_", 43).replace(/[_-]$/, "x").replace(/^[_-]/, "x"),
    ];
    const make = shapes[(at + Math.floor(at / 6)) % 6]!;
    return [`${vendor} ${what}`, make] as [string, (r: Random) => string];
  }),
  ["secret key base", (r) => r.hex(128)],
  ["session secret", (r) => r.of(any, 32)],
  ["jwt secret", (r) => r.of(any, 48)],
  ["signing key", (r) => r.of(any, 43)],
  ["encryption key", (r) => r.hex(64)],
  ["dd app key", (r) => r.hex(40)],
  ["account key", (r) => r.of(any, 86) + "=="],
  ["aws secret access key", (r) => r.of(any + "+/", 40).replace(/[+/]/g, "k")],
  ["webhook secret", (r) => r.of(any, 32)],
  ["bot token", (r) => r.of(any, 32)],
  ["deploy tokens", (r) => r.of(any, 30)],
  ["api keys", (r) => r.of(any, 32)],
  ["registry credentials", (r) => r.of(any, 28)],
  [
    "license key",
    (r) =>
      [5, 5, 5, 5].map((n) => r.of(letters + digits, n - 1) + "7").join("-"),
  ],
];

/** Every kind: by form, by address, by structure, by name. */
export const KINDS: readonly Kind[] = [
  ...FORMS.map(({ vendor, what, shape }) => ({
    name: `${vendor}: ${what}`,
    make: (r: Random) => sampleOf(shape, r),
  })),
  ...URLS.map(({ vendor, what, host, path }) => ({
    name: `${vendor}: ${what}, address`,
    make: (r: Random) => {
      const front = host === ""
        ? "chat.example.com"
        : host.startsWith(".")
        ? `a1${host}`
        : host;
      return `https://${front}${sampleOf(path, r)}`;
    },
    core: (made: string) => made.slice(made.indexOf("/", 8)),
  })),
  ...STRUCTURES,
  ...NAMED.map(([called, make]) => ({
    name: `named: ${called}`,
    called,
    make,
  })),
];
