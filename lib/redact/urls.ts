/**
 * Addresses that are credentials: whoever knows one may post. Data.
 *
 * One line is `vendor | what | host | path | source`. A host that starts with a
 * dot stands for every name below it; `shape.ts` explains the paths. The whole
 * address is taken, to its last character.
 *
 * @module
 */
export const SECRET_URLS = `
Slack | webhook | hooks.slack.com | /{x1+} | https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
Slack | government webhook | hooks.slack-gov.com | /{x1+} | https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
Discord | webhook | discord.com | /api/(|v6/|v7/|v8/|v9/|v10/)webhooks/{d1+} | https://discord.com/developers/docs/resources/webhook
Discord | old webhook | discordapp.com | /api/(|v6/|v7/|v8/|v9/|v10/)webhooks/{d1+} | https://discord.com/developers/docs/resources/webhook
Microsoft Teams | webhook | .webhook.office.com | /{x1+} | https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors
Microsoft Teams | old webhook | outlook.office.com | /webhook/{x8+} | https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors
Microsoft Teams | workflow | .logic.azure.com | /{x1+} | https://learn.microsoft.com/azure/logic-apps
Microsoft Teams | Power Automate workflow | .api.powerplatform.com | /{x8+} | https://learn.microsoft.com/power-automate
PagerDuty | integration | events.pagerduty.com | /integration/{x1+} | https://developer.pagerduty.com/docs
PagerDuty | inbound integration | events.eu.pagerduty.com | /integration/{x1+} | https://developer.pagerduty.com/docs
Google Chat | webhook | chat.googleapis.com | /v1/spaces/{b6+}/messages?{x10+} | https://developers.google.com/workspace/chat/quickstart/webhooks
Webex | webhook | webexapis.com | /v1/webhooks/incoming/{x20+} | https://developer.webex.com/docs
Webex | old webhook | api.ciscospark.com | /v1/webhooks/incoming/{x20+} | https://developer.webex.com/docs
Zoom | chat webhook | integrations.zoom.us | /chat/webhooks/incomingwebhook/{x10+} | https://support.zoom.com
Lark | bot webhook | open.larksuite.com | /open-apis/bot/{p2}/hook/{x10+} | https://open.larksuite.com/document
Feishu | bot webhook | open.feishu.cn | /open-apis/bot/{p2}/hook/{x10+} | https://open.feishu.cn/document
DingTalk | robot | oapi.dingtalk.com | /robot/send?access_token={x10+} | https://open.dingtalk.com/document
WeCom | bot webhook | qyapi.weixin.qq.com | /cgi-bin/webhook/send?key={x10+} | https://developer.work.weixin.qq.com/document
Flock | webhook | api.flock.com | /hooks/sendMessage/{x10+} | https://docs.flock.com
Pumble | webhook | api.pumble.com | /workspaces/{x20+} | https://pumble.com/help
Guilded | webhook | media.guilded.gg | /webhooks/{x10+} | https://www.guilded.gg/docs
Telegram | bot address | api.telegram.org | /bot{d5-12}:{b20+} | https://core.telegram.org/bots/api
Twist | webhook | twist.com | /api/v3/integration_incoming/post_data?{x10+} | https://developer.twist.com
VictorOps | alert endpoint | alert.victorops.com | /integrations/{b3-40}/{d8}/alert/{x8+} | https://help.victorops.com
Squadcast | incident webhook | api.squadcast.com | /v2/incidents/{b2-40}/{x16+} | https://support.squadcast.com
Squadcast | EU incident webhook | api.eu.squadcast.com | /v2/incidents/{b2-40}/{x16+} | https://support.squadcast.com
Zenduty | integration | www.zenduty.com | /api/(events|integration/{b2-40})/{x10+} | https://docs.zenduty.com
Zenduty | events | events.zenduty.com | /integration/{x10+} | https://docs.zenduty.com
SIGNL4 | webhook | connect.signl4.com | /webhook/{x5+} | https://docs.signl4.com
Opsgenie | integration | api.opsgenie.com | /v1/json/{b3-40}?apiKey={x10+} | https://support.atlassian.com/opsgenie
Opsgenie | EU integration | api.eu.opsgenie.com | /v1/json/{b3-40}?apiKey={x10+} | https://support.atlassian.com/opsgenie
Jira | automation webhook | automation.atlassian.com | /pro/hooks/{x10+} | https://support.atlassian.com/cloud-automation
Jira | automation endpoint | api-private.atlassian.com | /automation/webhooks/{x10+} | https://support.atlassian.com/cloud-automation
Statuspage | webhook | api.statuspage.io | /v1/webhooks/{x10+} | https://developer.statuspage.io
Rootly | webhook | webhooks.rootly.com | /webhooks/incoming/{x10+} | https://docs.rootly.com
FireHydrant | webhook | signals.firehydrant.com | /v1/process/{x10+} | https://docs.firehydrant.com
ilert | alert source | api.ilert.com | /api/v1/events/{b3-40}/{x8+} | https://docs.ilert.com
AlertOps | webhook | notify.alertops.com | /POSTAlert/{x10+} | https://help.alertops.com
xMatters | trigger | .xmatters.com | /api/integration/1/functions/{x10+} | https://help.xmatters.com
Grafana OnCall | integration | .grafana.net | /(oncall/|)integrations/v1/{b3-40}/{x8+} | https://grafana.com/docs/oncall
Better Stack | heartbeat | uptime.betterstack.com | /api/v1/(heartbeat|incoming-webhook)/{x8+} | https://betterstack.com/docs
Better Uptime | heartbeat | betteruptime.com | /api/v1/(heartbeat|incoming-webhook)/{x8+} | https://betterstack.com/docs
Healthchecks | ping | hc-ping.com | /{x20+} | https://healthchecks.io/docs
Dead Man's Snitch | check-in | nosnch.in | /{x8+} | https://deadmanssnitch.com/docs
Cronitor | ping | cronitor.link | /p/{x10+} | https://cronitor.io/docs
Uptime Kuma | push | .uptime.kuma.pet | /api/push/{x6+} | https://github.com/louislam/uptime-kuma/wiki
Sumo Logic | collector | .sumologic.com | /receiver/v1/http/{x20+} | https://www.sumologic.com/help
Datadog | webhook intake | .datadoghq.com | /(intake|api/v2)/webhook?dd-api-key={x20+} | https://docs.datadoghq.com/integrations
New Relic | log endpoint | log-api.newrelic.com | /log/v1?Api-Key={x20+} | https://docs.newrelic.com/docs/logs
Loggly | input | logs-01.loggly.com | /(inputs|bulk)/{x20+} | https://documentation.solarwinds.com/en/success_center/loggly
Logz.io | listener | .logz.io | :8071/?token={x20+} | https://docs.logz.io
Zapier | catch hook | hooks.zapier.com | /hooks/(catch|standard)/{x4+} | https://help.zapier.com
IFTTT | webhook | maker.ifttt.com | /trigger/{b1-60}/(json/|)with/key/{x10+} | https://ifttt.com/maker_webhooks
Make | webhook | .make.com | /{a24-40} | https://help.make.com
Integromat | webhook | hook.integromat.com | /{a24-40} | https://help.make.com
Pipedream | webhook | .m.pipedream.net | /{x1+} | https://pipedream.com/docs
Workato | webhook | webhooks.workato.com | /webhooks/rest/{x10+} | https://docs.workato.com
Tray | webhook | .trayapp.io | /{x1+} | https://docs.tray.ai
Netlify | build hook | api.netlify.com | /build_hooks/{x10+} | https://docs.netlify.com/configure-builds/build-hooks
Vercel | deploy hook | api.vercel.com | /v1/integrations/deploy/{x10+} | https://vercel.com/docs/deploy-hooks
Render | deploy hook | api.render.com | /deploy/{b4-40}?key={x5+} | https://render.com/docs/deploy-hooks
Cloudflare | deploy hook | api.cloudflare.com | /client/v4/pages/webhooks/deploy_hooks/{x10+} | https://developers.cloudflare.com/pages
Docker Hub | build trigger | hub.docker.com | /api/build/v1/source/{x20+} | https://docs.docker.com/docker-hub
Contentful | build hook | hooks.contentful.com | /{x10+} | https://www.contentful.com/developers/docs
Terraform Cloud | registry hook | app.terraform.io | /webhooks/vcs/{x20+} | https://developer.hashicorp.com/terraform/cloud-docs
Mattermost | webhook | mattermost.com | /hooks/{l20+} | https://developers.mattermost.com/integrate/webhooks/incoming
Amazon Chime | webhook | hooks.chime.aws | /incomingwebhooks/{x10+} | https://docs.aws.amazon.com/chime
Google Apps Script | web app | script.google.com | /macros/s/{b30+}/exec | https://developers.google.com/apps-script/guides/web
Pushcut | webhook | api.pushcut.io | /{b10-60}/notifications/{x1+} | https://www.pushcut.io/support
Stripe | payment event endpoint | events.stripe.com | /webhook/{x10+} | https://docs.stripe.com/webhooks
Sentry | DSN in two parts | sentry.io | /api/{d1-10}/(store|envelope)/?{x4-40}sentry_key={h32} | https://docs.sentry.io
Honeybadger | check-in | api.honeybadger.io | /v1/check_in/{x4+} | https://docs.honeybadger.io
Airbrake | notifier | api.airbrake.io | /api/v3/projects/{d1-10}/notices?key={h32} | https://docs.airbrake.io
`;

/** Paths that are secret on any host. */
export const SECRET_PATHS = `
Mattermost | webhook of any server | /hooks/{l24-40} | https://developers.mattermost.com/integrate/webhooks/incoming
Rocket.Chat | webhook | /hooks/{a17-24}/{a30-64} | https://docs.rocket.chat/docs/integrations
Grafana OnCall | integration of any server | /integrations/v1/(alertmanager|grafana|grafana_alerting|webhook|formatted_webhook|direct_paging|maintenance|inbound_email)/{a20-40} | https://grafana.com/docs/oncall
Uptime Kuma | push to any server | /api/push/{a10-40} | https://github.com/louislam/uptime-kuma/wiki
n8n | webhook | /webhook(-test|)/{uuid} | https://docs.n8n.io
Opsgenie | integration with key | /v1/json/prometheus?apiKey={x10+} | https://support.atlassian.com/opsgenie
GitLab | trigger | /trigger/pipeline?token={b20+} | https://docs.gitlab.com/ci/triggers
GitLab | alert endpoint | /alerts/notify/{b1-60}/{h16-40}.json | https://docs.gitlab.com/operations/incident_management/integrations
Home Assistant | webhook | /api/webhook/{b20-80} | https://www.home-assistant.io/docs/automation/trigger
Gotify | message | /message?token=A{b14} | https://gotify.net/docs
`;
