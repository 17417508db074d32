/**
 * Checks, reads and parses a webhook's body.
 *
 * @module
 */
import { BodyTooLargeError, readBounded } from "../base/http.ts";
import { Refusal } from "./refusal.ts";

/** Known senders send less. */
export const BODY_BYTES_MAX: number = 1024 * 1024;

/** Even a small piece costs time: a megabyte of single bytes took 5 s. */
const PIECES_MAX = 16_384;

/**
 * Refuses a body before it is read.
 *
 * @param lax Whether the body may have a content type other than JSON.
 * @throws {Refusal} 415.
 */
export function checkBodyType(headers: Headers, lax = false): void {
  const encoding = headers.get("content-encoding") ?? "identity";
  if (encoding !== "identity") {
    throw new Refusal(415, "The body must not be compressed", {
      "Accept-Encoding": "identity",
    });
  }
  const [type = "", ...parameters] = (headers.get("content-type") ?? "")
    .toLowerCase().split(";").map((part) => part.trim());
  if (!lax && !/^application\/(?:[\w.-]+\+)?json$/.test(type)) {
    throw new Refusal(415, "The body must be of type application/json");
  }
  const charset = parameters.find((part) => part.startsWith("charset="));
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) {
    throw new Refusal(415, "The body must be in UTF-8");
  }
}

/** @throws {Refusal} 413 for too many bytes or pieces, 400 if it breaks off. */
export async function readBody(
  body: ReadableStream<Uint8Array> | null,
): Promise<Uint8Array> {
  try {
    return await readBounded(body, BODY_BYTES_MAX, PIECES_MAX);
  } catch (error) {
    if (error instanceof BodyTooLargeError) {
      throw new Refusal(
        413,
        error.unit === "bytes"
          ? `The body must have at most ${BODY_BYTES_MAX} bytes`
          : `The body must come in at most ${PIECES_MAX} pieces`,
      );
    }
    throw new Refusal(400, "Cannot read the body: it broke off");
  }
}

/** @throws {Refusal} 400. A byte order mark is no part of JSON. */
export function parseBody(bytes: Uint8Array): unknown {
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return JSON.parse(decoder.decode(bytes));
  } catch {
    throw new Refusal(400, "The body must be JSON in UTF-8");
  }
}
