/**
 * What may become of a delivery on its way and at the gateway.
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
  /** The platform has done it, which the ingester does not know yet. */
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

/** What becomes of a request at the gateway, which otherwise just answers. */
export interface Strike {
  /** Before it is looked at. */
  earlyMs?: number;
  /** Whether the platform does nothing. */
  undone?: boolean;
  /** Before it is answered. */
  lateMs?: number;
  /** Instead of the platform's own answer. */
  reply?: "reset" | "hang" | { status: number; text: string };
}

/** What the network does with one attempt of a sender. */
export type Network =
  | { does: "refuse" }
  /** Lets only this share of the bytes through. */
  | { does: "cut"; share: number }
  /** Lets all of them through; the sender goes away at this moment. */
  | { does: "cut at"; moment: Moment }
  | { does: "lose answer" }
  | { does: "drip"; pieces: number; gapMs: number }
  | { does: "double"; to: "same" | "other" };

export class IntakeStage extends Stage<Moment, Replica> {
  readonly requests = {
    start: this.schedule<() => Strike>(),
    read: this.schedule<() => Strike>(),
  };
  /** Burns a new key: it is reserved, but no run follows. */
  readonly burns = this.schedule<() => "limit" | "crash">();
  readonly attempts = this.schedule<() => Network>();
  /** How late this trial's runs appear. */
  runLateMs: () => number = () => 0;

  /** @param token Appears in all that the trial sends, and nowhere else. */
  constructor(readonly token: string) {
    super();
  }
}
