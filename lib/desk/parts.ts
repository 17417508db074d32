/**
 * What the desk is made of. Types only.
 *
 * @module
 */
import type { Address, Config } from "../base/config.ts";
import type { Log } from "../base/log.ts";
import type { Tally } from "../base/tally.ts";
import type { Operator } from "../operate/operator.ts";
import type { Pieces } from "../operate/pieces.ts";
import type { BoardSource } from "./board.ts";
import type { Deciding } from "./deciding.ts";
import type { Followings } from "./followings.ts";
import type { Live } from "./live.ts";
import type { DeskSettings } from "./settings.ts";
import type { Tokens } from "./tokens.ts";

/** Everything that the desk is told at its start. */
export type DeskConfig = Config<DeskSettings> & { readonly address: Address };

/** What requests are answered with. */
export interface Desk {
  readonly config: DeskConfig;
  readonly log: Log;
  readonly tally: Tally;
  readonly operator: Operator;
  readonly source: BoardSource;
  readonly pieces: Pieces;
  readonly tokens: Tokens;
  readonly deciding: Deciding;
  readonly followings: Followings;
  readonly live: Live;
  /** Whether the platform may record a key in place of a person. */
  readonly goesByKey: () => Promise<boolean>;
}
