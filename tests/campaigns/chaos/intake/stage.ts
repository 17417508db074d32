/**
 * The stage of one delivery: what becomes of it on its way, and at the gateway.
 *
 * @module
 */
import type { Replica } from "../replica.ts";
import { type Draw, type Fault, Stage, type Tools } from "../stage.ts";
import type { IntakeLane } from "./lane.ts";

/** The moments of a delivery that can be seen from outside the ingester. */
export const MOMENTS = [
  /** Half of the request has left the sender. */
  "half sent",
  "start arrived",
  /** The platform has done it, and the ingester does not know. */
  "start handled",
  "read arrived",
  "read handled",
  /** The sender has the ingester's answer. */
  "answered",
] as const;

export type Moment = typeof MOMENTS[number];

export type IntakeTools = Tools<IntakeStage, Moment, Replica>;
export type IntakeFault = Fault<IntakeLane, IntakeTools>;
export type IntakeDraw = Draw<IntakeFault>;

/** What becomes of a request at the gateway; by default it is just answered. */
export interface Strike {
  /** Before it is looked at. */
  earlyMs?: number;
  /** Whether the platform does nothing of what it is asked. */
  undone?: boolean;
  /** Before it is answered. */
  lateMs?: number;
  /** Instead of the platform's own answer. */
  reply?: "reset" | "hang" | { status: number; text: string };
}

/** What the network does with one attempt of a sender. */
export type Network =
  | { does: "refuse" }
  /** Only this share of the bytes gets through. */
  | { does: "cut"; share: number }
  /** All of them did, and the sender goes away at this moment. */
  | { does: "cut at"; moment: Moment }
  | { does: "lose answer" }
  | { does: "drip"; pieces: number; gapMs: number }
  | { does: "double"; to: "same" | "other" };

/** What one trial has arranged and seen. */
export class IntakeStage extends Stage<Moment, Replica> {
  readonly requests = {
    start: this.schedule<() => Strike>(),
    read: this.schedule<() => Strike>(),
  };
  /** What becomes of a key that is reserved: no run, and the key is burned. */
  readonly burns = this.schedule<() => "limit" | "crash">();
  /** A sender's attempts. */
  readonly attempts = this.schedule<() => Network>();
  /** How late the runs of this trial are to be read. */
  runLateMs: () => number = () => 0;

  /**
   * @param token Stands in everything that the trial sends, and in nothing else.
   */
  constructor(readonly token: string) {
    super();
  }
}
