/**
 * Who may decide what, and when not: on devcore, through the desk's real server.
 *
 * @module
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { type Devcore, startDevcore } from "../../deploy/devcore/devcore.ts";
import { PROFILES } from "../../deploy/devcore/profile.ts";
import { sha256Hex } from "../../lib/base/digest.ts";
import { createLog } from "../../lib/base/log.ts";
import type { JsonObject } from "../../lib/base/json.ts";
import { delay } from "../../lib/base/time.ts";
import { header } from "../../lib/message/block_kit.ts";
import { encodeMessage } from "../../lib/message/message.ts";
import { approve, reject } from "../../lib/operate/approvals.ts";
import { WORKFLOW_ID } from "../../lib/operate/pack.ts";
import { connectStore } from "../../lib/platform/store.ts";
import { writePublicKey, writeSigningKey } from "../../lib/post/keys.ts";
import { createKeys } from "../../lib/post/signature.ts";
import { type Stand, startStand } from "../../scripts/launch/stand.ts";
import { type DeskRig, fieldsOf, startDesk } from "../support/desk.ts";
import { until } from "../support/until.ts";

const pathOf = (jobId: string) => `/posts/${encodeURIComponent(jobId)}`;

/** @returns The job of a post that waits. */
async function start(stand: Stand, id: string): Promise<string> {
  const { gateway, signal } = stand.platform;
  const input = {
    incident_id: `mock:${id}`,
    title: `Disk full on ${id}`,
    severity: "critical",
    service: "db",
  };
  const key = crypto.randomUUID();
  return await stand.untilApproval(
    await gateway.startRun(WORKFLOW_ID, input, { key, signal }),
  );
}

const stateOf = async (stand: Stand, jobId: string) =>
  (await stand.job(jobId))["state"];

for (const profile of PROFILES) {
  Deno.test(`of two people who decide at once, one is told of the other, on ${profile}`, async () => {
    await using core = await startDevcore({ profile, reloadMs: 200 });
    await using stand = await startStand({ platformEnv: core.env });
    await using desk = await startDesk(core.env);
    const jobId = await start(stand, "two");
    const path = pathOf(jobId);
    const [ana, bo] = await Promise.all([
      desk.get(path, "Ana"),
      desk.get(path, "Bo"),
    ]);
    const answers = await Promise.all([
      desk.send(path, "approve", { name: "Ana", page: ana.text }),
      desk.send(path, "reject", {
        ...{ name: "Bo", page: bo.text },
        fields: { reason: "a false alarm" },
      }),
    ]);
    assertEquals(answers.map(({ status }) => status), [303, 409]);
    assertMatch(
      answers[1].text,
      /Somebody else decided it<[^]*Ana approved it at this desk before you/,
    );
    await until(
      "the post",
      async () => await stateOf(stand, jobId) === "SUCCEEDED",
    );
    // Whoever is not at this desk is told by the platform's record.
    await using other = await startDesk(core.env);
    const late = await other.send(path, "approve", {
      name: "Cy",
      fields: fieldsOf(bo.text, "approve"),
    });
    assertEquals(late.status, 409);
    assertMatch(late.text, /Somebody already decided it: approved by /);
  });
}

interface Place {
  core: Devcore;
  stand: Stand;
  desk: DeskRig;
}

Deno.test("the desk decides what was read, by whom and when, and nothing else", async (t) => {
  await using core = await startDevcore({ reloadMs: 200 });
  await using stand = await startStand({ platformEnv: core.env });
  await using desk = await startDesk(core.env);
  const place: Place = { core, stand, desk };
  for (const [name, step] of Object.entries(STEPS)) {
    await t.step(name, () => step(place));
  }
  await t.step("no page and no line of the log has a secret", () => {
    assert(!desk.log.join("\n").includes(core.apiKey));
  });
});

/** Lets the gateway answer so until it is disposed of. */
function answering(
  { faults }: Devcore,
  onRoute: NonNullable<Devcore["faults"]["onRoute"]>,
): Disposable {
  faults.onRoute = onRoute;
  return { [Symbol.dispose]: () => void delete faults.onRoute };
}

/** Puts another input under a job that waits. */
async function writeInput(
  { core: { redisUrl: url }, stand: { platform: { signal } } }: Place,
  jobId: string,
  context: unknown,
): Promise<void> {
  const log = createLog({}, { write() {} });
  await using store = await connectStore({ url, name: "test", log, signal });
  await store.write(`ctx:${jobId}`, JSON.stringify(context), 3_600, signal);
}

/** Puts another message under a job that waits, as its summary would name it. */
async function swapMessage(
  place: Place,
  jobId: string,
  text: string,
): Promise<void> {
  const { gateway, signal } = place.stand.platform;
  const { context } = await place.stand.job(jobId) as {
    context: { summary: Record<string, unknown> };
  };
  const content = encodeMessage({ text, blocks: [header(text)] });
  const contentType = "application/json";
  Object.assign(context.summary, {
    message_ptr: await gateway.putArtifact({
      ...{ content, contentType, retention: "audit" },
    }, signal),
    message_sha256: await sha256Hex(content),
  });
  await writeInput(place, jobId, context);
}

const STEPS: Readonly<Record<string, (place: Place) => Promise<void>>> = {
  async "a GET decides nothing"({ stand, desk }) {
    const jobId = await start(stand, "get");
    const path = pathOf(jobId);
    const fields = fieldsOf((await desk.get(path)).text, "approve");
    const query = new URLSearchParams(fields);
    for (const verb of ["approve", "reject"]) {
      const answer = await desk.get(`${path}/${verb}?${query}&reason=x`);
      assertEquals(answer.status, 404);
    }
    assertEquals(await stateOf(stand, jobId), "APPROVAL_REQUIRED");
  },

  async "a token is good once, for one post and one person"({ stand, desk }) {
    const [one, other] = [
      await start(stand, "one"),
      await start(stand, "other"),
    ];
    const page = (await desk.get(pathOf(one))).text;
    const { token = "" } = fieldsOf(page, "approve");
    assertMatch(token, /^\d{13}\.[\w-]{22}\.[\w-]{43}$/);
    const refused = async (sent: Promise<{ status: number; text: string }>) => {
      const { status, text } = await sent;
      assertEquals(status, 409);
      assertStringIncludes(text, "Nothing was decided");
      return text;
    };
    await refused(desk.send(pathOf(other), "approve", { fields: { token } }));
    await refused(desk.send(pathOf(one), "approve", { name: "Bo", page }));
    await refused(
      desk.send(pathOf(one), "approve", { page, fields: { token: "" } }),
    );
    await refused(
      desk.send(pathOf(one), "approve", {
        page,
        fields: { token: token.replace(/^\d/, "9") },
      }),
    );
    assertEquals(await stateOf(stand, one), "APPROVAL_REQUIRED");
    const sent = await desk.send(pathOf(one), "approve", { page });
    assertEquals(sent.status, 303);
    const again = await desk.send(pathOf(one), "approve", { page });
    assertEquals(again.status, 409);
    assertEquals(await stateOf(stand, other), "APPROVAL_REQUIRED");
  },

  async "a form says who sends it"({ stand, desk }) {
    const jobId = await start(stand, "nobody");
    const page = (await desk.get(pathOf(jobId))).text;
    const { status } = await desk.send(pathOf(jobId), "approve", {
      name: "",
      page,
    });
    assertEquals(status, 403);
    assertEquals(await stateOf(stand, jobId), "APPROVAL_REQUIRED");
  },

  async "what changed since it was read is not approved"(place) {
    const { stand, desk } = place;
    const jobId = await start(stand, "changed");
    const page = (await desk.get(pathOf(jobId))).text;
    await swapMessage(place, jobId, "Other");
    const sent = await desk.send(pathOf(jobId), "approve", { page });
    assertEquals(sent.status, 409);
    assertStringIncludes(sent.text, "The message changed while you read it");
    assertEquals(await stateOf(stand, jobId), "APPROVAL_REQUIRED");
  },

  async "evidence that changed since it was read is not approved"(place) {
    const { stand, desk } = place;
    const jobId = await start(stand, "evidence");
    const page = (await desk.get(pathOf(jobId))).text;
    const { gateway, signal } = stand.platform;
    const { context } = await stand.job(jobId) as {
      context: { evidence: { evidence: Record<string, unknown>[] } };
    };
    const [piece] = context.evidence.evidence;
    // Others need not write a digest.
    delete piece!["sha256"];
    piece!["artifact_ptr"] = await gateway.putArtifact({
      content: new TextEncoder().encode("something else"),
      ...{ contentType: "text/plain", retention: "audit" },
    }, signal);
    await writeInput(place, jobId, context);
    const sent = await desk.send(pathOf(jobId), "approve", { page });
    assertEquals(sent.status, 409);
    assertStringIncludes(sent.text, "The evidence changed while you read it");
    assertEquals(await stateOf(stand, jobId), "APPROVAL_REQUIRED");
    // Whoever reads it again can.
    assertEquals((await desk.send(pathOf(jobId), "approve")).status, 303);
  },

  async "who decides twice is told so"({ stand, desk }) {
    const jobId = await start(stand, "twice");
    const [one, other] = [
      (await desk.get(pathOf(jobId))).text,
      (await desk.get(pathOf(jobId))).text,
    ];
    const first = await desk.send(pathOf(jobId), "approve", { page: one });
    assertEquals(first.status, 303);
    const again = await desk.send(pathOf(jobId), "approve", { page: other });
    assertEquals(again.status, 409);
    assertMatch(again.text, /You decided it already<[^]*You approved it/);
  },

  async "a decision that came to nothing is not taken for the next one"(
    { core, stand, desk },
  ) {
    const jobId = await start(stand, "elsewhere");
    const path = pathOf(jobId);
    core.faults.bounceApprovals = 1;
    assertEquals((await desk.send(path, "approve")).status, 303);
    await until(
      "the bounce",
      async () =>
        (await desk.get(path)).text.includes("It was approved, and came back"),
    );
    // Then somebody rejects it at a terminal.
    const page = (await desk.get(path, "Cy")).text;
    await reject(stand.platform.as("Bo"), jobId, "a false alarm");
    const late = await desk.send(path, "approve", { name: "Cy", page });
    assertMatch(late.text, /rejected by Bo/);
    const { text } = await desk.get(path, "Cy");
    assertMatch(text, /Rejected by Bo on/);
    assert(!text.includes("goes by the API key"));
  },

  async "nothing is approved while its evidence cannot be read"(
    { core, stand, desk },
  ) {
    const jobId = await start(stand, "unreadable");
    const { context } = await stand.job(jobId) as {
      context: {
        summary: { message_ptr: string };
        evidence: { evidence: { artifact_ptr: string }[] };
      };
    };
    const [piece] = context.evidence.evidence;
    const route = `/artifacts/${encodeURIComponent(piece!.artifact_ptr)}`;
    core.faults.onRoute = (_, path) =>
      path.endsWith(route) ? { status: 404 } : undefined;
    const { text } = await desk.get(pathOf(jobId));
    core.faults.onRoute = () => undefined;
    assertMatch(text, /Its evidence cannot be read whole \(E1: /);
    assertEquals(fieldsOf(text, "approve"), {});
    // Whoever has a form all the same is refused, too.
    core.faults.onRoute = (_, path) =>
      path.endsWith(route) ? { status: 404 } : undefined;
    const sent = await desk.send(pathOf(jobId), "approve", {
      page: text.replaceAll("/reject", "/approve"),
    });
    core.faults.onRoute = () => undefined;
    assertEquals(sent.status, 409);
    assertStringIncludes(sent.text, "cannot be read whole");
    assertEquals(await stateOf(stand, jobId), "APPROVAL_REQUIRED");
    const readable = await desk.get(pathOf(jobId));
    assert("token" in fieldsOf(readable.text, "approve"));
  },

  async "a message that policy forbids is not approved"(place) {
    const { stand, desk } = place;
    const jobId = await start(stand, "forbidden");
    await swapMessage(place, jobId, "password=correct-horse-battery");
    const { text } = await desk.get(pathOf(jobId));
    assertMatch(text, /still holds [^]*; the poster would refuse it/);
    assertEquals(fieldsOf(text, "approve"), {});
    assert("token" in fieldsOf(text, "reject"));
  },

  async "nobody approves a job that they submitted themselves"(
    { core, stand, desk },
  ) {
    const jobId = await start(stand, "submitted");
    const path = pathOf(jobId);
    const page = (await desk.get(path)).text;
    assert("token" in fieldsOf(page, "approve"));
    const list = await stand.platform.call("GET", "/approvals");
    const items = (list["items"] as JsonObject[])
      .map((item) => ({ ...item, submitted_by: "Ana" }));
    let asked = 0;
    using _route = answering(core, (method, path) => {
      if (path.endsWith("/approve")) asked++;
      return method === "GET" && path.endsWith("/approvals")
        ? { status: 200, body: JSON.stringify({ items }) }
        : undefined;
    });
    await until(
      "the list",
      async () =>
        (await desk.get(path)).text.includes("You submitted this job yourself"),
    );
    const [own, other] = [await desk.get(path), await desk.get(path, "Bo")];
    assertEquals(fieldsOf(own.text, "approve"), {});
    // Whoever has a form all the same is refused, and the platform is not asked.
    const sent = await desk.send(path, "approve", { page });
    assertEquals([sent.status, asked], [409, 0]);
    assertStringIncludes(sent.text, "You submitted this job yourself");
    const { status } = await desk.send(path, "approve", {
      ...{ name: "Bo", page: other.text },
    });
    assertEquals([status, asked], [303, 1]);
  },

  async "a rejection has a reason, and the platform has it"({ stand, desk }) {
    const jobId = await start(stand, "reject");
    const path = pathOf(jobId);
    for (const reason of ["", "  ", "x".repeat(501)]) {
      const { status } = await desk.send(path, "reject", {
        fields: { reason },
      });
      assertEquals(status, 422);
    }
    const reason = "a <false> alarm";
    const sent = await desk.send(path, "reject", { fields: { reason } });
    assertEquals(sent.status, 303);
    const job = await stand.job(jobId);
    assertEquals([job["state"], job["approval_by"]], ["DENIED", "Ana"]);
    assertEquals(job["approval_reason"], reason);
    const { text } = await desk.get(path);
    assertMatch(text, /Rejected<[^]*a &lt;false&gt; alarm[^]*Rejected by Ana/);
  },

  async "a message of another digest is not shown as the one decided on"(
    place,
  ) {
    const { stand, desk } = place;
    const jobId = await start(stand, "digest");
    const { context } = await stand.job(jobId) as {
      context: { summary: Record<string, unknown> };
    };
    const fields = { reason: "a false alarm" };
    await desk.send(pathOf(jobId), "reject", { fields });
    const before = (await desk.get(pathOf(jobId))).text;
    assertStringIncludes(before, "The message that was decided on");
    context.summary["message_sha256"] = "0".repeat(64);
    await writeInput(place, jobId, context);
    const after = (await desk.get(pathOf(jobId))).text;
    assert(!after.includes("The message that was decided on"));
    assertStringIncludes(after, "is not the one that the summary names");
  },

  async "an open page is told that it has changed"({ stand, desk }) {
    const jobId = await start(stand, "live");
    const path = pathOf(jobId);
    const stop = new AbortController();
    const response = await fetch(`${desk.url}${path}/events`, {
      headers: { Cookie: "desk-name=Bo" },
      signal: stop.signal,
    });
    assertEquals(
      response.headers.get("content-type")?.split(";")[0],
      "text/event-stream",
    );
    const reader = response.body!.pipeThrough(new TextDecoderStream())
      .getReader();
    const first = await reader.read();
    assertMatch(first.value ?? "", /^retry: /);
    await desk.send(path, "approve");
    let heard = "";
    while (!heard.includes("event: changed")) {
      heard += (await reader.read()).value ?? "";
    }
    stop.abort();
    await reader.cancel().catch(() => {});
  },

  async "who decided elsewhere is on the list of decisions, once"(
    { core, stand, desk },
  ) {
    const jobId = await start(stand, "elsewhere");
    await using other = await startDesk(core.env);
    for (const one of [desk, other]) {
      await until(
        "the list",
        async () =>
          (await one.get("/")).text.includes("Disk full on elsewhere"),
      );
    }
    await approve(stand.platform.as("Terry"), jobId);
    const rows = async () => {
      const { text } = await desk.get("/decided");
      return text.split('<li class="row').filter((row) =>
        row.includes(pathOf(jobId))
      );
    };
    await until("the decision", async () => (await rows()).length > 0);
    await delay(2_500); // The other desk has seen it, too.
    const [row = "", ...more] = await rows();
    assertEquals(more, []);
    assertMatch(row, /approved<[^]*by <strong>Terry<[^]*, elsewhere/);
    const own = await start(stand, "own");
    await desk.send(pathOf(own), "reject", { fields: { reason: "own" } });
    await delay(2_500);
    const { text } = await desk.get("/decided");
    const ours = text.split('<li class="row').filter((row) =>
      row.includes(pathOf(own))
    );
    assertEquals(ours.length, 1);
    assertMatch(ours[0]!, /by <strong>Ana</);
    assert(!ours[0]!.includes("elsewhere"));
  },

  async "what comes back can be approved once more"({ core, stand, desk }) {
    const jobId = await start(stand, "bounce");
    const path = pathOf(jobId);
    core.faults.bounceApprovals = 1;
    assertEquals((await desk.send(path, "approve")).status, 303);
    await until(
      "the bounce",
      async () =>
        (await desk.get(path)).text.includes("It was approved, and came back"),
    );
    assertEquals((await desk.send(path, "approve")).status, 303);
    await until(
      "the post",
      async () => (await desk.get(path)).text.includes("Posted as an artifact"),
    );
  },

  async "what policy has left behind can only be rejected"(
    { core, stand, desk },
  ) {
    const jobId = await start(stand, "stale");
    const page = (await desk.get(pathOf(jobId))).text;
    await stand.platform.call("POST", "/packs/incident-enricher/uninstall", {
      json: { purge: false },
    });
    await until(
      "the policy",
      async () =>
        (await desk.get(pathOf(jobId))).text.includes(
          "It can no longer be approved",
        ),
      20_000,
    );
    const { text } = await desk.get(pathOf(jobId));
    assertEquals(fieldsOf(text, "approve"), {});
    assert("token" in fieldsOf(text, "reject"));
    // Whoever read it before is refused, and the platform is not asked.
    let asked = 0;
    using _route = answering(core, (_, path) => {
      if (path.endsWith("/approve")) asked++;
      return undefined;
    });
    const sent = await desk.send(pathOf(jobId), "approve", { page });
    assertEquals([sent.status, asked], [409, 0]);
    assertMatch(sent.text, /Nothing was approved<[^]*the policy changed since/);
  },
};

Deno.test("an approval at the desk is signed with its key", async () => {
  const keys = await createKeys({ id: "desk-1", name: "The desk" });
  await using core = await startDevcore({ reloadMs: 200 });
  await using stand = await startStand({
    platformEnv: core.env,
    env: { APPROVAL_PUBLIC_KEYS: writePublicKey(keys.public) },
  });
  const jobId = await start(stand, "signed");
  const path = pathOf(jobId);
  await using unsigned = await startDesk(core.env);
  assertMatch((await unsigned.get(path)).text, /takes only signed approvals/);
  await using desk = await startDesk({
    ...core.env,
    APPROVAL_SIGNING_KEY: writeSigningKey(keys.signing),
  });
  const { text } = await desk.get(path);
  assertMatch(text, /signed with<\/dt><dd>the key desk-1/);
  assert(!text.includes(writeSigningKey(keys.signing)));
  assertEquals((await desk.send(path, "approve")).status, 303);
  await until(
    "the post",
    async () => (await desk.get(path)).text.includes("The desk"),
  );
  const { text: decided } = await desk.get("/decided");
  assertMatch(decided, /signed with the key desk-1/);
});
