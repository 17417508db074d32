/**
 * The platforms that devcore plays, and what is fixed about them.
 *
 * @module
 */
import type { JsonObject } from "../../lib/base/json.ts";
import { sha256 } from "./common.ts";

/** The first is the one that devcore is modelled on. */
export const PROFILES = ["cordum-2026-01", "cordum-1.0"] as const;

export type Profile = typeof PROFILES[number];

/** What a platform calls itself; by hand Cordum 1.0 is built as `0.2.0`. */
export const VERSION: Readonly<Record<Profile, string>> = {
  "cordum-2026-01": "dev",
  "cordum-1.0": "v1.0.0",
};

/** The document `default` as a platform writes it before any pack is there. */
export const BOOTSTRAP: Readonly<Record<Profile, JsonObject>> = {
  // Written in capitals, but read in lower case.
  "cordum-2026-01": {
    pools: {
      Pools: { default: { Requires: [] } },
      Topics: { "job.default": ["default"] },
    },
    timeouts: {
      Reconciler: {
        DispatchTimeoutSeconds: 300,
        RunningTimeoutSeconds: 9000,
        ScanIntervalSeconds: 30,
      },
      Topics: {},
      Workflows: {},
    },
  },
  "cordum-1.0": {
    _poolsFileHash: sha256("pools.yaml"),
    _timeoutsFileHash: sha256("timeouts.yaml"),
    pools: {
      pools: { "approval-gates": {}, "b2b-governance": {}, "b2b-hr": {} },
      topics: {
        "job.b2b.governance-evaluate": ["peax-governance"],
        "job.b2b.hr-setup": ["b2b-hr"],
        "job.b2b.it-inventory": ["b2b-it"],
      },
    },
    rate_limits: { enabled: true },
    safety: { enabled: true, mode: "enforce" },
    timeouts: {
      reconciler: {
        dispatch_timeout_seconds: 300,
        running_timeout_seconds: 900,
        scan_interval_seconds: 30,
      },
      topics: {},
      workflows: {},
    },
  },
};

/** What Cordum 1.0 does under its Community licence. */
export const CORDUM_1 = {
  workersMax: 3,
  /** The licence says 3, but a job counts once more when it is dispatched. */
  unfinishedMax: 2,
  /** When a job is tried again that the licence did not let through. */
  replayMs: 300_000,
  /** Policy and routing follow a change without a timer. */
  reloadMs: 1_000,
  /** The scheduler adds this label to a job, and then misses it. */
  contentLabel: "_content.payload_json",
  contentCharsMax: 64 * 1024,
  /** Which inputs need an approval, whatever the packs' rules say. */
  suspicious:
    /ignore previous instructions|\.\.\/\.\.|(execute|bypass|override)=true|validate=false/i,
  constraining: /^(placement|constraint|node)\./,
} as const;
