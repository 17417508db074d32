/**
 * Formats of credentials: chat, mail, payment, AI, monitoring, identity, and
 * other services. Data.
 *
 * One line is `vendor | what | shape | source`; `shape.ts` explains the shapes.
 *
 * @module
 */
export const SERVICE_FORMS = `
# Chat
Slack | token | xox(a|b|e|o|p|r|s|c|d)-{b10+} | https://docs.slack.dev/authentication/tokens
Slack | rotated token | xoxe.xox(b|p)-{b10+} | https://docs.slack.dev/authentication/tokens
Slack | app or workflow token | (xapp|xwfp)-{b10+} | https://docs.slack.dev/authentication/tokens
Telegram | bot token | {d6-12}:AA{b30+} | https://core.telegram.org/bots/api
Discord | bot token | (M|N|O){a22-28}.{b6}.{b27+} | https://discord.com/developers/docs/reference
Matrix | access token | syt_{a4-64}_{a20}_{a6} | https://spec.matrix.org
Twitch | chat token | oauth:{l30} | https://dev.twitch.tv/docs/authentication
Webex | bot token | {a64}_P(F|0)(84|E1)_{uuid} | https://developer.webex.com/docs
# Mail and messages
SendGrid | API key | SG.{b16-32}.{b16+} | https://www.twilio.com/docs/sendgrid/ui/account-and-settings/api-keys
Mailgun | key | (key|pubkey)-{h32} | https://documentation.mailgun.com
Mailgun | signing key | {h32}-{h8}-{h8} | https://documentation.mailgun.com
Mailchimp | API key | {h32}-us{d1-2} | https://mailchimp.com/developer/marketing
Mailchimp | Mandrill key | md-{b22} | https://mailchimp.com/developer/transactional
Brevo | key | x(key|smtp)sib-{h64}-{a16} | https://developers.brevo.com
MailerSend | token | mlsn.{h64} | https://developers.mailersend.com
Resend | API key | re_{w8+} | https://resend.com/docs
Klaviyo | private key | pk_{h34} | https://developers.klaviyo.com
Twilio | API key | SK{h32} | https://www.twilio.com/docs/iam/api-keys
Twilio | account id | AC{h32} | https://www.twilio.com/docs/iam/api
Telnyx | API key | KEY0{H24-60}_{a20-24} | https://developers.telnyx.com
Infobip | API key | {h32}-{uuid} | https://www.infobip.com/docs
OneSignal | key | os_v2_(app|org)_{l60-120} | https://documentation.onesignal.com
PubNub | secret key | sec-c-{b36+} | https://www.pubnub.com/docs
PubNub | publish or subscribe key | (pub|sub)-c-{uuid} | https://www.pubnub.com/docs
Courier | key | (pk|dk)_(prod|test)_{u24-30} | https://www.courier.com/docs
Nylas | API key | nyk_(v0|v1)_{a40+} | https://developer.nylas.com
# Payment
Stripe | key | (sk|rk|pk)_(live|test|prod)_{w10+} | https://docs.stripe.com/keys
Stripe | webhook secret | whsec_{B24+} | https://docs.stripe.com/webhooks
Stripe | organization key | sk_org_(live|test)_{a20+} | https://docs.stripe.com/keys
Square | token | sq0(atp|csp|idp)-{b22+} | https://developer.squareup.com/docs
Square | access token | EAAA{b60} | https://developer.squareup.com/docs
PayPal | Braintree token | access_token$(production|sandbox)\${l16}\${h32} | https://developer.paypal.com/braintree/docs
Adyen | API key | AQE{B60+} | https://docs.adyen.com
Razorpay | key | rzp_(live|test)_{a14} | https://razorpay.com/docs
Shopify | token | shp(at|ca|pa|ss|ua|tka|cat)_{H32} | https://shopify.dev/docs/apps/build/authentication-authorization
Flutterwave | key | FLW(SEC|PUB)K-{l32}-X | https://developer.flutterwave.com
Flutterwave | test key | FLW(SEC|PUB)K_TEST-{l32}-X | https://developer.flutterwave.com
Flutterwave | encryption key | FLWSECK_TEST(-|){l12} | https://developer.flutterwave.com
GoCardless | access token | (live|sandbox)_{b40} | https://developer.gocardless.com
Plaid | access token | access-(sandbox|development|production)-{uuid} | https://plaid.com/docs
Mollie | API key | (live|test)_{a30} | https://docs.mollie.com
Lob | API key | (live|test)_{h35} | https://docs.lob.com
Lob | publishable key | (live|test)_pub_{h31} | https://docs.lob.com
Klarna | API key | klarna_(live|test)_api_{x30+} | https://docs.klarna.com
Mercado Pago | access token | APP_USR-{d6-20}-{d6}-{h32}-{d6-12} | https://www.mercadopago.com/developers
Paddle | API key | pdl_(live|sdbx)_apikey_{l26}_{a22}_{a3} | https://developer.paddle.com
Polar | token | polar_(oat|pat|at|whs)_{a30+} | https://polar.sh/docs
Midtrans | server key | Mid-server-{b20+} | https://docs.midtrans.com
Xendit | secret key | xnd_(production|development)_{a40+} | https://docs.xendit.co
Omise | secret key | skey_(test_|){l19-24} | https://docs.omise.co
Checkout.com | secret key | sk_(sbox_|){l32}{l3} | https://www.checkout.com/docs
EasyPost | API key | EZ(AK|TK){a54} | https://docs.easypost.com
Shippo | token | shippo_(live|test)_{h40} | https://docs.goshippo.com
Duffel | access token | duffel_(live|test)_{b43} | https://duffel.com/docs
Persona | API key | persona_(production|sandbox)_{b30+} | https://docs.withpersona.com
# AI
OpenAI | key | sk-(proj|svcacct|admin|None)-{b20+} | https://platform.openai.com/docs/api-reference/authentication
OpenAI | old key | sk-{a20}T3BlbkFJ{a20} | https://platform.openai.com/docs/api-reference/authentication
OpenAI | session key | sess-{a40} | https://platform.openai.com/docs/api-reference/authentication
Anthropic | key | sk-ant-{b20+} | https://docs.anthropic.com/en/api
OpenRouter | key | sk-or-v1-{h64} | https://openrouter.ai/docs
DeepSeek, Moonshot and others | key | sk-{a20+} | https://api-docs.deepseek.com
Langfuse | key | (sk|pk)-lf-{uuid} | https://langfuse.com/docs
Helicone | key | sk-helicone-{b20+} | https://docs.helicone.ai
Replicate | token | r8_{a37} | https://replicate.com/docs
Groq | key | gsk_{a40-60} | https://console.groq.com/docs
Perplexity | key | pplx-{a40-64} | https://docs.perplexity.ai
xAI | key | xai-{a70-90} | https://docs.x.ai
Fireworks | key | fw_{a22-28} | https://docs.fireworks.ai
NVIDIA | key | nvapi-{b60+} | https://docs.nvidia.com/nim
ElevenLabs | key | sk_{h48} | https://elevenlabs.io/docs
LangSmith | key | lsv2_(pt|sk)_{h32}_{h10} | https://docs.smith.langchain.com
Tavily | key | tvly-(dev-|){a32} | https://docs.tavily.com
Jina | key | jina_{b50+} | https://jina.ai/embeddings
Voyage | key | pa-{b43} | https://docs.voyageai.com
Cerebras | key | csk-{a40-52} | https://inference-docs.cerebras.ai
Modal | token | a(k|s)-{a22} | https://modal.com/docs
RunPod | key | rpa_{u40-46} | https://docs.runpod.io
Firecrawl | key | fc-{h32} | https://docs.firecrawl.dev
Browserbase | key | bb_live_{b24+} | https://docs.browserbase.com
E2B | key | e2b_{h40} | https://e2b.dev/docs
Cursor | key | key_{h64} | https://docs.cursor.com
Dify | app key | app-{a24} | https://docs.dify.ai
Zhipu | key | {h32}.{a16} | https://open.bigmodel.cn
Weights & Biases | key | wandb_v1_{b40+} | https://docs.wandb.ai
LlamaCloud | key | llx-{a40-56} | https://docs.cloud.llamaindex.ai
Cartesia | key | sk_car_{a20+} | https://docs.cartesia.ai
Apify | token | apify_api_{a30-44} | https://docs.apify.com
Inngest | signing key | signkey-(prod|test|branch)-{h64} | https://www.inngest.com/docs
Trigger.dev | secret key | tr_(dev|prod|stg|pat)_{a20-48} | https://trigger.dev/docs
# Monitoring
New Relic | user key | NRAK-{u27} | https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys
New Relic | browser, insert or query key | NR(JS|II|IQ|SP|RA|AM|BR|AA)-{b18+} | https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys
New Relic | license key | {l36}NRAL | https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys
Grafana | cloud token | glc_{B32+} | https://grafana.com/docs/grafana-cloud
Grafana | service account token | glsa_{a32}_{H8} | https://grafana.com/docs/grafana/latest/administration/service-accounts
Grafana | API key | eyJrIjoi{B40+} | https://grafana.com/docs/grafana/latest/developers/http_api
Honeycomb | key | hc(a|b|x)(i|m|l)k_{l58} | https://docs.honeycomb.io
Sentry | organization token | sntrys_eyJ{x60+} | https://docs.sentry.io/account/auth-tokens
Sentry | user or app token | sntry(u|a)_{h64} | https://docs.sentry.io/account/auth-tokens
Dynatrace | token | dt0(c|s)(01|02|03|08|16).{u8-24}.{u64} | https://docs.dynatrace.com/docs/manage/identity-access-management/access-tokens-and-oauth-clients
Dynatrace | platform token | dt0s16.{u8}.{u64} | https://docs.dynatrace.com
Datadog | client token | pub{h32} | https://docs.datadoghq.com/account_management/api-app-keys
PagerDuty | user token | u+{b18} | https://support.pagerduty.com/main/docs/api-access-keys
PagerDuty | OAuth token | pd(us|eu)+_{b30+} | https://developer.pagerduty.com/docs
Rootly | API key | rootly_{h64} | https://docs.rootly.com
FireHydrant | bot token | fhb-{h32-64} | https://docs.firehydrant.com
Checkly | API key | cu_{h32} | https://www.checklyhq.com/docs
Axiom | token | xa(at|pt)-{uuid} | https://axiom.co/docs
Coralogix | key | cxt(p|s|h|a)_{a30} | https://coralogix.com/docs
UptimeRobot | API key | (u|m){d6-9}-{l24} | https://uptimerobot.com/api
LaunchDarkly | key | (sdk|api|mob|rel)-{uuid} | https://launchdarkly.com/docs
Unleash | API token | :(development|production|default|staging|*).{h56} | https://docs.getunleash.io
ConfigCat | SDK key | configcat-sdk-1/{b22}/{b22} | https://configcat.com/docs
Statsig | secret key | secret-{a43} | https://docs.statsig.com
PostHog | personal key | phx_{a36-52} | https://posthog.com/docs/api
PostHog | project key | phc_{a36-52} | https://posthog.com/docs/api
Flagsmith | server key | ser.{a20-24} | https://docs.flagsmith.com
Observe | ingest token | ds1{a17}:{b32} | https://docs.observeinc.com
Logfire | token | pylf_v1_(us|eu)_{a40-50} | https://logfire.pydantic.dev/docs
# Identity
Okta | API token in its header | SSWS 00{b38+} | https://developer.okta.com/docs/guides/create-an-api-token
Stytch | secret | secret-(test|live)-{b36} | https://stytch.com/docs
Authress | access key | (sc|ext|scauth|authress)_{l5-30}.{a4-6}.{b8-36}.{b30+} | https://authress.io/knowledge-base
WorkOS | key | sk_(a2V5|test_a2V5){a30+} | https://workos.com/docs
Salesforce | session id | 00D{a12-15}!{p60+} | https://help.salesforce.com
Facebook | access token | EAA{a80+} | https://developers.facebook.com/docs/facebook-login
Facebook | app token | {d13-17}|{b24+} | https://developers.facebook.com/docs/facebook-login
Instagram | access token | IG(QV|AA){b60+} | https://developers.facebook.com/docs/instagram
X | bearer token | AAAAAAAAAAAAAAAAAAAAA{y60-120} | https://docs.x.com
LinkedIn | client secret | WPL_AP1.{a16}.{B6+} | https://learn.microsoft.com/linkedin
Pinterest | token | pina_{u60+} | https://developers.pinterest.com
42 | secret | s-s4t2(ud|af)-{h64} | https://api.intra.42.fr/apidoc
eBay | application secret | (PRD|SBX)-{h12}-{h4}-{h4}-{h4}-{h4} | https://developer.ebay.com
Mapbox | token | (sk|pk|tk).eyJ{b40-140}.{b20+} | https://docs.mapbox.com/help/getting-started/access-tokens
# Work
Postman | key | PMAK-{h24}-{h34} | https://learning.postman.com/docs
Linear | API key | lin_api_{a40} | https://linear.app/developers
Linear | OAuth or webhook secret | lin_(oauth|wh)_{a40-64} | https://linear.app/developers
Notion | token | ntn_{a40-50} | https://developers.notion.com
Notion | old token | secret_{a43} | https://developers.notion.com
Airtable | token | pat{a14}.{h64} | https://airtable.com/developers/web/guides
Asana | token | (1|2)/{d15-17}:{h32} | https://developers.asana.com/docs
Asana | token with its application | (1|2)/{d15-17}/{d15-17}:{h32} | https://developers.asana.com/docs
Trello | token | ATTA{H64} | https://developer.atlassian.com/cloud/trello
ClickUp | token | pk_{d6-9}_{u32} | https://developer.clickup.com
Figma | token | fig(d|o|or|u)_{b36+} | https://www.figma.com/developers/api
Contentful | token | CFPAT-{b43} | https://www.contentful.com/developers/docs
Dropbox | access token | sl.(u.|){b60+} | https://www.dropbox.com/developers
Typeform | token | tfp_{x40+} | https://www.typeform.com/developers
ReadMe | key | rdme_{l70} | https://docs.readme.com
HubSpot | private app token | pat-(na1|na2|na3|eu1|ap1)-{uuid} | https://developers.hubspot.com/docs
Intercom | access token | dG9rO{B40+} | https://developers.intercom.com/docs
Frame.io | token | fio-u-{b64} | https://developer.frame.io
SettleMint | token | sm_(aat|pat|sat)_{a16} | https://console.settlemint.com/documentation
MaxMind | license key | {a6}_{a29}_mmk | https://dev.maxmind.com
Beamer | key | b_{b44} | https://www.getbeamer.com/api
GitBook | token | gb_api_{a36-48} | https://developer.gitbook.com
Canva | token | cnv(ca|ap|ak){b40+} | https://www.canva.dev/docs
Cal.com | API key | cal_(live_|test_|){a20-40} | https://cal.com/docs
Sanity | token | sk{a60+} | https://www.sanity.io/docs
Liveblocks | key | (sk|pk)_(dev|prod)_{b40+} | https://liveblocks.io/docs
Ably | key | {a6}.{b6}:{b43} | https://ably.com/docs
Svix | key | (sk|testsk)_{a28-40}.(eu|us|in|ca|au) | https://docs.svix.com
ngrok | API key | ak_{a27} | https://ngrok.com/docs
Zuplo | API key | zpka_{h32}_{h8} | https://zuplo.com/docs
`;
