/**
 * Formats of credentials: clouds, code, builds, registries, secrets. Data.
 *
 * One line is `vendor | what | shape | source`; `shape.ts` explains the shapes.
 *
 * @module
 */
export const PLATFORM_FORMS = `
# Cloud
AWS | access key id | (AKIA|ASIA|ABIA|ACCA){u16} | https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
AWS | session token | (IQoJb3JpZ2lu|FwoGZXIvYXdz|FQoGZXIvYXdz|AgoJb3JpZ2lu){B80+} | https://docs.aws.amazon.com/STS/latest/APIReference/API_Credentials.html
AWS | Bedrock key | ABSK{B100+} | https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html
AWS | short-term Bedrock key | bedrock-api-key-{x40+} | https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html
AWS | AppSync key | da2-{l26} | https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html
Amazon | MWS token | amzn.mws.{uuid} | https://developer-docs.amazon.com/sp-api
Amazon | OAuth client secret | amzn1.oa2-cs.v1.{h64} | https://developer.amazon.com/docs/login-with-amazon
Google | API key | AIza{b35} | https://cloud.google.com/docs/authentication/api-keys
Google | OAuth access token | ya29.{x20+} | https://developers.google.com/identity/protocols/oauth2
Google | OAuth refresh token | 1//0{b38+} | https://developers.google.com/identity/protocols/oauth2
Google | OAuth code | 4/0A{b40+} | https://developers.google.com/identity/protocols/oauth2
Google | OAuth client secret | GOCSPX-{b28} | https://developers.google.com/identity/protocols/oauth2
Google | HMAC access id | GOOG1E{u57} | https://cloud.google.com/storage/docs/authentication/hmackeys
Google | Firebase server key | {b11}:APA91b{b120+} | https://firebase.google.com/docs/cloud-messaging
Azure | Entra client secret | {p3}(0|1|2|3|4|5|6|7|8|9)Q~{x31+} | https://learn.microsoft.com/entra/identity-platform
Azure | storage, batch, event or registry key | {s30-80}(+ASt|+ABa|+AEh|+ASb|+ACR|AIoT|ACDb|AzFu|AzSe|AzCa|APIM){B4+} | https://learn.microsoft.com/azure/storage/common/storage-account-keys-manage
Azure | OpenAI and AI services key | {a52}JQQJ99{a26} | https://learn.microsoft.com/azure/ai-services/authentication
Azure | DevOps token | {a76}AZDO{a4} | https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate
Alibaba Cloud | access key id | LTAI{a12-24} | https://www.alibabacloud.com/help/ram
Tencent Cloud | secret id | AKID{a32} | https://www.tencentcloud.com/document/product/598
Volcengine | access key id | AKLT{a32-60} | https://www.volcengine.com/docs/6291
Yandex Cloud | IAM token | t1.{b20+}.{b80+} | https://yandex.cloud/docs/iam/concepts/authorization/iam-token
Yandex Cloud | API key | AQVN{b35+} | https://yandex.cloud/docs/iam/concepts/authorization/api-key
Yandex Cloud | static key | YC(AJ|M|N|O|P){b20+} | https://yandex.cloud/docs/iam/concepts/authorization/access-key
Yandex | OAuth token | y(0|1|2|3)_{b30+} | https://yandex.com/dev/id/doc
DigitalOcean | token | do(p|o|r)_v1_{h64} | https://docs.digitalocean.com/reference/api/create-personal-access-token
Scaleway | access key | SCW{u17} | https://www.scaleway.com/en/docs/identity-and-access-management/iam
Scalingo | token | tk-us-{b48} | https://developers.scalingo.com
Fly.io | token | fo1_{b43} | https://fly.io/docs/security/tokens
Fly.io | macaroon | fm(1|1r|1a|2)_{B80+} | https://fly.io/docs/security/tokens
Heroku | API key | HRKU-{b36+} | https://devcenter.heroku.com/articles/authentication
Render | API key | rnd_{a26-36} | https://render.com/docs/api
Vercel | token | vc(p|i|a|r|k)_{a24-60} | https://vercel.com/docs/rest-api
Netlify | token | nf(p|c|o|u|b)_{a36-44} | https://docs.netlify.com/api/get-started
Cloudflare | origin CA key | v1.0-{h24}-{h146} | https://developers.cloudflare.com/fundamentals/api/get-started/ca-keys
Cloudflare | API token | cf(ut|at|k)_{b40+} | https://developers.cloudflare.com/fundamentals/api
Akamai | EdgeGrid token | akab-{l16}-{l16} | https://techdocs.akamai.com/developer/docs/authenticate-with-edgegrid
Databricks | token | (dapi|dkea|dose){h32} | https://docs.databricks.com/dev-tools/auth/pat
UpCloud | token | ucat_{u26} | https://developers.upcloud.com
Deno Deploy | token | dd(p|o|w)_{a32-44} | https://docs.deno.com/deploy
# Databases
PlanetScale | token | pscale_(tkn|oauth|pw)_{p32+} | https://planetscale.com/docs/api
Supabase | access token | sbp_{h40} | https://supabase.com/docs/guides/api/api-keys
Supabase | versioned access token | sbp_(v0|oauth)_{h40} | https://supabase.com/docs/guides/api/api-keys
Supabase | secret key | sb_secret_{b20+} | https://supabase.com/docs/guides/api/api-keys
Neon | API key | napi_{l60-70} | https://neon.com/docs/manage/api-keys
Aiven | service password | AVNS_{b16+} | https://aiven.io/docs
MongoDB Atlas | service account secret | mdb_sa_sk_{b36+} | https://www.mongodb.com/docs/atlas/api
ClickHouse Cloud | API secret | 4b1d{a38} | https://clickhouse.com/docs/cloud/manage/openapi
CockroachDB Cloud | API key | CCDB1_{a20+}_{a40} | https://www.cockroachlabs.com/docs/cockroachcloud
Confluent | API secret | cflt{B60} | https://docs.confluent.io/cloud/current/security
Xata | API key | xau_{a40-46} | https://xata.io/docs
Elastic | serverless key | essu_{B40+} | https://www.elastic.co/docs/api
Pinecone | API key | pcsk_{w50+} | https://docs.pinecone.io/guides/get-started/authentication
Fauna | secret | fn(A|AE|AF){b37+} | https://docs.fauna.com
Tinybird | token | p.eyJ{b20-140}.{b20+} | https://www.tinybird.co/docs
# Code hosts
GitHub | token | gh(p|o|u|s|r)_{w30+} | https://docs.github.com/authentication/keeping-your-account-and-data-secure/about-authentication-to-github
GitHub | fine-grained token | github_pat_{w22+} | https://docs.github.com/authentication/keeping-your-account-and-data-secure/about-authentication-to-github
GitLab | personal access token | glpat-{p18+} | https://docs.gitlab.com/security/tokens
GitLab | other token | gl(dt|rt|rtr|cbt|ptt|ft|imt|agent|oas|soat|ffct|wt)-{p20+} | https://docs.gitlab.com/security/tokens
GitLab | runner registration token | GR1348941{b20} | https://docs.gitlab.com/security/tokens
Bitbucket | app password | ATBB{a32} | https://support.atlassian.com/bitbucket-cloud
Bitbucket Data Center | token | BBDC-{B40+} | https://confluence.atlassian.com/bitbucketserver
Atlassian | API token | AT(A|C|S)TT3{x60+} | https://support.atlassian.com/atlassian-account/docs/manage-api-tokens-for-your-atlassian-account
Sourcegraph | access token | sgp_{h40} | https://sourcegraph.com/docs/cli/how-tos/creating_an_access_token
Sourcegraph | access token with its site | sgp_(local|{h16})_{h40} | https://sourcegraph.com/docs/cli/how-tos/creating_an_access_token
Sourcegraph | license or gateway token | s(lk|gd|gs)_{h64} | https://sourcegraph.com/docs
Phabricator | conduit token | (api|cli)-{l28} | https://secure.phabricator.com/book/phabricator
# Builds
CircleCI | token | CCI(PAT|PRJ)_{a20-24}_{h40} | https://circleci.com/docs/managing-api-tokens
Buildkite | token | bk(ua|aj|at|ct|pat|pi|s)_{a32-80} | https://buildkite.com/docs/apis/managing-api-tokens
Octopus Deploy | API key | API-{u25-34} | https://octopus.com/docs/octopus-rest-api/how-to-create-an-api-key
Harness | token | (pat|sat).{b22}.{H24}.{a20} | https://developer.harness.io/docs/platform/automation/api/add-and-manage-api-keys
Terraform Cloud | token | {a14}.atlasv1.{b60+} | https://developer.hashicorp.com/terraform/cloud-docs/users-teams-organizations/api-tokens
Pulumi | access token | pul-{h40} | https://www.pulumi.com/docs/administration/access-identity/access-tokens
Prefect | API key | pn(u|b)_{a36} | https://docs.prefect.io
Infracost | API key | ico-{a32} | https://www.infracost.io/docs
Sonar | token | sq(u|p|a)_{h40} | https://docs.sonarsource.com/sonarqube-server/user-guide/managing-tokens
Snyk | service token | snyk_(uat|sat).{h8}.{x60+} | https://docs.snyk.io/snyk-api
Socket | API key | sktsec_{b40+} | https://docs.socket.dev
Codeclimate Qlty | token | qltcp_{a20+} | https://docs.qlty.sh
Depot | token | depot_(user|org|project)_{h64} | https://depot.dev/docs
# Registries
npm | access token | npm_{a36} | https://github.blog/2021-09-23-announcing-npms-new-access-token-format/
PyPI | upload token | pypi-{b40+} | https://packaging.python.org/en/latest/specifications/pypirc/
RubyGems | API key | rubygems_{h48} | https://guides.rubygems.org/api-key-scopes
NuGet | API key | oy2{l43} | https://learn.microsoft.com/nuget/nuget-org/publish-a-package
crates.io | API token | cio{a32} | https://doc.rust-lang.org/cargo/reference/publishing.html
Docker Hub | token | dckr_(pat|oat)_{b24+} | https://docs.docker.com/security/access-tokens
Artifactory | API key | AKCp{a60-80} | https://jfrog.com/help/r/jfrog-platform-administration-documentation/access-tokens
Artifactory | reference token | cmVmdGtuOj{a40-64} | https://jfrog.com/help/r/jfrog-platform-administration-documentation/access-tokens
Packagist | token | packagist_(uut|ort|out|oct)_{h60-80} | https://packagist.com/docs
Clojars | deploy token | CLOJARS_{h60} | https://github.com/clojars/clojars-web/wiki/Deploy-Tokens
JSR | token | jsr(t|p|d)_{a40+} | https://jsr.io/docs
Hugging Face | token | hf_{a34-40} | https://huggingface.co/docs/hub/security-tokens
Hugging Face | organization token | api_org_{a34} | https://huggingface.co/docs/hub/security-tokens
# Secrets and keys
HashiCorp Vault | token | hv(s|b|r).{b20+} | https://developer.hashicorp.com/vault/docs/concepts/tokens
HashiCorp Vault | old token | s.{a24} | https://developer.hashicorp.com/vault/docs/concepts/tokens
1Password | service account token | ops_eyJ{B60+} | https://developer.1password.com/docs/service-accounts
1Password | secret key | A3-{u6}-{u11}-{u5}-{u5}-{u5} | https://support.1password.com/secret-key-security
1Password | secret key in seven parts | A3-{u6}-{u6}-{u5}-{u5}-{u5}-{u5} | https://support.1password.com/secret-key-security
Bitwarden | machine token | 0.{uuid}.{a30}:{B22+} | https://bitwarden.com/help/access-tokens
Doppler | token | dp.(pt|st|ct|sa|scim|audit|said).{p40+} | https://docs.doppler.com/reference/api
Infisical | service token | st.{h24}.{h32}.{h32} | https://infisical.com/docs
age | secret key | AGE-SECRET-KEY-1{u58} | https://github.com/FiloSottile/age
age | post-quantum secret key | AGE-SECRET-KEY-PQ-1{u58-64} | https://github.com/FiloSottile/age
Tailscale | key | tskey-(auth|api|client|scim|webhook)-{a8-24}-{a20-40} | https://tailscale.com/kb/1101/api
Defined Networking | key | dnkey-{l26}-{l52} | https://docs.defined.net
OpenShift | token | sha256~{b43} | https://docs.redhat.com/documentation/openshift_container_platform
Rancher | bearer token | (token|kubeconfig)-{l5-20}:{l54} | https://ranchermanager.docs.rancher.com/reference-guides/user-settings/api-keys
K3s | node token | K10{h64}::{x16+}:{h32} | https://docs.k3s.io/cli/token
Docker Swarm | join token | SWMTKN-1-{l50}-{l25} | https://docs.docker.com/engine/swarm/join-nodes
Docker Swarm | unlock key | SWMKEY-1-{B43} | https://docs.docker.com/engine/swarm/swarm_manager_locking
NATS | seed | S(U|A|O|N|C|X){z56} | https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/nkey_auth
Unix | bcrypt hash | $2(a|b|y)$(04|05|06|08|10|11|12|13|14)\${c53} | https://man7.org/linux/man-pages/man5/crypt.5.html
Unix | SHA-crypt hash | $(5|6)\${c1-16}\${c43-86} | https://man7.org/linux/man-pages/man5/crypt.5.html
Unix | SHA-crypt hash with rounds | $(5|6)$rounds={d4-9}\${c1-16}\${c43-86} | https://man7.org/linux/man-pages/man5/crypt.5.html
Unix | yescrypt hash | $y$j{c2-4}\${c1-24}\${c43} | https://man7.org/linux/man-pages/man5/crypt.5.html
Apache | htpasswd hash | $apr1\${c1-8}\${c22} | https://httpd.apache.org/docs/2.4/misc/password_encryptions.html
Django | password hash | pbkdf2_sha(1|256)\${d3-8}\${a8-64}\${B27-44} | https://docs.djangoproject.com/en/stable/topics/auth/passwords
minisign | secret key | RWRTY0Iy{B90+} | https://jedisct1.github.io/minisign
Unix | Argon2 hash | $argon2(id|i|d)$v=19$m={d2-7},t={d1-3},p={d1-3}\${B11-64}\${B22+} | https://github.com/P-H-C/phc-string-format
Bitcoin | extended private key | (xprv|tprv|yprv|zprv){a100-112} | https://github.com/bitcoin/bips/blob/master/bip-0032.mediawiki
Stellar | secret seed | S(A|B|C|D){z54} | https://developers.stellar.org/docs
`;
