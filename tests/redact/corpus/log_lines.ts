/**
 * Lines of logs, configuration and code that speak of credentials and hold
 * none.
 *
 * @module
 */

/** Each must stay. */
export const LOG_LINES: readonly string[] = `
The secret 'checkout-db' in namespace shop was modified 3 times in the last hour
Vault: token renewal for role checkout-reader failed with 403 after 5m30s
cert-manager: secret checkout-tls-7f9c2 is missing tls.key
Failed to pull image "registry.example.com/shop/auth-service:v2.3.1": unauthorized: authentication required
pod token-service-7d9f8b6c5-x2x9z OOMKilled (limit 512Mi)
session affinity: ClientIP, session timeout 10800
Keycloak: user_not_found, realm=shop, client_id=checkout-web, auth_method=openid-connect
KafkaJS: SASL SCRAM-SHA-512 authentication failed: Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-512
error: failed to refresh token: oauth2: "invalid_grant" "Token has been expired or revoked."
OIDC: id_token iat 1763203329 is in the future (now 1763203300)
Rotate key 3 of 5 on ip-10-0-1-17 before 2026-12-01T00:00:00Z
password_attempts=5 user=ada result=locked
login attempts per user: 12; password errors: 9; token errors: 3
Alert: KubeSecretExpiringSoon secret=shop/checkout-tls days=6
secret/checkout-tls: expires at 2026-12-01
token bucket refill=10/s burst=200 key=ip
ratelimit: key=10.0.3.7 tokens=0 wait=1.2s
lock key locks/checkout/orders held by worker-7f9c since 10:42:10
redis: MISCONF key "session:42:cart" evicted
GET /api/v1/sessions/8c7d/token 401 12ms
POST /oauth2/token 503 upstream connect error
GET /v1/secrets?limit=50&page_token= 200
PUT /v2/keys/checkout/config?prevExist=true
certificate subject: CN=checkout.example.com, serial=04:e1:9c:52:aa:10
x509: certificate has expired or is not yet valid: current time 2026-11-15T10:42:10Z is after 2026-11-14T00:00:00Z
ssh: key fingerprint SHA256:uNiVztksCsDhcc0u9e8BrsxwlwJXm7ZTR0ZbGqKFCyE mismatch
git: commit 9fceb02d0ae598e95dc970b74767f19372d61af8 signed with key 4AEE18F83AFDEB23
deploy key checkout-ro lacks write permission on shop/checkout
API key usage 98% of quota for project shop-prod-1234
api_key_id=42 last_used=2026-11-15
key_id=7c9e6679-7425-40de-944b-e07fc1f90ae7 state=PendingDeletion
KMS key 7c9e6679-7425-40de-944b-e07fc1f90ae7 is disabled
kms_key_id = "arn:aws:kms:eu-west-1:111122223333:key/7c9e6679-7425-40de-944b-e07fc1f90ae7"
aws_kms_key.checkout: Modifying... [id=7c9e6679-7425-40de-944b-e07fc1f90ae7]
Terraform: sensitive value password will be (known after apply)
password = (sensitive value)
password: (sensitive)
token: (known after apply)
+ token = (known after apply)
- password: '{{ lookup("env", "DB_PASS") }}'
password: !vault |
password: "{{ vault_db_password }}"
password: \${DB_PASSWORD:-changeme}
token: \${{ secrets.DEPLOY_TOKEN }}
with: { token: \\\${{ github.token }} }
env: PASSWORD from secret checkout-db key password
valueFrom.secretKeyRef.key: password
--set auth.existingSecret=checkout-redis --set auth.existingSecretPasswordKey=redis-password
passwordSecretRef: {name: checkout-db, key: password}
tokenSecretRef: name: vault-token
authSecretName: checkout-auth
apiTokenSecretRef: cloudflare-api-token
privateKeySecretRef: letsencrypt-account-key
secretKeyRef.name=checkout-db, secretKeyRef.key=url
mountPath: /var/run/secrets/kubernetes.io/serviceaccount
serviceAccountToken: {path: vault-token, expirationSeconds: 7200, audience: vault}
automountServiceAccountToken: false
tokenRequests: [{audience: vault}]
ssl_certificate_key /etc/nginx/tls/tls.key;
auth_request /oauth2/auth;
proxy_set_header Authorization "";
proxy_set_header X-Auth-Token $http_x_auth_token;
auth_basic "Restricted";
auth_basic_user_file /etc/nginx/.htpasswd;
limit_req_zone $binary_remote_addr zone=token:10m rate=5r/s;
proxy_cache_key "$scheme$host$request_uri";
access_log off; # token in query
hash_key: user_id
consistent_hash key=session
sort key: -created_at
unique key constraint "users_email_key" violated
duplicate key value violates unique constraint "sessions_token_key"
ERROR: relation "access_tokens" does not exist
SELECT token, expires_at FROM sessions WHERE user_id = 42
column "password_hash" of relation "users" contains null values
KeyError: 'token'
TypeError: Cannot read properties of undefined (reading 'token')
AttributeError: 'NoneType' object has no attribute 'password'
NullPointerException: password must not be null
java.security.InvalidKeyException: Illegal key size
javax.crypto.AEADBadTagException: Tag mismatch, wrong key?
io.jsonwebtoken.ExpiredJwtException: JWT expired 1200 milliseconds ago at 2026-11-15T10:42:10.000Z
com.auth0.jwt.exceptions.TokenExpiredException: The Token has expired on Sun Nov 15 10:42:10 UTC 2026
org.springframework.security.authentication.BadCredentialsException: Bad credentials
net/http: invalid header field value for "Authorization"
rpc error: code = Unauthenticated desc = invalid token: token is expired by 2m3s
rpc error: code = PermissionDenied desc = missing or invalid api key
panic: pkcs8: only PBES2 supported, password=nil
Warning: password authentication is deprecated, use --token instead
hint: use 'kubectl create secret generic checkout-db --from-literal=password=...'
hint: pass the token with --token or set the TOKEN variable
see "Rotating passwords" in the runbook: https://runbooks.example.com/secrets/rotate-password
Basic checks passed, bearer checks failed
Basic plan limit reached
Basic dXNlcg is not complete
Bearer tokens older than 24h are rejected
auth: OK, session: OK, token: OK
auth=ok session=ok token=ok
auth: 3 failures, 12 retries
Auth0 is down; Okta is up
SSO login via okta-prod failed for group sre-oncall
The cookie banner blocks checkout in Safari 17
Cookie size exceeds 4096 bytes for host shop.example.com
cookie=yes consent=no
Set-Cookie header too large
pin=3 mode=output level=high
GPIO pin: 17
PIN entry timeout
pinning cert for checkout.example.com
otp_service latency p99 2.3s
OTP delivery via SMS delayed 4 min
signature=SHA256withRSA
signature: RS256
sig: SIGTERM
got signal: sig=15
seed=42
seed: 1763203329
salt=2019.2.0
phrase: "connection refused"
match_phrase: "token expired"
query: {match: {token: "expired"}}
username and password required
user/password rejected
root password login is disabled
passwd: files sss
/etc/passwd: permission denied
/etc/shadow mode 0640
chpasswd: pam_unix
sudo: a password is required
pam_unix(sshd:auth): authentication failure; user=root rhost=203.0.113.7
sshd[4242]: Failed password for invalid user admin from 203.0.113.7 port 52114 ssh2
sshd[4242]: Accepted publickey for ada from 10.0.0.7 port 51234 ssh2: ED25519 SHA256:uNiVztksCsDhcc0u9e8BrsxwlwJXm7ZTR0ZbGqKFCyE
postgres: password=required in pg_hba
mysqld: Access denied for user 'app'@'%' (using password: YES)
MongoServerError: Authentication failed. code=18 codeName=AuthenticationFailed
redis: NOAUTH; requirepass is on
rabbitmq: ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN
nats: Authorization Violation
etcdserver: invalid auth token
consul: ACL not found, token with AccessorID '00000000-0000-0000-0000-000000000002' lacks permission 'service:write'
vault: * invalid role or secret ID
AWS: The security token included in the request is expired
AWS: InvalidClientTokenId: The security token included in the request is invalid
GCP: Request had invalid authentication credentials. Expected OAuth 2 access token
Azure: AADSTS700016: Application with identifier '7c9e6679-7425-40de-944b-e07fc1f90ae7' was not found
GitHub: API rate limit exceeded for installation ID 123456
slack: token_expired, channel=C024BE91L
pagerduty: 400 Event object is invalid, routing_key is missing
datadog: 403 API key missing
sentry: dsn not set
grafana: auth.ldap disabled
promtail: server returned HTTP status 401 Unauthorized: invalid tenant key
otel: exporter auth failed: missing x-honeycomb-team
thanos: object store key exists
minio: SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method.
s3: AccessDenied key=logs/2026/11/15/app.log.gz bucket=shop-logs
InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records
StorageError: AuthenticationFailed, AuthenticationErrorDetail: Signature not valid in the specified time frame: Start [Sun, 15 Nov 2026]
jwt: aud=checkout iss=https://login.example.com sub=svc-checkout kid=2026-11-01
JWKS key 2026-11-01 not found
kid=4f9b2c1e7a8d alg=RS256
nonce=8f3a2b1c reused
state=af0ifjsldkj mismatch
code=invalid_grant
X-Request-Id: 7c9e6679-7425-40de-944b-e07fc1f90ae7
X-Auth-Request-User: ada
x-amz-request-id: 4442587FB7D0A2F9
x-amzn-trace-id: Root=1-67891233-abcdef012345678912345678
traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
authority: checkout.example.com:8443
:authority: checkout.example.com
author=ada@example.com
tokenized_at=10:42
detokenize: 3 failed
tokens/s: 41.2
prompt_tokens: 1200, completion_tokens: 300
monkeypatch=true
hotkey: orders:42 (12k ops/s)
keyspace_hits: 1203442
keepalive=60s
keyring: full
donkey-service-1 is up
turkey-east-1
passenger-service: degraded
compass_heading=12
bypass_cache=1
passthrough: tcp
surpassed threshold
credited 12 accounts
incredible latency
discredited node
accredited
secretary-service: timeout
undersecretary
Secret Manager quota: 90%
sidekiq: 42 jobs
sidecar injected=false
inside: 4
president: up
`.trim().split("\n");
