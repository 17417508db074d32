/**
 * Why an operation failed, in words for the person who asked for it.
 *
 * @module
 */

/** An operation that the platform or a record does not allow. */
export class OperationError extends Error {
  override name = "OperationError";
}
