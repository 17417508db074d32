/**
 * What people who run services write about credentials without spelling one.
 *
 * @module
 */

import { LOG_LINES } from "./log_lines.ts";
import { NEAR_MISSES } from "./near_misses.ts";

/** Written one by one. */
const LINES = `
secret: payments-db-tls not found
secret: shop/checkout-tls does not exist
token: unexpected end of JSON input
Basic authentication failed for 3 users
password: required field is missing
next_page_token: empty, so this was the last page
Basic availability of checkout below 95%
bearer token expired two minutes ago
the token has expired; ask the platform team for a new one
Token validation failed: signature is invalid
Token: expired
Password: incorrect
password: must contain at least 12 characters
password policy requires 12 characters and a symbol
passwords rotate every 90 days
the password for the replica was rotated during the incident
Secrets of namespace payments are not mounted
secret "payments-db-tls" not found
MountVolume.SetUp failed for volume "certs" : secret "ingress-tls" not found
Error: secret "registry-pull" not found in namespace "shop"
couldn't find key password in Secret shop/checkout-db
couldn't find key tls.crt in Secret shop/checkout-tls
references non-existent secret key: tls.key
failed to sync secret cache: timed out waiting for the condition
secret store "vault-backend" is not ready
ExternalSecret shop/checkout: could not get secret data from provider
SealedSecret cannot be decrypted: no key could decrypt secret
imagePullSecrets: registry-pull is missing
secretName: checkout-tls
secretKeyRef: name checkout-db, key url
tokenReview failed: unauthorized
service account token for shop/checkout could not be mounted
access token lifetime is 3600 seconds
refresh token reuse detected, session ended
id token issuer does not match
JWT expired at 10:42
JWT: signature verification failed
jwt audience invalid. expected: checkout
API key not valid. Please pass a valid API key.
API key: missing
api key quota exceeded for project checkout
no api_key given
x-api-key header is required
Authorization header is missing
Authorization: required
authorization failed for user in group oncall
authorization: denied by policy allow-internal
Authentication: failed
auth: unauthorized
auth: backend ldap is down
auth service is degraded in eu-west-1
auth_type: basic
basic auth is disabled on the proxy
Basic realm="metrics"
WWW-Authenticate: Bearer realm="registry", error="invalid_token"
Bearer authentication required
Bearer realm mismatch
bearer tokens are not accepted on this port
Bearer: missing
the bearer of this message is the on-call engineer
Cookie: missing
cookies are rejected by the proxy
cookie: domain mismatch
session cookie was not sent
session: expired
session_id missing from request
passphrase: not set
passphrase for key '/etc/ssh/id_ed25519': required
private key does not match the certificate
private key: no start line
private_key_path: /etc/tls/server.key
unable to load private key
-----BEGIN CERTIFICATE----- line missing
expected -----BEGIN PRIVATE KEY----- but found nothing
tls: failed to find any PEM data in key input
tls: private key does not match public key
ssh: handshake failed: unable to authenticate, attempted methods [none publickey]
ssh key rotation is due on Friday
access key rotation: overdue
access key last used 40 days ago
AKIA is how an access key id begins
keys expire soon
key: not found
key "replicas" is not valid
keyspace checkout has 3 replicas
primary key: id
foreign key constraint fails
partition key: customer
cache key collision in shard 4
the cache key is built from tenant and path
key=value pairs expected
key: value
keyboard: us
monkey: patched
compass: north
bypass=true
bypass: enabled
trespass: no
passed: 12, failed: 3
pass: 17 of 20 checks
passes: 3
passive: true
passenger count: 12
2 passes of the compactor
tokenizer: whitespace
tokens: 4096
token_count: 512
max_tokens: 2048
max_tokens=1024 exceeded
total_tokens=8192
token bucket is empty
token bucket: 50 of 100
rate limit tokens left: 3
lock token: stale
fencing token is older than the lease
leader election token lost
cancellation token was triggered
CSRF token mismatch
csrf token: missing
continue token: expired, please list again
continue token is too old: the provided continue parameter is too old
token type: bearer
token_type: bearer
token_endpoint: https://login.example.com/oauth2/token
tokens per second: 41
unexpected token < in JSON at position 0
SyntaxError: Unexpected token } in JSON at position 42
Unexpected token: punc ())
unexpected token: "end of file"
parser error: token ';' expected
invalid token: line 3, column 9
credential helper exited with 1
credentials: not found
Unable to locate credentials
no credentials in keystore
credentials for registry.example.com are missing
credential rotation: overdue
invalid credentials
access denied: wrong credentials
vault: permission denied
vault is sealed
Vault token renewal failed: permission denied
vault secrets engine: disabled
secrets manager: throttled
secret rotation: failed
secret rotation lambda timed out after 3 tries
secret version: 7
secret type: kubernetes.io/tls
secrets: 12
secret count: 14
secretary: absent
signature: mismatch
signature mismatch for request
signature: verification failed for image checkout
signing key: not yet valid
signing key rotated, caches are stale
encryption key: unavailable
encryption key is disabled in KMS
KMS key: pending deletion
kms key arn:aws:kms:eu-west-1:111122223333:key/checkout is disabled
pin: 4 of 17
pin the version
pinned: true
otp: required
OTP: expired
one-time password: expired
webhook: validate.kyverno.svc
webhook: deadline exceeded
webhook url: unreachable
admission webhook "validate.kyverno.svc" denied the request
failed calling webhook "mutate.example.com": context deadline exceeded
the webhook receiver answered with 403
password authentication failed for user "checkout"
FATAL: password authentication failed for user "app"
Access denied for user 'app'@'10.0.0.7' (using password: YES)
using password: NO
WRONGPASS invalid username-password pair or user is disabled.
NOAUTH Authentication required.
-NOPERM this user has no permissions
ERR AUTH <password> called without any password configured
AUTH failed: WRONGPASS
requirepass is not set
password file is world-readable
password_file: /run/secrets/db
PASSWORD_FILE=/run/secrets/db
token_file: /var/run/token
tokenPath: /var/run/token
secretsPath=/etc/secrets
password reset mails are delayed
password reset: 300 requests a minute
password change: failed
login: password wrong
user asked for a password twice
use --password to set it
the flag --token is not known
unknown flag: --password
flag --api-key needs an argument
missing --secret option
--password: expected a value
--token must not be empty
run it with --password or --token
set DB_PASSWORD and try again
DB_PASSWORD: not set
DB_PASSWORD is unset
DB_PASSWORD= is empty
env DB_PASSWORD=\${DB_PASSWORD} is not expanded
DB_PASSWORD=$DB_PASSWORD
password=*** host=db
password=<redacted> host=db
password=REDACTED host=db
password: [hidden]
password=null host=db
token=undefined in the query
secret=none
api_key=%s could not be formatted
token={{ .Values.token }} was not rendered
password="\${var.password}" is not set
api_key=os.environ["API_KEY"] failed
token=getToken() returned nothing
login(user=user, password=password) raised
config.password is deprecated
process.env.API_TOKEN is undefined
settings.SECRET_KEY must not be empty
field "password" is required
fields "password", "token" and "secret" are required
unknown field "token"
"password" is not allowed here
"token": expected string, got null
{"error":"invalid_token","error_description":"The token expired"}
{"password":null}
{"token":""}
error: token, secret and password are required
x509: certificate signed by unknown authority
certificate for checkout.example.com expires in 7 days
certificate: expired
dsn: missing
SENTRY_DSN is not set
sas token has expired
SAS: not yet valid
Key Vault is throttled
key vault: firewall blocks this address
oauth2: cannot fetch token: 400 Bad Request
oauth2: token expired and refresh token is not set
oauth: invalid_grant
client secret expired last Tuesday
client_secret: expired
client secret: will expire in 14 days
app secret rotation is blocked
AADSTS7000222: The provided client secret keys are expired
2FA: required
two-factor token wrong
please enter your password
Enter passphrase for key
Password:
password :
token :
secret:
api_key:
Cookie:
Authorization:
password -> token
secret => mounted
token = string
password = string
password: string
secret: Secret
token: Token
password: Optional[str] = None
def login(user: str, password: str) -> Session
function check(token: string): boolean
const token = await getToken();
if (token === undefined) return;
if (password == null) throw new Error("no password");
return token !== expected;
token := os.Getenv("TOKEN")
password := cfg.Password
let secret = secrets.get("db");
kubectl get secret checkout-tls -n shop
kubectl create token checkout
kubectl describe secret payments-db-tls
kubectl -n vault exec vault-0 -- vault status
helm upgrade --set auth.existingSecret=checkout-redis
existingSecret: checkout-redis
auth.enabled=true
auth=ldap
auth=none
sasl.mechanism=PLAIN
ssl.keystore.location=/etc/kafka/keystore.jks
SASL authentication failed: bad credentials
kafka: client has run out of available brokers; SASL handshake failed
kerberos: ticket expired
ticket: INC-1042
keytab: /etc/krb5.keytab
NATS: authorization violation
nats: permissions violation for publish to "job.results"
grafana: invalid API key
datadog: API key is invalid, drop the payload
pagerduty: routing key invalid
routing key: checkout.orders
routing_key=orders.created queue=checkout
dedup_key: checkout/latency
dedup_key=checkout-latency-eu
group key: {alertname="HighLatency"}
idempotency key reused with another body
slack: invalid_auth
slack: token_revoked
github: Bad credentials
gitlab: insufficient_scope
deploy key: read only
deploy token expired
the pipeline trigger token was removed
npm ERR! need auth This command requires you to be logged in
docker login failed: unauthorized: incorrect username or password
denied: requested access to the resource is denied; authentication required
no basic auth credentials
ImagePullBackOff: no pull secret
docker: credsStore desktop
curl -u user https://example.com
curl: (67) Access denied: login denied
sshpass: not found
mysql -p asks for the password
mysql: [Warning] Using a password on the command line interface can be insecure.
psql: password supplied is empty
ldap: invalid credentials (49)
smtp: 535 authentication failed
imap: AUTHENTICATIONFAILED
hash: mismatch
salt: master is down
salt-minion: key rejected
salt key accepted
the license key expires tomorrow
license: expired
licence key: not found
activation key: none
secret santa list is full
the secret is out
keep it secret
an open secret
password manager: down
token ring
token effort
credit: low
credited: 12
authored by ada
author: ada
authority: root
authors: ada, grace
authn latency p99 800 ms
authz decision took 2 s
authenticated: false
authorized: 3
unauthorized: 17 requests
unauthorized_requests_total=17
auth_requests_total: 1042
token_refresh_failures_total: 12
token_refresh_errors=12
password_resets_total=300
secret_sync_errors_total=4
key_hits=9
keys_evicted: 1204
api_key_errors: 12
cookie_size_bytes: 4096
session_count=120
session_timeout=300s
token_ttl=3600
token_ttl: 1h
token-ttl: 24h
token_expiry=2026-11-15
token_expires_at: 2026-11-15T10:42:10Z
password_min_length: 12
password.length=8
secret_version=4
secret_arn=arn:aws:secretsmanager:eu-west-1:111122223333:secret:checkout
secret_name=checkout-db
secretRef: checkout-db
key_id: 7
key_name: checkout
key_type: rsa
key_path=/etc/tls/tls.key
key_file=/etc/tls/tls.key
key_size: 4096
keySize=2048
key_prefix=checkout:
api_key_id=checkout
credentials_file: /etc/creds.json
credential_type: workload
auth_method: kubernetes
auth_url: https://auth.example.com
authorization_endpoint=https://login.example.com/authorize
cookie_domain=.example.com
cookie_secure: true
passwordless: true
password_encryption: scram-sha-256
password_hash: missing
password_expired=false
`.trim().split("\n");

/** Who or what, in which sentence. */
const WHO = [
  "checkout",
  "the ingress of shop",
  "payments-api",
  "node ip-10-0-3-17",
  "job nightly-export",
  "the fraud worker",
  "cluster eu-1",
  "registry mirror",
  "mail relay",
  "the EU search index",
];
const SAYS: ((who: string) => string)[] = [
  (who) => `${who}: token: expired, retrying in 30s`,
  (who) => `${who} cannot read its secret: permission denied`,
  (who) => `login of ${who} failed, password: rejected by upstream`,
  (who) => `${who} logs "bearer token is malformed" 40 times a minute`,
  (who) => `api key: revoked; ${who} gets 401 since 10:42`,
  (who) => `${who}: x509 private key: permission denied`,
  (who) => `rotate the credentials: ${who} still uses the old ones`,
  (who) => `${who} waits for secret: not synced yet`,
  (who) => `Basic auth against ${who} answers 401`,
  (who) => `${who} said authorization: forbidden by rule deny-all`,
  (who) => `${who}: token = expired`,
  (who) => `${who} has password=required in its form`,
  (who) => `the session of ${who} ended, cookie: stale`,
  (who) => `${who}: signature=invalid after key rotation`,
  (who) => `secret of ${who} -> missing, token of ${who} => missing`,
  (who) => `in ${who} the passphrase is unknown, the pin is wrong`,
];

/** Lines that talk about credentials and hold none; each must stay. */
export const PROSE: readonly string[] = [
  ...new Set([
    ...LINES,
    ...LOG_LINES,
    ...NEAR_MISSES,
    ...SAYS.flatMap((say) => WHO.map(say)),
  ]),
];
