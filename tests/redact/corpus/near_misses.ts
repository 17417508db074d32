/**
 * The harmless neighbours of what the rules look for: the same names, operators
 * and commands, and no credential.
 *
 * @module
 */

/** Each must stay; a line that is indented belongs to the one before it. */
export const NEAR_MISSES: readonly string[] = `
password: required
password is required
token expired
secret not found
api_key rotated by ada
secretName: payments-db-tls
tokenCount: 4096
password_policy=strong
next_page_token
password:
  required: true
password:
  minLength: 12
token:
  expired yesterday
secret:
  checkout-tls
secrets:
  - checkout-tls
  - shop/db-creds
tokens: ["read", "write"]
secrets: ["payments-db-tls", "ingress-tls-2"]
imagePullSecrets: ["registry-pull", "registry-pull-2"]
passwords = ["required", "optional"]
keys: ["user-1", "user-2"]
<th>Password</th><td>required</td>
<label>Password</label><p>must have 12 characters</p>
<key>Token</key><string>expired</string>
<dt>secret</dt><dd>payments-db-tls</dd>
<td>API key</td><td>missing</td>
name="password" required
{"field":"password","content":"too short"}
{"id":"password","text":"Password"}
{"label":"Password","value":"required"}
{"name":"password","in":"query","required":true}
{"parameter":"token","value":"expired"}
["password","required"]
["token","expired"]
["secret","payments-db-tls"]
password for ada: expired
password for user ada: rejected
Password for replica-2: rotated
API key provided: none
token used: bearer
key is: tenant-42
**Password:** required
*token*: expired
**Secret:** payments-db-tls
password → required
token → expired
state: pending -> running
secret: a-tls -> b-tls
secret = "checkout-tls-v1" -> "checkout-tls-v2"
password changed -> ok
token = null -> (known after apply)
password = (sensitive value)
~ password = (sensitive value) -> (sensitive value)
db_password = <sensitive>
password_confirmation: does not match
password_confirmation is missing
password confirmation failed
confirm password: no match
(token, "expired")
log(password, "required")
{password, undefined}
{token, expired}
t("password", "required")
Field("token", "must not be empty")
password := os.Getenv("DB_PASSWORD")
password = Some(password)
token: Some("expired")
let token = String::from("expired");
let password = String::new();
Token::Expired
Secret::NotFound(name)
password::validate
auth::Token::parse
token::verify failed
password = q{}
password = [[]]
password = <<EOT
Pwd={password};
password={password}
token={token}
url = f"https://x?token={token}"
Dim password As String
password As String = null
MOUNT DB_PASSWORD from vault
DB_PASSWORD missing
DB_PASSWORD not set
env DB_PASSWORD is unset
ENV DB_PASSWORD required
The variable API_TOKEN expired
set password policy
set DB_PASSWORD first
enable password rotation
enable password encryption
user ada password expired
user ada password reset
username admin password 0 attempts
password 7 days old
password 3 times wrong
secret 5 of 9 synced
token 2 of 3
key 3 of 5 on ip-10-0-1-17
token                expires
token   ttl   768h
the password is wrong
the password is expired since Monday
password was rotated
password is case-sensitive
the token is valid until 2026-12-01
token is of type bearer
key is foreign
code=500
code=E1234
status_code=503
error_code=ER_ACCESS_DENIED_ERROR
?code=404&state=open
grpc code=Unavailable desc=connection
code = DeadlineExceeded
exit code=137
?key=checkout
?key=user:42
&key=region
?sig=2
GET /api/v1/x?key=orders&page=2
cache key=orders:42:lines
partition key 7
sort key order_id
honeycomb-team: payments
x-honeycomb-dataset: checkout
sonar.login=admin
sonar.host.url=https://sonar.example.com
unseal key required
vault is sealed; unseal key 1 of 3
Unseal Progress 1/3
certificate key mismatch
ssl_certificate_key /etc/nginx/tls/tls.key;
certificate_key: tls.key
validation key=required
net user ada /add
net use failed with 53
mysql -u root -p shop
mysql -p
mysqldump -uroot -p --all-databases
mysqladmin -u root -p status
redis-cli -a
AUTH failed: WRONGPASS invalid username-password pair
AUTH default failed
> AUTH called without any password configured
ERR AUTH <password> called
openssl enc -aes-256-cbc -in x -out y
openssl s_client -connect db.example:5432 -servername db
7z x backup-2026.7z
7z x -p a.7z
zip -r a.zip b
unzip -P
unrar x -p- a.rar
tar -xpzf backup.tar.gz
lftp -u ada sftp://x.example
rabbitmqctl list_users
rabbitmqadmin -u app list queues
mosquitto_pub -p 1883 -t x
useradd -m ada
useradd -p
echo done | tee /tmp/x
echo ok | chpasswd
cat creds | chpasswd
cryptsetup open /dev/sda x
ConvertTo-SecureString -AsPlainText -Force
ConvertTo-SecureString $env:DB_PASSWORD -AsPlainText
Get-Credential -UserName sa
New-Object NetworkCredential
new NetworkCredential(user, password)
new mysqli($host, $user, $pass, $db)
new PDO($dsn, $user, $password)
new PDO("mysql:host=db;dbname=shop", "root", "")
DBI->connect($dsn, $user, $password)
db.auth(user, pwd)
smtp.login(user, password)
login("ada", "required")
requests.get(url, auth=(user, password))
auth=("user", "pass")
Credentials("realm", "host", "user", "password")
CREATE USER app IDENTIFIED BY password;
ALTER USER app IDENTIFIED EXTERNALLY
IDENTIFIED BY VALUES
ALTER ROLE app WITH PASSWORD NULL
INSERT INTO users (name, password) VALUES ($1, $2)
INSERT INTO users (name, password) VALUES (?, ?)
INSERT INTO events (id, token_count) VALUES (1, 4096)
db:5432:connection:refused:now
10.0.0.5:5432:shop:app:retry
*:*:*:*:*
stats auth enabled
stats auth admin:required
login=ada
login=ada:expired
snmp-server community required
snmp-server enable traps
rootpw required
rootpw --lock
bindpw missing
vault operator unseal failed
vault operator unseal
wandb login failed
snyk auth failed
influx -t
codecov -t required
pulumi config set region eu-west-1
pulumi config set --secret dbPassword
gh auth login --with-token < token.txt
docker login --password-stdin
send "hello"
expect "Password:" { send "yes" }
untrusted comment: minisign public key
Rotating token for build-2026.11.4
password hash algorithm is argon2id
token bucket size 4096
tokens per minute: 90000
max_tokens=4096
prompt_tokens: 812, completion_tokens: 120
cancellation token triggered
cookie consent banner
cookie: none
session: 8 hours
session 42 closed
auth: disabled
auth=oidc
auth method: kubernetes
authorization: denied
Authorization header missing
authorization policy shop/allow-ingress
X-Request-Id: 7f9c2b1e
etag: "5d41402abc4b2a76b9719d911017c592"
ETag: W/"33a64df551425fcc55e4d42a148795d9f25f89d4"
image: registry.example.com/shop@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
checksum sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b
traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
trace_id=4bf92f3577b34da6a3ce929d0e0e4736
idempotency-key: 3b1f8a52-7c4e-4d19-9a60-5e2d7f81c0b4
session affinity None
primary key 3b1f8a52-7c4e-4d19-9a60-5e2d7f81c0b4
key: 3b1f8a52-7c4e-4d19-9a60-5e2d7f81c0b4 not found
object key 2026/11/29/orders-3b1f8a52.json
partition_key=tenant-42
pod token-service-7d9f8b6c5-x2x9z restarted
secret payments-db-tls-v2 not found
secret shop/checkout-db-2 updated
password secret checkout-db-2 is missing
credentials secret: aws-creds-prod
secretRef: {name: checkout-db}
secretKeyRef:
  name: checkout-db
  key: password
existingSecret: checkout-redis-2
tlsSecret: checkout-tls-2026
tokenFile: /var/run/secrets/token
password_file=/run/secrets/db_password
key_file: /etc/ssl/private/tls.key
webhook checkout-validator.example.com failed
webhook: checkout-mutator
hmac verification failed
signature: invalid
signature mismatch for release v2.3.1
salt=on
seed=42
pin=3
pin: pinned to v1.2.3
otp: required
pat: patched
sid=shop
SID: ORCL
jwt: expired
dsn=missing
DSN not configured
bearer token missing
Bearer authentication required
Basic auth enabled
mot de passe : obligatoire
contraseña: incorrecta
senha: obrigatória
пароль: неверный
密码：错误
wachtwoord: verplicht
`.trim().split(/\n(?! )/);
