/**
 * Makes message, summary and page of a bundle; run as a program, prints their
 * digests and the offset of its time zone.
 *
 * @module
 */
import { sha256Hex } from "../../lib/base/digest.ts";
import type { EvidenceBundle } from "../../lib/incident.ts";
import { composeMessage } from "../../lib/message/compose.ts";
import { encodeMessage } from "../../lib/message/message.ts";
import { composePage } from "../../lib/message/page/compose.ts";
import { summarize } from "../../lib/summary/builtin.ts";
import { claimsOf } from "../../lib/summary/draft.ts";
import { toMarkdown } from "../../lib/summary/markdown.ts";

const SETTINGS = {
  linkOrigins: ["https://runbooks.example.com"],
  dashboardRunUrl: "https://dashboard.example.com/runs/{run_id}",
  evidenceUrl: "https://desk.example/open?p={pointer}",
};

/** Of the message, the Markdown, the claims and the page. */
export async function digestsOf(bundle: EvidenceBundle): Promise<string[]> {
  const draft = summarize(bundle);
  const place = {
    runId: "run-1",
    level: "standard",
    settings: SETTINGS,
  } as const;
  const claims = claimsOf(draft.report, bundle.evidence);
  const page = composePage(
    bundle,
    { ...draft, confidence: claims.confidence! },
    {
      ...place,
      texts: [],
      artifacts: [],
      redact: (text) => text,
    },
  );
  const encoder = new TextEncoder();
  const parts = [
    encodeMessage(composeMessage(bundle, draft.report, place)),
    ...[
      toMarkdown(draft, bundle, SETTINGS.evidenceUrl),
      JSON.stringify(claims),
      page,
    ]
      .map((text) => encoder.encode(text)),
  ];
  return await Promise.all(parts.map((part) => sha256Hex(part)));
}

if (import.meta.main) {
  const bundle = JSON.parse(await Deno.readTextFile(Deno.args[0]!));
  const digests = await digestsOf(bundle);
  const { stdout } = Deno;
  const offset = new Date(0).getTimezoneOffset();
  await stdout.write(
    new TextEncoder().encode(JSON.stringify({ digests, offset })),
  );
}
