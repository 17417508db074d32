/**
 * What is said while an approved job is followed, and about its end.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { startGateway } from "../../deploy/standins/gateway.ts";
import type { Bounce, Followed } from "../../lib/operate/approvals.ts";
import { POST_TOPIC } from "../../lib/operate/pack.ts";
import { followJob, reportEnd } from "../../scripts/terminal/following.ts";
import { call } from "../support/command.ts";
import { platformAt } from "../support/platform.ts";

const JOB = { jobId: "r:post@1", topic: POST_TOPIC, principal: "ada" };
const AT = "2026-11-28T09:30:00.000Z";
const RESULT = { posted_at: AT, job_id: "r:post@1", run_id: "r" };

function posted(result: Record<string, unknown>): Followed {
  return { end: "succeeded", result: { ...RESULT, ...result }, job: {} };
}

function failed(code: string, message: string): Followed {
  return { end: "failed", code, message, job: {} };
}

function bounced(why: Bounce): Followed {
  return { end: "bounced", why };
}

interface Row {
  name: string;
  followed: Followed;
  job?: typeof JOB;
  code: number;
  stdout?: string;
  stderr?: string;
}

const STEP = {
  ...JOB,
  jobId: "r:fetch@1",
  topic: "job.incident-enricher.fetch",
};
const ROWS: Row[] = [
  {
    name: "a post to Slack",
    followed: posted({
      destination_host: "hooks.slack.com",
      approval: { by: "ada", at: AT, rule_id: "rule" },
      warnings: ["No copy of the payload could be kept"],
    }),
    code: 0,
    stdout:
      "Posted to hooks.slack.com on 2026-11-28 09:30:00 UTC\n  approver  ada\n  run       r\n",
    stderr: "Warning: No copy of the payload could be kept\n",
  },
  {
    name: "a post whose approver the platform names by the key",
    followed: posted({ approval: { by: "static:1", at: AT, rule_id: "r" } }),
    code: 0,
    stdout:
      "Posted as an artifact on 2026-11-28 09:30:00 UTC\n  approver  static:1, as the platform goes by the API key\n  run       r\n",
  },
  {
    name: "an update",
    followed: posted({
      destination_host: "hooks.slack.com",
      update_of: { severity: "warning", posted_at: "2026-11-28T08:00:00Z" },
    }),
    code: 0,
    stdout:
      "Posted to hooks.slack.com on 2026-11-28 09:30:00 UTC, an update of the warning of 2026-11-28 08:00:00 UTC\n  run       r\n",
  },
  {
    name: "what was posted before",
    followed: posted({
      destination_host: "hooks.slack.com",
      job_id: "earlier:post@1",
      repeat: true,
      posted_as: "critical",
      warnings: ["Not sent: posted before as CRITICAL at 2026"],
    }),
    code: 1,
    stderr:
      "Not sent: posted before as critical on 2026-11-28 09:30:00 UTC to hooks.slack.com\n",
  },
  {
    name: "what a person marked as posted",
    followed: posted({
      job_id: undefined,
      repeat: true,
      posted_as: "critical",
      warnings: ["Marked as posted by bob"],
    }),
    code: 1,
    stderr:
      "Not sent: posted before as critical on 2026-11-28 09:30:00 UTC\nWarning: Marked as posted by bob\n",
  },
  {
    name: "what a poster of 0.1.0 had posted before",
    followed: posted({ job_id: "earlier:post@1", repeat: true }),
    code: 1,
    stderr: "Not sent: posted before on 2026-11-28 09:30:00 UTC\n",
  },
  {
    name: "its own message, repeated by a poster that took it over",
    followed: posted({ repeat: true, posted_as: "critical" }),
    code: 0,
    stdout: "Posted as an artifact on 2026-11-28 09:30:00 UTC\n  run       r\n",
  },
  {
    name: "a dry run",
    followed: posted({ dry_run: true, warnings: ["Would not be sent: x"] }),
    code: 0,
    stdout: "Nothing was sent: it is a dry run\n  run       r\n",
    stderr: "Warning: Would not be sent: x\n",
  },
  {
    name: "a step that is no post",
    job: STEP,
    followed: { end: "succeeded", result: { a: 1 }, job: {} },
    code: 0,
    stdout: 'Done: {"a":1}\n',
  },
  {
    name: "a refusal",
    followed: failed("DESTINATION_REFUSED", "Cannot post: no\x1b[2J webhook"),
    code: 1,
    stderr:
      "Not posted: DESTINATION_REFUSED Cannot post: no<U+001B>[2J webhook\n",
  },
  {
    name: "a post in doubt",
    followed: failed("POST_IN_DOUBT", "Cannot tell whether it was posted"),
    code: 1,
    stderr:
      "In doubt: POST_IN_DOUBT Cannot tell whether it was posted\nLook into the channel, then settle it: deno task posts\n",
  },
  {
    name: "a bounce without a poster",
    followed: bounced("no worker"),
    code: 1,
    stderr:
      "The job waits for approval again: no poster is up to take it. Start one, then approve it once more\n",
  },
  {
    name: "a bounce with a poster",
    followed: bounced("not placed"),
    code: 1,
    stderr:
      "The job waits for approval again: no poster was free to take it at that moment. Approve it once more\n",
  },
  {
    name: "a bounce of another step",
    job: STEP,
    followed: bounced("no worker"),
    code: 1,
    stderr:
      "The job waits for approval again: no worker of that topic is up to take it. Start one, then approve it once more\n",
  },
  {
    name: "a bounce on coretexOS 0.6",
    followed: bounced("never released"),
    code: 1,
    stderr:
      "The job waits for approval again: this platform is coretexOS 0.6, which never releases an approved job\n",
  },
  {
    name: "a job that goes on",
    followed: { end: "still running", state: "RUNNING", hindrance: undefined },
    code: 1,
    stderr:
      "Nothing is known yet: the job is still RUNNING. It goes on without this command\n",
  },
  {
    name: "a job that goes on without a poster",
    followed: {
      end: "still running",
      state: "PENDING",
      hindrance: "no worker",
    },
    code: 1,
    stderr:
      "Nothing is known yet: no poster is up, and the job is still PENDING. It goes on without this command\n",
  },
];
for (
  const { name, followed, job = JOB, code, stdout = "", stderr = "" } of ROWS
) {
  Deno.test(`reportEnd() of ${name}`, async () => {
    const run = await call((_, context) =>
      Promise.resolve(reportEnd(job, followed, context))
    );
    assertEquals(run, { code, stdout, stderr });
  });
}

Deno.test("followJob() says once that no poster is up, and again after one was", async () => {
  const ages = [20, 20, 1, 20];
  let looks = 0;
  await using server = startGateway(({ path }) => {
    if (path.endsWith("/workers")) {
      const heartbeat_age_seconds = ages[looks++];
      const pool = "incident-enricher-post";
      return Response.json([{ pool, heartbeat_age_seconds }]);
    }
    const state = looks < ages.length ? "RUNNING" : "CANCELLED";
    return Response.json({ state, topic: POST_TOPIC });
  });
  await using platform = platformAt(server.url);
  const { stdout, stderr } = await call(async (_, context) => {
    await followJob(platform, JOB, context, { lookMs: 1, timeoutMs: 10_000 });
    return 0;
  });
  const line =
    "Nothing has happened for N s: no poster is up. The job goes on waiting; start one\n";
  assertEquals([stdout, stderr.replaceAll(/\d s/g, "N s")], ["", line + line]);
});

Deno.test("followJob() says that a licence lets nothing run", async () => {
  let looks = 0;
  const waiting = (id: string) => ({ job: { id, state: "APPROVAL_REQUIRED" } });
  await using server = startGateway(({ path }) => {
    switch (path.replace("/api/v1/", "")) {
      case "status":
        looks++;
        return Response.json({
          license: { plan: "Community", limits: { max_concurrent_jobs: 3 } },
        });
      case "workers":
        return Response.json({ items: [] });
      case "approvals":
        return Response.json({ items: [waiting("a")] });
      case "jobs": {
        // One less would let it run; what is done and the job itself do not count.
        const done = { id: "d", state: "SUCCEEDED" };
        const other = { id: "b", state: looks < 2 ? "FAILED" : "PENDING" };
        const items = [{ id: JOB.jobId, state: "PENDING" }, done, other];
        return Response.json({ items });
      }
    }
    const state = looks < 4 ? "PENDING" : "CANCELLED";
    return Response.json({ state, topic: POST_TOPIC });
  });
  await using platform = platformAt(server.url);
  const seen: unknown[] = [];
  const { stderr } = await call(
    async (_, context) => {
      const options = { lookMs: 1, timeoutMs: 10_000 };
      seen.push((await followJob(platform, JOB, context, options)).end);
      return 0;
    },
    [],
    { onLine: () => seen.push(looks) },
  );
  // Not at the first look, when one job less was waiting.
  assertEquals(seen, [2, "failed"]);
  assertEquals(
    stderr.replace(/\d s/, "N s"),
    "Nothing has happened for N s: the platform's licence lets nothing run while so many jobs are unfinished. The job goes on waiting; decide what waits (deno task approvals), or cancel a run\n",
  );
});
