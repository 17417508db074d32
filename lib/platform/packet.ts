/**
 * Encodes and decodes the packets of CAP. Pure.
 *
 * `cap.proto` defines the messages. Unknown fields survive decoding and
 * encoding, so a newer platform's packet loses nothing here.
 *
 * @see https://protobuf.dev/programming-guides/encoding/ for the wire format.
 * @module
 */
import {
  create,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { shorten } from "../base/text.ts";
import {
  type BusPacket,
  BusPacketSchema,
  ComponentRole,
  type Heartbeat,
  type JobRequest,
  JobRequestSchema,
  JobStatus,
} from "./gen/cap_pb.ts";

export { type BusPacket, type ComponentRole, type JobRequest, JobStatus };

/** The same limit as NATS has by default. */
export const PACKET_BYTES_MAX = 1024 * 1024;
const PROTOCOL_VERSION = 1;
const ERROR_MESSAGE_CHARS_MAX = 1000;

export class PacketError extends Error {
  override name = "PacketError";
}

/** @throws {PacketError} If the bytes are too many or not a packet. */
export function decodePacket(bytes: Uint8Array): BusPacket {
  if (bytes.length > PACKET_BYTES_MAX) {
    throw new PacketError(
      `Cannot decode packet: got ${bytes.length} bytes, expected at most ${PACKET_BYTES_MAX}`,
    );
  }
  try {
    return fromBinary(BusPacketSchema, bytes);
  } catch (cause) {
    // The decoder's own text may quote the bytes.
    throw new PacketError(
      `Cannot decode packet: ${bytes.length} bytes are not a BusPacket`,
      { cause },
    );
  }
}

export function encodePacket(packet: BusPacket): Uint8Array {
  return toBinary(BusPacketSchema, packet);
}

/** A job request with these fields; all others are unset. */
export function createJobRequest(
  fields: MessageInitShape<typeof JobRequestSchema>,
): JobRequest {
  return create(JobRequestSchema, fields);
}

export interface Sender {
  /** Unique among live processes. */
  workerId: string;
  /** Proves the worker's identity if the platform asks for proof. */
  token?: string | undefined;
  /** Milliseconds since the epoch. */
  nowMs: number;
}

/** How a job ended: the platform knows only these two ways. */
export type JobEnd =
  | { status: "succeeded"; resultPtr: string }
  | { status: "failed"; code: string; message: string };

/**
 * Writes the result of a job.
 *
 * The status is always SUCCEEDED or FAILED. Older platforms take an unset or
 * non-terminal status for a failure. On Cordum 1.0 it leaves the job running;
 * that version also drops results without a worker id.
 */
export function encodeResult(
  sender: Sender,
  job: { jobId: string; traceId: string; executionMs: number },
  end: JobEnd,
): Uint8Array {
  const succeeded = end.status === "succeeded";
  return encode(sender, job.traceId, {
    case: "jobResult",
    value: {
      jobId: job.jobId,
      workerId: sender.workerId,
      executionMs: BigInt(Math.max(0, Math.round(job.executionMs))),
      status: succeeded ? JobStatus.SUCCEEDED : JobStatus.FAILED,
      ...(succeeded ? { resultPtr: end.resultPtr } : {
        errorCode: end.code,
        errorMessage: shorten(end.message, ERROR_MESSAGE_CHARS_MAX),
        errorCodeEnum: ERROR_CODES[end.code] ?? 0,
      }),
    },
  });
}

/** Newer platforms' numbers for some of our codes. */
const ERROR_CODES: Readonly<Record<string, number>> = {
  JOB_TIMEOUT: 200,
  JOB_RESULT_TOO_LARGE: 201,
  NOT_APPROVED: 202,
  JOB_INVALID_INPUT: 203,
  JOB_CONTEXT_MISSING: 204,
  WORKER_OVERLOADED: 201,
  WORKER_STOPPING: 206,
};

/** Writes a progress note, 0 to 100 percent, which the platform does not store. */
export function encodeProgress(
  sender: Sender,
  job: { jobId: string; traceId: string },
  percent: number,
  message: string,
): Uint8Array {
  return encode(sender, job.traceId, {
    case: "jobProgress",
    value: {
      jobId: job.jobId,
      percent: Math.round(Math.min(100, Math.max(0, percent))),
      message: shorten(message, ERROR_MESSAGE_CHARS_MAX),
      status: JobStatus.RUNNING,
    },
  });
}

/** The fields of a heartbeat that the sender does not determine. */
export type Load = Partial<
  Omit<Heartbeat, "$typeName" | "$unknown" | "workerId" | "authToken">
>;

/** Writes a heartbeat: all that the scheduler knows about a worker. */
export function encodeHeartbeat(sender: Sender, load: Load): Uint8Array {
  const { workerId, token: authToken = "" } = sender;
  const value = { ...load, workerId, authToken };
  return encode(sender, workerId, { case: "heartbeat", value });
}

/** Writes a handshake, which tells Cordum 1.0 which topics a worker serves. */
export function encodeHandshake(sender: Sender, topics: string[]): Uint8Array {
  return encode(sender, sender.workerId, {
    case: "handshake",
    value: {
      componentId: sender.workerId,
      role: ComponentRole.WORKER,
      supportedVersions: [PROTOCOL_VERSION],
      readyTopics: topics,
    },
  });
}

function encode(
  sender: Sender,
  traceId: string,
  payload: MessageInitShape<typeof BusPacketSchema>["payload"],
): Uint8Array {
  return encodePacket(create(BusPacketSchema, {
    traceId,
    senderId: sender.workerId,
    createdAt: timestampFromMs(sender.nowMs),
    protocolVersion: PROTOCOL_VERSION,
    authToken: sender.token ?? "",
    payload: payload!,
  }));
}
