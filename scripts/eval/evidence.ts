/**
 * From a case's evidence to what collectors would answer. Pure.
 *
 * A kind is known by the shape of what it holds, not by its name, so that a case
 * from elsewhere needs no entry here. What no reader knows becomes a piece
 * that a summary may cite.
 *
 * @module
 */
import { isObject } from "../../lib/base/json.ts";
import type { Case } from "./case.ts";
import { changeReplies } from "./kinds/changes.ts";
import { courseReplies } from "./kinds/courses.ts";
import { databaseReplies } from "./kinds/database.ts";
import { kubernetesReplies } from "./kinds/kubernetes.ts";
import { logReplies } from "./kinds/logs.ts";
import { metricReplies } from "./kinds/metrics.ts";
import { monitorReplies } from "./kinds/monitors.ts";
import { otherReplies } from "./kinds/others.ts";
import { peopleReplies } from "./kinds/people.ts";
import type { Kind, Looking, Reader, Reply } from "./kind.ts";

/** In the order of what they tell. */
const READERS: readonly Reader[] = [
  courseReplies,
  changeReplies,
  kubernetesReplies,
  metricReplies,
  databaseReplies,
  monitorReplies,
  logReplies,
  peopleReplies,
  otherReplies,
];

export function readEvidence(
  { alert, evidence }: Case,
  looking: Omit<Looking, "said">,
): Reply[] {
  const said = JSON.stringify(alert);
  let left: readonly Kind[] = Object.entries(evidence).map(([name, value]) => ({
    name,
    value: isObject(value) ? value : { items: value },
  }));
  return READERS.flatMap((reader) => {
    const { read, replies } = reader(left, { ...looking, said });
    left = left.filter((kind) => !read.includes(kind));
    return replies;
  });
}
