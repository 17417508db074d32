/**
 * The incident: a webhook as its source sends it.
 *
 * @module
 */
import { CommandError } from "../terminal/command.ts";
import type { Scene } from "./scene.ts";
import type { Sender } from "./senders.ts";

/** An incident that the ingester accepted, and the run that it started. */
export interface Accepted {
  runId: string;
  incidentId: string;
}

/** Sends a webhook about an incident, and before it one that proves nothing. */
export async function sendIncident(
  { stand, say }: Scene,
  sender: Sender,
  id: string,
): Promise<Accepted> {
  say.begin("incident", "Incident");
  const { path } = sender;
  const body = await sender.body(id, new Date().toISOString());
  const proof = sender.prove(body);
  if (Object.keys(proof).length > 0) {
    const { status } = await stand.send(body, { path });
    if (status !== 401) {
      throw new CommandError(
        `The ingester answered status ${status} to a webhook that nobody proved, expected 401`,
      );
    }
    say.line("the same webhook from anybody else: refused with 401");
  }
  const { status, answer } = await stand.send(body, { path, headers: proof });
  if (status !== 202) {
    throw new CommandError(
      `The ingester answered status ${status}: ${answer["error"]}`,
    );
  }
  const runId = String(answer["run_id"]);
  const incidentId = String(answer["incident_id"]);
  say.line(
    `${sender.what} sent for ${incidentId}, answered 202 with run ${runId}`,
  );
  return { runId, incidentId };
}
