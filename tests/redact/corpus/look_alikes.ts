/**
 * What looks like a credential and is none.
 *
 * @module
 */

const WORDS = `
AKIA is not a key
AKIAXXXXXXXXXXXXXXXX
ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
xoxb-xxxxxxxxxxxx-xxxxxxxxxxxx
glpat-XXXXXXXXXXXXXXXXXXXX
sk_live_...
sk-...
sk-learn-contrib-estimators
sk-SK locale is missing
npm_config_registry=https://registry.example.com
npm_lifecycle_event=build
npm_package_dependencies_left_pad_version
hf_transformers_cache_directory_size
pul-requests
dapiVersion
SG.Singapore.AsiaPacific
AIza
eyJ is how a JWT begins
eyJhbGciOi...
hvs. is a prefix
dp.pt. is a prefix
https://hooks.slack.com/
https://discord.com/channels/1/2/3
https://events.pagerduty.com/v2/enqueue
https://api.telegram.org/bot<token>/sendMessage
https://example.com/hooks/
https://outlook.office.com/mail/inbox
postgres://localhost:5432/checkout
postgres://user@localhost/checkout
postgres://user:\${DB_PASSWORD}@localhost/checkout
postgres://user:***@localhost/checkout
postgres://{{user}}:{{password}}@localhost/checkout
https://example.com:8443/@ada/profile
https://medium.com/@ada/redis-outage-5f3a
user@example.com:22
redis://art:9e6f751b-8560-457d-9169-a49fcfaadd5a
password=\${DB_PASSWORD}
password=$DB_PASSWORD
password="{{ .Values.db.password }}"
password=%DB_PASSWORD%
password=%(password)s
password=%s
password=********
password=<password>
password=[redacted]
password=
password=""
password=''
password = None
password = null;
password: ~
password: ""
password=process.env.DB_PASSWORD
password=os.environ["DB_PASSWORD"]
password = getpass.getpass()
password = config.get("password")
password: str
password: string;
password!: string
password?: string
password: Option<String>,
password VARCHAR(255) NOT NULL
passwordField.setText("")
passwordEncoder=bcrypt
password_policy=strong
password_hash_algorithm=argon2id
password-reset=enabled
passwordConfirmation: required
PasswordAuthentication no
PasswordAuthentication: yes
pass=true
passthrough=enabled
token=\${TOKEN}
token: \${{ secrets.GITHUB_TOKEN }}
token: ((github-token))
token=$(cat /var/run/secrets/token)
token=$(vault read -field=token secret/x)
token="$TOKEN"
token=<your token>
token=YOUR_TOKEN
token=your-token-here
token=YOUR_API_TOKEN_HERE
api_key=YOUR_API_KEY
api_key="<API_KEY>"
api_key="xxxxxxxxxxxxxxxxxxxx"
api_key=self.api_key
apiKey: process.env.API_KEY
apiKey={apiKey}
api_key: {{ api_key }}
api_key=settings.API_KEY
"api_key": "required"
tokenizer=whitespace
tokenizer: icu_tokenizer
token_type=bearer
token_count=1024
tokens=512
tokens_used: 12
max_tokens: 4096
next_page_token=
nextPageToken: null
page_token=0
pageToken=5
continuationToken: none
continue_token_expired=true
csrf_token: missing
secretName: checkout-tls
secretName=shop/checkout-tls
secret: checkout-tls
secret=shop/checkout-tls
kube_secret_info{secret="payments-db-tls",namespace="shop"}
kube_secret_type{secret="payments-db-tls",type="kubernetes.io/tls"} 1
secretKeyRef: {name: checkout-db, key: url}
secretRef: name: checkout-db
secrets: inherit
secret_version=7
secret-store=vault
external-secrets=1.2.3
imagePullSecrets: [{name: registry-pull}]
webhook: validate.kyverno.svc
webhook_name=validate.kyverno.svc
apiserver_admission_webhook_rejection_count{name="validate.kyverno.svc"}
secret_key=tls.key
key=checkout-latency
key: checkout/latency
keys=17
keyboard=us
keyspace=checkout
key_prefix="cache:checkout:"
primary_key=id
foreign_key: customer_id
partition_key=customer
sort_key=created_at
cache_key=5e3c6d079dc4eda65e3c6d079dc4eda6
cache key: 9e6f751b-8560-457d-9169-a49fcfaadd5a
dedup_key=5e3c6d079dc4eda65e3c6d079dc4eda6
dedup_key: 9e6f751b-8560-457d-9169-a49fcfaadd5a
groupKey="{}:{alertname=\\"HighLatency\\"}"
idempotency_key=9e6f751b-8560-457d-9169-a49fcfaadd5a
public_key=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A
ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJf0eGl2ZSBhIGxvb2sgYXQgdGhpcyBrZXk ada@example.com
publicKey: ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ
-----BEGIN PUBLIC KEY-----
-----BEGIN CERTIFICATE-----\\nMIIBhTCCASugAwIBAgIQ
-----BEGIN PGP PUBLIC KEY BLOCK-----
-----BEGIN PGP SIGNED MESSAGE-----
key_fingerprint=SHA256:5PzZzY1Zt8sM8xQqPp3o0o4J7m9Yl1b3dQ2n8r6s4Vw
auth=ldap
auth: basic
auth=none
auth_mode=scram
auth_url=https://login.example.com/oauth2
authority=https://login.example.com
author=Ada Lovelace
author: ada
authors="Ada, Grace"
authentication=kerberos
Authorization: Bearer \${TOKEN}
Authorization: Bearer <token>
Authorization: Basic <credentials>
Authorization: Bearer $TOKEN
Authorization: Bearer {{token}}
Authorization: missing
authorization_code=disabled
Bearer token
bearer authentication
Bearer error="invalid_token"
Basic information about checkout
basic monitoring
basic_auth: enabled
Basic plan
Cookie: none
cookie_name=session
cookie_domain=example.com
Set-Cookie: missing
session=expired
session_timeout=3600
sessions=120
signature=invalid
signature_version=4
signatureMethod=HMAC-SHA256
X-Amz-Algorithm=AWS4-HMAC-SHA256
X-Amz-Date=20261115T104200Z
X-Amz-Expires=3600
X-Amz-SignedHeaders=host
sig=none
significant=true
design=new
pin=17
pinned=true
spin=3
pingInterval=30
opinion=none
salt=default
hash=5e3c6d079dc4eda65e3c6d079dc4eda65e3c6d07
commit=5e3c6d079dc4eda65e3c6d079dc4eda65e3c6d07
checksum=sha256:5e3c6d079dc4eda65e3c6d079dc4eda65e3c6d079dc4eda65e3c6d079dc4eda6
etag="5e3c6d079dc4eda65e3c6d079dc4eda6"
trace_id=5e3c6d079dc4eda65e3c6d079dc4eda6
client_id=checkout-web
client_id=9e6f751b-8560-457d-9169-a49fcfaadd5a
account_id=111122223333
tenant_id=9e6f751b-8560-457d-9169-a49fcfaadd5a
subscription=9e6f751b-8560-457d-9169-a49fcfaadd5a
arn:aws:iam::111122223333:role/checkout
arn:aws:secretsmanager:eu-west-1:111122223333:secret:checkout-AbCdEf
arn:aws:kms:eu-west-1:111122223333:key/9e6f751b-8560-457d-9169-a49fcfaadd5a
vault:secret/data/checkout#password
vault kv get secret/checkout
op://vault/item/password
projects/1/secrets/checkout/versions/latest
ref+vault://secret/checkout#password
file:/run/secrets/db_password
/run/secrets/db_password
/etc/ssl/private/server.key
--password-stdin
--password-file /run/secrets/db
--password
--token-file=/var/run/token
--secret-name checkout
--api-key-id 7
-p 8080:80
docker run -p 8080:80 checkout
ssh -p 2222 host
mkdir -p /var/lib/x
curl -u user https://example.com
curl -u "$USER:$PASS" https://example.com
curl -u user:\${PASS} https://example.com
curl --user-agent checkout/1.2 https://example.com
ps -u root
mysql -u app -p checkout
sshpass -e ssh host
sshpass -f /run/pass ssh host
machine example.com login ada
credential.helper=store
credentials=include
credentials: same-origin
credentials_provider=default
access_key_count=3
access_key_age=90
AWS_ACCESS_KEY_ID is not set
aws_secret_access_key is not set
AccountKey is missing
license_key_type=trial
encryption_key_rotation=enabled
private_key_file=/etc/tls/server.key
private_key: /etc/tls/server.key
client_secret_expires_at=0
client_secret_basic
token_endpoint_auth_method=client_secret_post
grant_type=password
grant_type=refresh_token
response_type=token
subject_token_type=urn:ietf:params:oauth:token-type:jwt
scope=read:tokens
tokenUrl: https://login.example.com/oauth2/token
secretsmanager:GetSecretValue
secretsmanager.eu-west-1.amazonaws.com
kms:Decrypt
s3://bucket/keys/checkout.json
gs://bucket/tokens/2026/11/15
github.com/example/secret-operator v1.2.3
ghcr.io/example/token-service:1.2.3
quay.io/example/vault-secrets@sha256:5e3c6d079dc4eda65e3c6d079dc4eda65e3c6d079dc4eda65e3c6d079dc4eda6
secret-sync-7d9f8b6c5-x2x9z
token-service-6c8d9f7b5d-kq2vw
password-reset-worker-0
tokens-v2.shop.svc.cluster.local
password.example.com
auth.example.com:8443
sum(rate(token_refresh_errors_total[5m])) by (token_type) > 5
rate(auth_failures_total{reason="password"}[5m]) > 1
up{job="secret-operator"} == 0
{{ $labels.secret }} is missing
label_replace(x, "token", "$1", "job", "(.*)")
absent(token_age_seconds)
password[0-9]+
/token=([^&]+)/
s/password=.*/password=XXX/
if [ -z "$PASSWORD" ]; then
echo "PASSWORD is required"
test -n "$TOKEN"
export TOKEN
unset PASSWORD
read -s PASSWORD
printf "%s" "$PASSWORD"
SELECT password FROM users
UPDATE users SET password = ?
WHERE token = $1
INSERT INTO tokens (token) VALUES (?)
ALTER USER app WITH PASSWORD :'password'
CREATE ROLE app LOGIN
IDENTIFIED BY ?
const { password } = req.body
function token(a, b) {
class Token {
type Secret = string
import secrets
from auth import token
require("token")
t.token.value
this.token = token;
return password == other.password
assert token is not None
password is None
passwords match
token, err := parse(text)
secret, ok := m["secret"]
api_key, _ = os.LookupEnv("API_KEY")
new Password(value)
Password.verify(hash)
`.trim().split("\n");

/** Each stands as it is in a field. */
export const LOOK_ALIKES: readonly string[] = WORDS;
