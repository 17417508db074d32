/**
 * Names of the pack's things on the platform.
 *
 * @module
 */

import { PACK_ID } from "../schemas.ts";

export const WORKFLOW_ID: string = `${PACK_ID}.enrich`;
export const TOPIC_PREFIX: string = `job.${PACK_ID}.`;
export const POST_TOPIC: string = `${TOPIC_PREFIX}post`;
export const POST_POOL: string = `${PACK_ID}-post`;
