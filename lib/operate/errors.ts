/**
 * Failures that an operator can understand and act on.
 *
 * @module
 */

/** The platform or a record does not allow an operation. Its message says why. */
export class OperationError extends Error {
  override name = "OperationError";
}
