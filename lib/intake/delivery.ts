/**
 * A webhook's delivery, once it is understood.
 *
 * @module
 */
import type { IncidentInput } from "../incident.ts";

/** What a delivery asks for. */
export interface Delivery {
  incident: IncidentInput;
  /** The same for every copy of one delivery, different for any other. */
  key: string;
}

/** A delivery that will never be understood. */
export class DeliveryError extends Error {
  override name = "DeliveryError";
}
